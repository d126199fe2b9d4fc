"""From an answer on record to an end on record: follow the generation, fetch its images, say what became of them.

Whoever finds an answer whose owner is dead can do this as well as its owner could.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flows.errors import IdeoflowError, StorageTrouble, Unavailable
from flows.history.records import Ack, End, Entry, ImageRecord, ImageStatus, Outcome, Step
from flows.ideogram.answers import Accepted, Decline, Declined, Delivered, Doubtful, Failed, Pending, read_poll
from flows.ideogram.catalogue import CATALOGUE
from flows.pipeline.answered import reading
from flows.pipeline.fetch import Unfetched, fetch
from flows.pipeline.follow import Undecided, follow
from flows.pipeline.governor import Place
from flows.pipeline.kit import Kit
from flows.pipeline.record import put


@dataclass(frozen=True)
class Unfinished:
    """The entry stays open. `doubt`: no run will settle it by itself."""

    why: str
    doubt: bool = False


def ended(ack: Ack, outcome: Outcome, now: datetime, **more: object) -> End:
    """An end of an answered request, with what the answer tells filled in."""
    end = End(
        request_id=ack.request_id,
        claim=ack.claim,
        ended_at=now,
        outcome=outcome,
        answered=True,
        status=ack.status,
        x_request_id=ack.x_request_id,
        answered_at=ack.answered_at,
        latency_s=ack.elapsed_s,
    )
    return replace(end, **more)  # type: ignore[arg-type]  # field names are checked by replace itself


def declined(ack: Ack, answer: Declined | Failed, now: datetime) -> End:
    """The end of a request that did not run, or ran and failed: nothing is billed."""
    if isinstance(answer, Failed):
        outcome = Outcome.REFUSED if answer.policy else Outcome.VOID
        return ended(ack, outcome, now, reason=f"the job failed: {answer.reason}")
    outcome = Outcome.REFUSED if answer.decline is Decline.UNSAFE else Outcome.VOID
    return ended(ack, outcome, now, reason=answer.message, reject_reason=answer.reject_reason)


async def finish(kit: Kit, entry: Entry, ack: Ack, place: Place) -> End | Unfinished:
    """Bring an answered entry to its end; `place` is released as soon as the generation has ended."""
    answer = reading(ack)
    generation_id: str | None = None
    received = ack.answered_at
    if isinstance(answer, Accepted):
        generation_id = answer.generation_id
        result = await follow(kit, generation_id, ack.answered_at)
        received = kit.now()
        if isinstance(result, Undecided):
            return Unfinished(result.why, result.doubt)
        answer = result
    place.release()
    if isinstance(answer, Doubtful):
        return Unfinished(answer.why, doubt=True)
    if isinstance(answer, (Declined, Failed)):
        end = replace(declined(ack, answer, kit.now()), generation_id=generation_id)
    else:
        images = await _images(kit, ack, answer, generation_id or answer.generation_id, received)
        if isinstance(images, Unfinished):
            return images
        end = _completed(kit, ack, answer, received, images)
        end = replace(end, generation_id=generation_id or answer.generation_id)
    return await _settle(kit, entry, end)


async def _settle(kit: Kit, entry: Entry, end: End) -> End:
    """Record the end. Another finisher's stands if it was faster: the two differ at most in their times."""
    step = Step.AMEND if entry.late else Step.END
    if entry.late:
        end = _late(end, written_off=entry.written_off or _is_written_off(entry.end))
    if await put(kit, step, end):
        return end
    standing = await asyncio.to_thread(kit.journal.find, entry.fingerprint, entry.n, step)
    if not isinstance(standing, End):
        return end  # sealed by now
    if step is Step.END and not standing.answered:
        # Given up while the answer was on its way: it was paid, and the true end goes beside the void one.
        end = _late(end, written_off=_is_written_off(standing))
        await put(kit, Step.AMEND, end)
        return end
    return standing


def _is_written_off(end: End | None) -> bool:
    return end is not None and end.outcome is Outcome.WRITTEN_OFF


def _late(end: End, *, written_off: bool) -> End:
    """An end says so when it comes after somebody had given its request up: this may have been paid twice."""
    if end.outcome is not Outcome.COMPLETED:
        return end
    if written_off:
        return replace(end, reason="answered after it had been written off: found after all")
    return replace(end, reason="answered after it had been given up as not run: what replaced it is paid twice")


def _completed(kit: Kit, ack: Ack, answer: Delivered, received: datetime, images: Sequence[ImageRecord]) -> End:
    waited = (received - ack.answered_at).total_seconds()
    # A generation picked up by a later run says nothing about how long it took.
    latency = (ack.elapsed_s or 0.0) + waited if waited <= kit.rules.job_s else None
    return ended(
        ack,
        Outcome.COMPLETED,
        kit.now(),
        generated_at=answer.created or ack.answered_at,
        latency_s=latency,
        cost_micros=answer.cost_micros,
        images=tuple(images),
    )


async def _images(
    kit: Kit, ack: Ack, answer: Delivered, generation_id: str | None, received: datetime
) -> tuple[ImageRecord, ...] | Unfinished:
    """A record for every billed image, those included that the answer does not mention."""

    async def relink() -> Delivered | None:
        if generation_id is None or not CATALOGUE[ack.claim.model].asynchronous:
            return None
        raw = await kit.api.poll(generation_id)
        again = read_poll(raw.status, raw.body)
        if isinstance(again, (Doubtful, Pending)):
            raise Unavailable(f"generation {generation_id}: the poll says nothing about its links")
        return again if isinstance(again, Delivered) else None

    results = await asyncio.gather(
        *(fetch(kit, ack.claim, image, received, relink) for image in answer.images), return_exceptions=True
    )
    records: list[ImageRecord] = []
    troubles: list[str] = []
    for result in results:
        if isinstance(result, ImageRecord):
            records.append(result)
        elif isinstance(result, Unfetched):
            troubles.append(result.why)
        elif isinstance(result, IdeoflowError):
            troubles.append(str(result))
            if isinstance(result, StorageTrouble):
                remedy = "make room or bring the storage back, then run again"
                kit.stop.ask(f"pictures cannot be stored: {result}", remedy)
        else:
            raise result
    if troubles:
        return Unfinished(f"{len(troubles)} of {len(results)} images not fetched yet: {troubles[0]}")
    present = {image.index for image in answer.images}
    missing = (index for index in range(ack.claim.images) if index not in present)
    records += [ImageRecord(index, ImageStatus.WITHHELD, flaw="absent from the answer") for index in missing]
    return tuple(sorted(records, key=lambda record: record.index))
