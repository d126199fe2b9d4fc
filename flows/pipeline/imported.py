"""Taking a picture over: bytes that somebody has already become an entry like any other, without a request.

The order is what makes a crash harmless: picture and record go to storage first, under a name that follows from the
picture itself; then the claim, which is where everybody else learns of it; then the end. Killed before the claim,
nothing counts and the next import writes the same file again. Killed after it, whoever comes by finds the picture on
storage and writes the end.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from flows.history.records import Claim, End, Entry, ImageRecord, Outcome, Step
from flows.ids import time_of
from flows.pipeline.fetch import kept
from flows.pipeline.kit import Kit
from flows.pipeline.record import put

GONE = "cut off while it was taken over, and its picture is not on the storage: import it again"


def taken_over(claim: Claim, picture: ImageRecord, now: datetime) -> End:
    """The end of an entry whose picture is on storage."""
    return End(
        request_id=claim.request_id,
        claim=claim,
        ended_at=now,
        outcome=Outcome.COMPLETED,
        answered=True,
        generated_at=time_of(claim.request_id),
        images=(picture,),
    )


async def finish_import(kit: Kit, entry: Entry, claim: Claim) -> End:
    """Bring an import that was cut off to its end: nothing was sent, so the picture is there or nothing is."""
    picture = await asyncio.to_thread(kept, kit, claim, 0)
    if picture is None:
        end = End(claim.request_id, claim, kit.now(), Outcome.VOID, answered=True, reason=GONE)
    else:
        end = taken_over(claim, picture, kit.now())
    if await put(kit, Step.END, end):
        return end
    standing = await asyncio.to_thread(kit.journal.find, entry.fingerprint, entry.n, Step.END)
    return standing if isinstance(standing, End) else end
