"""Reproducing an image from beginning to end: what it would take, the purchase, and the links it leaves.

The purchase is an item of a plan like any other: claimed, journalled, capped and finished by the same pipeline. What
is its own is only how many are wanted, and that the links are the last thing written (see `history.reproduced`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow.compute as pc

from flows.campaign import steps
from flows.campaign.account import account
from flows.campaign.steps import Done, Prepared
from flows.errors import Refused, Unfinished
from flows.history import reproduced
from flows.history.named import image_named
from flows.history.standing import current
from flows.manifest.load import Loaded
from flows.manifest.variant import fingerprint
from flows.money.quotes import pricing
from flows.pipeline.doubt import abandoned, doubtful
from flows.pipeline.kit import Progress, Stop
from flows.pipeline.run import run
from flows.planner import Item, make_plan
from flows.report import RunReport
from flows.reproduction.repetition import Repetition, repetition, wanted
from flows.workspace import Workspace


@dataclass(frozen=True)
class Ask:
    """What somebody wants: an image, by id or part of one, again.

    `exact`: with the returned final prompt and seed rather than the request. `count`: so many reproductions in all,
    None for one more than there are.
    """

    image: str
    exact: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Outlook:
    """What reproducing would do.

    `row` is the original; `had` are its reproductions so far, `fresh` those of them that are not linked yet.
    `underway`: a living run is buying one right now.
    """

    ask: Ask
    row: Mapping[str, Any]
    repetition: Repetition
    prepared: Prepared
    had: tuple[str, ...]
    fresh: tuple[str, ...]
    underway: bool

    @property
    def item(self) -> Item:
        """The one line of the plan."""
        return self.prepared.plan.items[0]

    @property
    def paid(self) -> Decimal:
        """What the original cost, in US dollars."""
        return Decimal(str(self.row["cost_usd"]))


def prepare(ws: Workspace, ask: Ask) -> Outlook:
    """Read the books, and decide what to buy. Changes nothing."""
    if ask.count is not None and ask.count < 1:
        raise Refused("--count says how many reproductions there shall be in all: at least 1")
    origin = ws.settings.origin
    name = image_named(ws.parts, ask.image)
    [row] = current(ws.parts, where=pc.field("image_id") == name).to_pylist()
    what = repetition(row, exact=ask.exact, origin=origin)
    print_ = fingerprint(what.variant, origin)
    book = ws.desk().open([print_])
    storage_now = ws.history.now() if book.live else ws.now()
    ours = {entry.id: entry for entry in book.live if entry.origin in {None, origin}}
    doubts = {id_: why for id_, why in doubtful(book, storage_now).items() if id_ in ours}
    had = reproduced.images(ws.parts, book, print_)
    linked = reproduced.linked(ws.parts, print_)
    variant = replace(what.variant, count=wanted(book.of(print_), linked, had, ask.count))
    mine = {id_: why for id_, why in doubts.items() if ours[id_].fingerprint == print_}
    plan = make_plan([variant], origin, book, pricing(ws), doubtful=mine, ceilings=steps.ceilings(ws))
    left = tuple(entry for entry in abandoned(book, storage_now) if entry.id in ours and entry.fingerprint == print_)
    prepared = Prepared(Loaded((variant,)), plan, left, mine)
    dead = {entry.id for entry in left} | mine.keys()
    underway = any(entry.final is None and entry.id not in dead for entry in book.of(print_).live.values())
    fresh = tuple(image for image in had if image not in linked)
    return Outlook(ask, row, what, prepared, had, fresh, underway)


async def reproduce(
    ws: Workspace, outlook: Outlook, *, tell: Callable[[Progress], None], stop: Stop
) -> tuple[RunReport, str, tuple[str, ...]]:
    """Buy what the outlook says, and link it: the report, where it is, and the new images."""
    if outlook.underway and not outlook.prepared.plan.buy:
        raise Unfinished("another run is buying this reproduction right now: look again in a minute")
    prepared, run_id, started = outlook.prepared, ws.new_id(), ws.now()
    tell(Progress("planned", "", prepared.images))
    async with ws.api() as api:
        kit = ws.kit(api, run_id, tell, stop)
        if outlook.repetition.variant.seed is not None:
            # A seed is one picture's: of several in one request the vendor seeds the others by itself.
            kit = replace(kit, rules=replace(kit.rules, images_per_request=1))
        await asyncio.to_thread(kit.desk.open, [outlook.item.fingerprint])
        tally = await run(kit, prepared.plan, prepared.recoverable)
    done = Done(run_id, started, prepared, tally, stop.reason, stop.remedy, full=stop.full)
    done = await asyncio.to_thread(steps.measured, ws, done, tell)
    fresh = await asyncio.to_thread(_unlinked, ws, outlook)
    report = _worded(account(done, ws.now(), ws.assets.url, ws.history.url), outlook, fresh)
    report, where = await asyncio.to_thread(steps.publish, ws, report)
    # Last of all: until this is written, asking again finishes what this run began.
    await asyncio.to_thread(link, ws, outlook, fresh, run_id)
    return report, where, fresh


def link(ws: Workspace, outlook: Outlook, fresh: tuple[str, ...], run_id: str) -> int:
    """Say of new images whose reproduction they are: how many."""
    now = ws.now()
    rows = reproduced.rows(
        fresh,
        original=outlook.repetition.original,
        fingerprint=outlook.item.fingerprint,
        exact=outlook.repetition.exact,
        new_id=ws.new_id,
        at=now,
        run_id=run_id,
    )
    if rows:
        ws.parts.write("lifecycle", f"{now:%Y-%m}", rows)
    return len(rows)


def _unlinked(ws: Workspace, outlook: Outlook) -> tuple[str, ...]:
    print_ = outlook.item.fingerprint
    book = ws.desk().open([print_])
    linked = reproduced.linked(ws.parts, print_)
    return tuple(image for image in reproduced.images(ws.parts, book, print_) if image not in linked)


def _worded(report: RunReport, outlook: Outlook, fresh: tuple[str, ...]) -> RunReport:
    """The report in the words of this verb: what to do next names it."""
    again = f"ideoflow reproduce {outlook.row['image_id']}" + (" --exact" if outlook.ask.exact else "")
    next_step = report.next_step.replace("ideoflow generate", again)
    if not report.exit_code:
        next_step = f"`ideoflow whois {fresh[-1]}` tells its story" if fresh else f"`{again}` makes one more"
    return replace(report, flow="reproduce", next_step=next_step)
