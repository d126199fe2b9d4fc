"""Putting records into the journal, also when the storage has gone away just now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from flows.errors import StorageTrouble
from flows.history.records import Claim, End, Outcome, Record, Step
from flows.pipeline.kit import Kit

T = TypeVar("T")


async def put(kit: Kit, step: Step, record: Record) -> bool:
    """Create a record, patiently: False when another process's record stands in its place.

    Raises StorageTrouble when the patience of the rules is used up.
    """
    claim = record if isinstance(record, Claim) else record.claim
    return await _patiently(kit, lambda: kit.journal.put(claim.fingerprint, claim.n, step, record))


async def disown(kit: Kit, claim: Claim, why: str) -> None:
    """Void a claim that may be on record but was never sent, lest it be taken for one that was.

    Under its name there may just as well be nothing, or the claim of somebody else: that stays as it is.
    """
    found = await _patiently(kit, lambda: kit.journal.find(claim.fingerprint, claim.n, Step.CLAIM))
    if isinstance(found, Claim) and found.request_id == claim.request_id:
        end = End(claim.request_id, claim, kit.now(), Outcome.VOID, answered=False, reason=f"never sent: {why}")
        await put(kit, Step.END, end)


async def _patiently(kit: Kit, act: Callable[[], T]) -> T:
    """While the storage fails no further claim is made, but what is paid for goes on being fetched."""
    started, pause = kit.uptime(), 1.0
    while True:
        try:
            return await asyncio.get_running_loop().run_in_executor(kit.recorder, act)
        except StorageTrouble as trouble:
            kit.stop.ask(f"the journal cannot be written: {trouble}", "make room or bring the storage back, run again")
            if kit.uptime() - started > kit.rules.record_patience_s:
                raise
            await kit.sleep(pause)
            pause = min(30.0, pause * 2)
