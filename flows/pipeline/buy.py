"""Buying: claim, check, post once, record the answer. What happens after the answer is `finish`'s business."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from flows.budget.limits import Booking, Caps
from flows.budget.prices import micros
from flows.errors import IdeoflowError, MaybeSent, NotSent, StorageTrouble
from flows.history.claims import Unsettled
from flows.history.records import Ack, Claim, End, Entry, Labels, Outcome, Step, claimed_micros, encoded, settled_micros
from flows.ideogram.answers import Accepted, Decline, Declined, Failed
from flows.ideogram.catalogue import request_body
from flows.ids import time_of
from flows.pipeline import funds
from flows.pipeline.answered import reading
from flows.pipeline.finish import Unfinished, declined, finish
from flows.pipeline.governor import Place
from flows.pipeline.kit import Kit, Progress
from flows.pipeline.record import disown, put
from flows.pipeline.till import Short
from flows.planner import Item

log = logging.getLogger(__name__)

CROWDED_TRIES = 3
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class LeftOut:
    """Nothing was sent, and why. `capped`: a cap of the budget was in the way."""

    why: str
    remedy: str = ""
    capped: bool = False


Bought = End | Unfinished | LeftOut | None
"""None: nothing was missing any more."""


async def buy(kit: Kit, item: Item, images: int) -> tuple[Claim | None, Bought]:
    """Buy up to that many images of an item with one request that runs, trying again what provably did not."""
    tries, busy_since, crowded = 0, None, 0
    while True:
        if why := _closed(kit, item):
            return None, LeftOut(why)
        async with kit.governor.hold(images) as place:
            if why := _closed(kit, item) or await asyncio.to_thread(_no_room, kit):
                return None, LeftOut(why)
            booking = await _asked(kit, kit.till.admit, micros(item.each * images), images)
            if isinstance(booking, Short):
                return None, _capped(booking)
            claim, result = await _request(kit, item, images, place, booking)
            kit.till.settle(booking, *_spent(claim, result))
        if isinstance(result, LeftOut):
            # Runs that claim at once may both find the cap exceeded, and both step back though one would fit.
            crowded += 1
            if crowded >= CROWDED_TRIES:
                return None, result
            await kit.sleep(crowded * (0.2 + kit.random()))
            continue
        if isinstance(result, End) and result.outcome is Outcome.REFUSED:
            # The same prompt would be refused again, and refusals are held against the account.
            kit.closed[item.fingerprint] = "refused as unsafe just now; change the prompt"
        if claim is None or not isinstance(result, End) or result.outcome is not Outcome.VOID:
            return claim, result
        if result.status == 429:
            busy_since = busy_since if busy_since is not None else kit.uptime()
            if kit.uptime() - busy_since > kit.rules.busy_s:
                return claim, result
            continue
        tries += 1
        if tries >= kit.rules.void_tries or _hopeless(result):
            return claim, result
        if not result.answered:
            await kit.sleep(2**tries * (0.5 + kit.random()))


def _closed(kit: Kit, item: Item) -> str:
    if kit.stop:
        return kit.stop.reason or "stopped"
    return kit.closed.get(item.variant.model, "") or kit.closed.get(item.fingerprint, "")


def _no_room(kit: Kit) -> str:
    """No claim without space for what is in flight already and for this one."""
    needed = kit.rules.reserve_bytes + (kit.governor.in_flight + 1) * kit.rules.image_bytes
    for storage in (kit.assets, kit.history):
        free = storage.free_bytes()
        if free is not None and free < needed:
            why = f"only {free >> 20} MB free on {storage.url}, {needed >> 20} MB needed"
            kit.stop.ask(why, "make room (or lower storage.reserve_mb) and run again", full=True)
            return why
    return ""


def _hopeless(end: End) -> bool:
    """The very same request would be turned away again."""
    return end.status is not None and 400 <= end.status < 500


def _spent(claim: Claim | None, result: Bought) -> tuple[int, int]:
    """What it cost in micro-dollars, and how many images it counts for; all of it where that is not known."""
    if claim is None or result is None or isinstance(result, LeftOut):
        return 0, 0
    if isinstance(result, End):
        return settled_micros(result), claim.images if result.outcome.counted else 0
    return claimed_micros(claim), claim.images


def _capped(short: Short) -> LeftOut:
    return LeftOut(f"{short.words} is reached", Caps.remedy(short.cap), capped=True)


async def _request(kit: Kit, item: Item, images: int, place: Place, booking: Booking) -> tuple[Claim | None, Bought]:
    """One claim and what came of it. Raises errors.Unfinished where nothing was sent because of the books."""
    began = kit.uptime()
    try:
        claim = await asyncio.to_thread(
            kit.desk.take,
            item.fingerprint,
            wanted=item.until,
            at_most=images,
            make=lambda n, count: _claim(kit, item, n, count),
        )
    except Unsettled as trouble:
        kit.stop.ask(str(trouble), "see to the storage, then run again")
        await disown(kit, trouble.claim, str(trouble))
        raise
    if claim is None:
        return None, None
    if short := await _confirmed(kit, claim, booking):
        return claim, short
    try:
        return claim, await _claimed(kit, item, claim, place, began)
    except StorageTrouble as trouble:
        return claim, Unfinished(f"what became of it could not be recorded: {trouble}")


async def _asked(kit: Kit, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The till's answer, from a thread only where it may have to read the books."""
    if kit.till.looks:
        return await asyncio.to_thread(question, *args, **kwargs)
    return question(*args, **kwargs)


