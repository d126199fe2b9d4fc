"""The run: finish what earlier runs left, buy what the plan says, seal on the way and at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from flows import heaps
from flows.errors import IdeoflowError
from flows.errors import Unfinished as NoFurther
from flows.history.records import Claim, Entry
from flows.history.seal import SealResult
from flows.ideogram.answers import Doubtful
from flows.pipeline.answered import reading
from flows.pipeline.buy import LeftOut, buy
from flows.pipeline.finish import Unfinished, finish
from flows.pipeline.imported import finish_import
from flows.pipeline.kit import Kit, Progress
from flows.pipeline.tally import Tally
from flows.planner import Item, Plan

log = logging.getLogger(__name__)

WINDOW = 4
SEAL_TRIES = 20
THE_RUN = "the whole run"


async def run(kit: Kit, plan: Plan, abandoned: Sequence[Entry] = ()) -> Tally:
    """Carry out a plan. `abandoned` are open entries whose owner is dead; those with an answer are finished.

    Returns what happened. Errors of single requests are in the tally; a bug stops the run after everything
    that was sent has been recorded, and is then raised. So does being cancelled; being cancelled once more
    while that goes on leaves what was sent to the next run. Raises Refused, with nothing begun, where the journal's
    storage turns out not to create exclusively.
    """
    if plan.buy:
        await asyncio.to_thread(kit.journal.prove)
    tally = Tally()
    crew = _Crew(kit)
    sealing = asyncio.create_task(_seal_now_and_then(kit, tally))
    try:
        try:
            crew.hire(_recover(kit, abandoned, tally))
            await _buy_all(kit, plan, crew, tally)
            await crew.finished()
        except asyncio.CancelledError:
            kit.stop.ask("cancelled", "run again, it goes on from here")
            await crew.finished()
            raise
    finally:
        sealing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sealing
        await _seal_at_the_end(kit, tally)
    if crew.bugs:
        raise crew.bugs[0]
    return tally


class _Crew:
    """Tasks that nobody else cancels: each either ends by itself or leaves its bug here, and the others go on."""

    def __init__(self, kit: Kit) -> None:
        self.bugs: list[BaseException] = []
        self._kit = kit
        self._tasks: set[asyncio.Task[None]] = set()

    def hire(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._watched(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finished(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  the others must still finish
            self.bugs.append(error)
            self._kit.stop.ask(f"a bug: {error!r}", "please report it")


async def _buy_all(kit: Kit, plan: Plan, crew: _Crew, tally: Tally) -> None:
    """Set all orders going, but only so many at a time: memory must not grow with the plan."""
    window = asyncio.Semaphore(WINDOW * kit.governor.limit)

    async def one(item: Item, images: int) -> None:
        try:
            await _order(kit, item, images, tally)
        finally:
            window.release()

    for item, images in _orders(plan, kit.rules.images_per_request):
        await window.acquire()
        if kit.stop:
            window.release()
            tally.left_out(item.variant.name, images, kit.stop.reason or "stopped")
        else:
            crew.hire(one(item, images))


def _orders(plan: Plan, images_per_request: int) -> Iterator[tuple[Item, int]]:
    for item in plan.items:
        for start in range(0, item.buy, images_per_request):
            yield item, min(images_per_request, item.buy - start)


async def _order(kit: Kit, item: Item, images: int, tally: Tally) -> None:
    try:
        claim, result = await buy(kit, item, images)
    except NoFurther as trouble:  # the books cannot be read or written: nothing was sent, and nothing will be
        kit.stop.ask(str(trouble), "see to the storage, then run again")
        tally.left_out(item.variant.name, images, str(trouble))
        return
    if result is None:
        tally.elsewhere(item.variant.name, images)
        return
    if isinstance(result, LeftOut) or claim is None:
        left = result if isinstance(result, LeftOut) else LeftOut("stopped")
        tally.left_out(item.variant.name, images, left.why, left.remedy)
        tally.cap_remedy = tally.cap_remedy or (left.remedy if left.capped else "")
        return
    tally.elsewhere(item.variant.name, images - claim.images)
    if isinstance(result, Unfinished):
        tally.unfinished(claim, result, recovered=False)
        return
    tally.ended(claim, result, recovered=False)
    kit.tell(Progress(str(result.outcome), item.variant.name, claim.images))


async def _recover(kit: Kit, abandoned: Sequence[Entry], tally: Tally) -> None:
    """Finish what was paid for by runs that are dead. Their links are the oldest, so this goes beside the buying."""
    together = asyncio.Semaphore(WINDOW * kit.governor.limit)

    async def one(entry: Entry) -> None:
        if entry.request is not None and entry.request.imported:
            await _finish_import(kit, entry, entry.request, tally)
            return
        if entry.ack is None or entry.ack.claim.origin != kit.origin:
            return
        if isinstance(reading(entry.ack), Doubtful):
            return  # nothing to follow: the plan tells of it, and a person settles it
        async with together:
            place = kit.governor.occupy(entry.ack.claim.images)
            try:
                result = await finish(kit, entry, entry.ack, place)
            except IdeoflowError as error:
                result = Unfinished(str(error))
            finally:
                place.release()
        if isinstance(result, Unfinished):
            tally.unfinished(entry.ack.claim, result, recovered=True)
        else:
            tally.ended(entry.ack.claim, result, recovered=True)
            kit.tell(Progress("recovered", entry.ack.claim.labels.variant, entry.ack.claim.images))

    crew = _Crew(kit)
    for entry in abandoned:
        crew.hire(one(entry))
    await crew.finished()
    if crew.bugs:
        raise crew.bugs[0]


async def _finish_import(kit: Kit, entry: Entry, claim: Claim, tally: Tally) -> None:
    try:
        end = await finish_import(kit, entry, claim)
    except IdeoflowError as error:
        tally.unfinished(claim, Unfinished(str(error)), recovered=True)
        return
    tally.ended(claim, end, recovered=True)
    kit.tell(Progress("recovered", claim.labels.variant, claim.images))


async def _seal_now_and_then(kit: Kit, tally: Tally) -> None:
    """Seal after so many entries or so long, whichever comes first: the journal stays short in a long run."""
    last, sealed = kit.uptime(), 0
    while True:
        await kit.sleep(1)
        pending = tally.requests - sealed
        if pending >= kit.rules.seal_entries or (pending and kit.uptime() - last >= kit.rules.seal_s):
            last, sealed = kit.uptime(), tally.requests
            with contextlib.suppress(IdeoflowError):  # the end of the run tries again, and says so if it fails
                await asyncio.shield(_seal_once(kit))


async def _seal_at_the_end(kit: Kit, tally: Tally) -> None:
    """What cannot be sealed now is safe in the journal: said, but no reason to lose the run's report."""
    try:
        result = await seal(kit)
    except IdeoflowError as error:
        kit.stop.ask(f"the history could not be written: {error}", "see to the storage, then run again")
        tally.undone = True
        tally.troubles.add(f"the history could not be written: {error}", THE_RUN, "nothing is lost: run again")
        return
    if result.held_elsewhere:
        why = "another run is writing the history, so what this one did is still in the journal"
        tally.troubles.add(why, THE_RUN, "any later run records it")


async def seal(kit: Kit) -> SealResult:
    """Seal all that has ended, waiting a little for another sealer. What stays unsealed is safe in the journal."""
    result = await _seal_once(kit)
    for attempt in range(SEAL_TRIES):
        if not result.held_elsewhere:
            return result
        await kit.sleep(0.05 * (attempt + 1))
        result = await _seal_once(kit)
    return result


async def _seal_once(kit: Kit) -> SealResult:
    def work() -> SealResult:
        try:
            return kit.sealer.seal(token=kit.new_id(), now=kit.now())
        finally:
            heaps.trim()

    result = await asyncio.get_running_loop().run_in_executor(kit.sealing, work)
    if result.entries:
        log.debug("sealed %d requests with %d images", result.entries, result.images)
    return result
