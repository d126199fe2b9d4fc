"""Finishing what earlier runs left, and settling doubt when a person says how. For the `recover` command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pyarrow.compute as pc

from flows.errors import IdeoflowError, Refused
from flows.history.fold import Book
from flows.history.records import Entry
from flows.ideogram.answers import Accepted
from flows.ids import time_of
from flows.pipeline.answered import reading
from flows.pipeline.doubt import abandoned, doubtful
from flows.pipeline.kit import Progress, Stop
from flows.pipeline.run import THE_RUN, run
from flows.pipeline.settle import adopt, resubmit, write_off
from flows.pipeline.tally import Tally
from flows.planner import Plan
from flows.workspace import Workspace

ALL = "all"


@dataclass(frozen=True)
class Verdicts:
    """What a person decided: request ids (or their beginnings, or ``all``) per verdict."""

    resubmit: tuple[str, ...] = ()
    write_off: tuple[str, ...] = ()
    generation: str | None = None
    request: str | None = None


@dataclass(frozen=True)
class Doubt:
    """One request nobody can settle but a person. `usd` is what it may have cost."""

    request_id: str
    variant: str
    images: int
    usd: Decimal
    asked_at: datetime | None
    why: str


@dataclass(frozen=True)
class Recovered:
    """What recover did, and what is still in doubt."""

    tally: Tally
    resubmitted: int
    written_off: int
    doubts: tuple[Doubt, ...]
    stopped: str | None = None


async def recover(ws: Workspace, verdicts: Verdicts, tell: Callable[[Progress], None], stop: Stop) -> Recovered:
    """Carry out the verdicts, then finish every answered request whose run is dead, then seal.

    Where nothing is open, no API is needed, nor a key, and nothing is written.
    """
    book = await asyncio.to_thread(ws.desk().open, ())
    open_, reasons = await asyncio.to_thread(_left, ws, book)
    in_doubt = [entry for entry in open_ if entry.id in reasons]
    # Every name is looked up before anything is settled: a slip in the second must not half-do the first.
    again, lost = _chosen(in_doubt, verdicts.resubmit), _chosen(in_doubt, verdicts.write_off)
    answered = _answered(in_doubt, verdicts)
    _distinct(again, lost, answered)
    await asyncio.to_thread(_nobodys, ws, book, answered, verdicts.generation)
    if not (again or lost or answered or len(open_) > len(in_doubt)):
        tally = await asyncio.to_thread(_sealed, ws, book)
        return Recovered(tally, 0, 0, _told(open_, reasons), stop.reason)
    async with ws.api() as api:
        kit = ws.kit(api, ws.new_id(), tell, stop)
        resubmitted = await resubmit(kit, again, "in doubt, resubmitted on request")
        written_off = await write_off(kit, lost, "in doubt, written off on request")
        adopted = [await adopt(kit, entry, verdicts.generation or "") for entry in answered]
        open_, reasons = await asyncio.to_thread(_open, ws)
        names = reasons.keys() | {entry.id for entry in adopted}
        ready = [*(entry for entry in open_ if entry.id not in names), *adopted]
        tally = await run(kit, Plan(kit.origin, (), {}), ready)
    left = await asyncio.to_thread(doubts, ws)
    return Recovered(tally, resubmitted, written_off, tuple(left), stop.reason)


def _sealed(ws: Workspace, book: Book) -> Tally:
    """Nothing is to be finished; what has ended may still have to leave the journal."""
    tally = Tally()
    if any(entry.final is not None for entry in book.live) or book.rubbish:
        run_id = ws.new_id()
        try:
            ws.sealer(run_id).seal(token=run_id, now=ws.now())
        except IdeoflowError as trouble:
            tally.undone = True
            tally.troubles.add(f"the history could not be written: {trouble}", THE_RUN, "nothing is lost: run again")
    return tally


def doubts(ws: Workspace) -> list[Doubt]:
    """Everything in doubt now, oldest first."""
    return list(_told(*_open(ws)))


def _told(open_: Sequence[Entry], reasons: Mapping[str, str]) -> tuple[Doubt, ...]:
    found: list[Doubt] = []
    for entry in open_:
        why = reasons.get(entry.id)
        if why is None:
            continue
        claim = entry.request
        if claim is None:
            found.append(Doubt(entry.id, "", entry.counted, Decimal(0), None, why))
            continue
        usd = claim.price_usd * claim.images
        asked = time_of(claim.request_id)
        found.append(Doubt(claim.request_id, claim.labels.variant, claim.images, usd, asked, why))
    return tuple(sorted(found, key=lambda doubt: doubt.request_id))


def _open(ws: Workspace) -> tuple[list[Entry], dict[str, str]]:
    return _left(ws, ws.desk().open(()))


def _left(ws: Workspace, book: Book) -> tuple[list[Entry], dict[str, str]]:
    """Entries that no living run will settle, and of those in doubt why they are."""
    if all(entry.final is not None for entry in book.live):
        return [], {}
    now = ws.history.now()
    reasons = doubtful(book, now)
    mine = {entry.id: entry for entry in abandoned(book, now)}
    mine |= {entry.id: entry for entry in book.live if entry.id in reasons}
    # Those of another API are settled with the settings of that API.
    return [entry for entry in mine.values() if entry.origin in {None, ws.settings.origin}], reasons


def _chosen(entries: Sequence[Entry], named: Iterable[str]) -> list[Entry]:
    chosen: dict[str, Entry] = {}
    for name in named:
        found = [entry for entry in entries if _means(name, entry)]
        if not found and name != ALL:
            raise Refused(f'no request in doubt is called "{name}": `ideoflow recover` lists them')
        if len(found) > 1 and name != ALL:
            raise Refused(f'"{name}" could be {len(found)} requests: give more of the id')
        chosen |= {entry.id: entry for entry in found}
    return list(chosen.values())


def _means(name: str, entry: Entry) -> bool:
    if name == ALL:
        return entry.request is not None
    return bool(name) and entry.id.startswith(name)


def _answered(in_doubt: Sequence[Entry], verdicts: Verdicts) -> list[Entry]:
    """The one request that the generation answers, if a generation was given."""
    if verdicts.generation is None:
        if verdicts.request is not None:
            raise Refused("--request says which request --generation answers: give both")
        return []
    candidates = _chosen(in_doubt, [verdicts.request]) if verdicts.request else list(in_doubt)
    if not candidates:
        raise Refused(f"no request is in doubt that generation {verdicts.generation} could answer")
    if len(candidates) > 1:
        doubts_ = f"{len(candidates)} requests are in doubt"
        raise Refused(f"{doubts_}: say with --request which one generation {verdicts.generation} answers")
    return candidates


def _nobodys(ws: Workspace, book: Book, answered: Sequence[Entry], generation: str | None) -> None:
    """A generation that answered another request is not this one's answer: its pictures would stand for both."""
    for entry in answered:
        ours = pc.field("generation_id") == generation
        rows = ws.parts.rows("requests", ["request_id", "generation_id"], ours)["request_id"].to_pylist()
        acks = (one.ack for one in book.live if one.ack is not None)
        found = [
            ack.request_id
            for ack in acks
            if isinstance(read := reading(ack), Accepted) and read.generation_id == generation
        ]
        if other := next((one for one in (*rows, *found) if one != entry.id), None):
            raise Refused(f"the generation {generation} is the answer to request {other}, not to {entry.id}")


def _distinct(*verdicts: Sequence[Entry]) -> None:
    """One request has one fate, and one that cannot be read none that could be recorded."""
    for entry in (entry for entries in verdicts for entry in entries if entry.request is None):
        name = entry.names[0].path if entry.names else entry.id
        raise Refused(f"{entry.id} cannot be read: look at .journal/{name} in the history, restore or delete it")
    seen: set[str] = set()
    for entries in verdicts:
        ids = {entry.id for entry in entries}
        if both := seen & ids:
            raise Refused(f"{min(both)} was given two verdicts: decide on one")
        seen |= ids