async def _confirmed(kit: Kit, claim: Claim, booking: Booking) -> LeftOut | None:
    """With the claim on storage, what everybody has spent decides; a claim beyond a cap ends void, unsent."""
    try:
        short = await _asked(kit, kit.till.confirm, booking, time_of(claim.request_id))
    except IdeoflowError as trouble:
        kit.stop.ask(str(trouble), "see to the storage, then run again")
        await _void(kit, claim, f"the caps could not be checked: {trouble}")
        raise
    if short is None:
        return None
    left_out = _capped(short)
    await _void(kit, claim, f"never sent: {left_out.why}")
    return left_out


async def _claimed(kit: Kit, item: Item, claim: Claim, place: Place, began: float) -> Bought:
    if kit.stop or kit.uptime() - began > kit.rules.claim_to_post_s:
        # Others may hold this claim for dead by now: a request sent late could be paid twice.
        return await _void(kit, claim, kit.stop.reason or "the machine slept before it was sent")
    deadline = kit.rules.synchronous_s if item.variant.endpoint.synchronous else kit.rules.submit_s
    try:
        answer = await kit.api.submit(claim.path, claim.body, deadline_s=deadline)
    except NotSent as error:
        return await _void(kit, claim, str(error))
    except MaybeSent as error:
        kit.tell(Progress("doubt", claim.labels.variant, claim.images))
        return Unfinished(str(error), doubt=True)
    text, binary = encoded(answer.body)
    ack = Ack(
        request_id=claim.request_id,
        claim=claim,
        answered_at=kit.now(),
        status=answer.status,
        body=text,
        binary=binary,
        x_request_id=answer.request_id,
        elapsed_s=answer.elapsed_s,
    )
    turned_away = reading(ack)
    if isinstance(turned_away, (Declined, Failed)):
        return await _turned_away(kit, ack, turned_away, place)
    place.accepted()
    return await _answered(kit, ack, place)


