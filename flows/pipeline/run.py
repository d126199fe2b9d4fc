"""The run: finish what earlier runs left, buy what the plan says, seal on the way and at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence

from flows.errors import IdeoflowError
from flows.history.records import Entry
from flows.history.seal import SealResult
from flows.pipeline.buy import LeftOut, buy
from flows.pipeline.finish import Unfinished, finish
from flows.pipeline.kit import Kit, Progress
from flows.pipeline.tally import Tally
from flows.planner import Item, Plan

log = logging.getLogger(__name__)

WINDOW = 4
SEAL_TRIES = 20


async def run(kit: Kit, plan: Plan, abandoned: Sequence[Entry] = ()) -> Tally:
    """Carry out a plan. `abandoned` are open entries whose owner is dead; those with an answer are finished.

    Returns what happened. Errors of single requests are in the tally; a bug stops the run after everything
    that was sent has been recorded, and is then raised.
    """
    tally = Tally()
    bugs: list[BaseException] = []
    window = asyncio.Semaphore(WINDOW * kit.governor.limit)
    sealing = asyncio.create_task(_seal_now_and_then(kit, tally))
    tasks: set[asyncio.Task[None]] = set()

    async def one(order: tuple[Item, int]) -> None:
        try:
            await _order(kit, *order, tally)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  the others must still finish
            bugs.append(error)
            kit.stop.ask(f"a bug: {error!r}", "please report it")
        finally:
            window.release()

    try:
        recovery = asyncio.create_task(_recover(kit, abandoned, tally))
        for item, images in _orders(plan, kit.rules.images_per_request):
            await window.acquire()
            if kit.stop:
                window.release()
                tally.left_out(item.variant.name, images, kit.stop.reason or "stopped")
                continue
            task = asyncio.create_task(one((item, images)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        await recovery
    finally:
        sealing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sealing
        await seal(kit)
    if bugs:
        raise bugs[0]
    return tally


def _orders(plan: Plan, images_per_request: int) -> Iterator[tuple[Item, int]]:
    for item in plan.items:
        for start in range(0, item.buy, images_per_request):
            yield item, min(images_per_request, item.buy - start)


async def _order(kit: Kit, item: Item, images: int, tally: Tally) -> None:
    claim, result = await buy(kit, item, images)
    if result is None:
        tally.elsewhere(item.variant.name, images)
        return
    if isinstance(result, LeftOut) or claim is None:
        tally.left_out(item.variant.name, images, result.why if isinstance(result, LeftOut) else "stopped")
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
        if entry.ack is None or entry.ack.claim.origin != kit.origin:
            return
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

    await asyncio.gather(*(one(entry) for entry in abandoned))


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
    async with kit.sealing:
        result = await asyncio.to_thread(kit.sealer.seal, token=kit.new_id(), now=kit.now())
    if result.entries:
        log.debug("sealed %d requests with %d images", result.entries, result.images)
    return result
