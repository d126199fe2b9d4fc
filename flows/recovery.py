"""Finishing what earlier runs left, and settling doubt when a person says how. For the `recover` command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flows.errors import Refused
from flows.history.records import Entry
from flows.ids import time_of
from flows.pipeline.doubt import abandoned, doubtful
from flows.pipeline.kit import Kit, Progress, Stop
from flows.pipeline.run import run
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
    """Carry out the verdicts, then finish every answered request whose run is dead, then seal."""
    async with ws.api() as api:
        kit = ws.kit(api, ws.new_id(), tell, stop)
        open_, reasons = await asyncio.to_thread(_open, ws)
        in_doubt = [entry for entry in open_ if _id(entry) in reasons]
        resubmitted = await resubmit(kit, _chosen(in_doubt, verdicts.resubmit), "in doubt, resubmitted on request")
        written_off = await write_off(kit, _chosen(in_doubt, verdicts.write_off), "in doubt, written off on request")
        await _adopt(kit, in_doubt, verdicts)
        open_, _ = await asyncio.to_thread(_open, ws)
        tally = await run(kit, Plan(kit.origin, (), {}), open_)
    left = await asyncio.to_thread(doubts, ws)
    return Recovered(tally, resubmitted, written_off, tuple(left), stop.reason)


def doubts(ws: Workspace) -> list[Doubt]:
    """Everything in doubt now, oldest first."""
    open_, reasons = _open(ws)
    found = []
    for entry in open_:
        why = reasons.get(_id(entry))
        if why is None:
            continue
        claim = entry.request
        if claim is None:
            found.append(Doubt(_id(entry), "", entry.counted, Decimal(0), None, why))
            continue
        usd = claim.price_usd * claim.images
        asked = time_of(claim.request_id)
        found.append(Doubt(claim.request_id, claim.labels.variant, claim.images, usd, asked, why))
    return sorted(found, key=lambda doubt: doubt.request_id)


def _open(ws: Workspace) -> tuple[list[Entry], dict[str, str]]:
    book = ws.desk().open(())
    if not book.live:
        return [], {}
    now = ws.history.now()
    reasons = doubtful(book, now)
    mine = {_id(entry): entry for entry in abandoned(book, now)}
    mine |= {_id(entry): entry for entry in book.live if _id(entry) in reasons}
    return list(mine.values()), reasons


def _id(entry: Entry) -> str:
    return entry.request.request_id if entry.request else f"{entry.fingerprint}-{entry.n}"


def _chosen(entries: Sequence[Entry], named: Iterable[str]) -> list[Entry]:
    chosen: list[Entry] = []
    for name in named:
        found = [entry for entry in entries if name == ALL or _id(entry).startswith(name)]
        if not found and name != ALL:
            raise Refused(f"no request in doubt is called {name}: `ideoflow recover` lists them")
        if len(found) > 1 and name != ALL:
            raise Refused(f"{name} could be {len(found)} requests: give more of the id")
        chosen += found
    return chosen


async def _adopt(kit: Kit, in_doubt: Sequence[Entry], verdicts: Verdicts) -> None:
    if verdicts.generation is None:
        return
    candidates = _chosen(in_doubt, [verdicts.request]) if verdicts.request else list(in_doubt)
    if len(candidates) != 1:
        doubts_ = f"{len(candidates)} requests are in doubt"
        raise Refused(f"{doubts_}: say with --request which one generation {verdicts.generation} answers")
    await adopt(kit, candidates[0], verdicts.generation)