async def _answered(kit: Kit, ack: Ack, place: Place) -> Bought:
    """Record the answer; while the storage will not take it, go on fetching what it paid for."""
    claim = ack.claim
    kit.unrecorded[claim.request_id] = ack.body[:2000]
    recording = asyncio.create_task(put(kit, Step.ACK, ack))
    recording.add_done_callback(lambda task: _recorded(kit, claim, task))
    await asyncio.wait({recording}, timeout=5)
    if not recording.done():
        # Said now, because whoever kills us gives no time for it later.
        log.warning("the answer to request %s is not on record yet. %s", claim.request_id, _by_hand(ack))
    result: Bought
    try:
        result = await finish(kit, Entry(claim.fingerprint, claim.n, claim=claim, ack=ack), ack, place)
    except StorageTrouble as trouble:
        result = Unfinished(str(trouble))
    if isinstance(result, End) and not result.outcome.counted:
        await asyncio.to_thread(kit.desk.release, claim)
    try:
        await recording
    except StorageTrouble as trouble:
        return Unfinished(f"its answer could not be recorded: {trouble}. {_by_hand(ack)}", doubt=True)
    return result


def _by_hand(ack: Ack) -> str:
    """How a person puts an answer on record that we could not."""
    answer = reading(ack)
    if isinstance(answer, Accepted):
        order = f"ideoflow recover --generation {answer.generation_id} --request {ack.request_id}"
        return f"Should this run end without it, bring the storage back, then `{order}`"
    return "Should this run end without it, its pictures are on storage and `ideoflow recover` settles it"


def _recorded(kit: Kit, claim: Claim, task: asyncio.Task[bool]) -> None:
    if not task.cancelled() and task.exception() is None:
        kit.unrecorded.pop(claim.request_id, None)


async def _turned_away(kit: Kit, ack: Ack, answer: Declined | Failed, place: Place) -> End:
    end = declined(ack, answer, kit.now())
    if isinstance(answer, Declined):
        match answer.decline:
            case Decline.BUSY:
                place.refused(answer.max_inflight)
            case Decline.KEY:
                kit.stop.ask(f"the API key was refused: {answer.message}", "check IDEOGRAM_API_KEY, then run again")
            case Decline.FUNDS:
                kit.stop.ask(*funds.words(answer.reject_reason, answer.message))
            case Decline.FORBIDDEN:
                kit.closed[ack.claim.model] = f"the key may not use {ack.claim.model}: {answer.message}"
            case Decline.UNSAFE | Decline.INVALID:
                pass
    await _end(kit, end)
    return end


async def _void(kit: Kit, claim: Claim, reason: str) -> End:
    """The end of a claim that was never sent."""
    end = End(claim.request_id, claim, kit.now(), Outcome.VOID, answered=False, reason=reason)
    await _end(kit, end)
    return end


async def _end(kit: Kit, end: End) -> None:
    await put(kit, Step.END, end)
    await asyncio.to_thread(kit.desk.release, end.claim)


def _claim(kit: Kit, item: Item, n: int, images: int) -> Claim:
    variant = item.variant
    options = dict(variant.options)
    body = request_body(
        variant.endpoint,
        prompt=variant.prompt,
        options=options,
        seed=variant.seed,
        images=images,
        private=kit.rules.private,
    )
    labels = Labels(
        prompt_id=variant.prompt_id,
        variant=variant.name,
        prompt=variant.prompt,
        brand=variant.brand,
        campaign=variant.campaign,
        tags=variant.tags,
        negative_prompt=options.get("negative_prompt"),
        lettering=variant.lettering,
        aspect_ratio=variant.aspect_ratio,
        resolution=options.get("size") or options.get("resolution"),
        options=options,
        seed=variant.seed,
        edition=variant.edition,
        retention=variant.retention,
    )
    return Claim(
        request_id=kit.new_id(),
        run_id=kit.run_id,
        fingerprint=item.fingerprint,
        n=n,
        images=images,
        origin=kit.origin,
        model=variant.model,
        path=variant.endpoint.path,
        body=body,
        labels=labels,
        name_template=kit.rules.name_template,
        price_usd=item.each,
        price_source=item.price_source,
        claimed_at=kit.now(),
        owner=kit.owner,
    )
