"""What a run consists of: read, plan, carry out, measure, report. Plain functions that flows and commands share.

Prefect wraps them at the edge; nothing here knows that it exists. Each step takes a workspace and values and
returns values, so that any of them can be called from a notebook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from flows import labels
from flows.budget.limits import Budget, Cap, Spent
from flows.errors import HistoryBusy, Refused, StorageFull, Unfinished
from flows.history import replaced
from flows.history.claims import ClaimDesk
from flows.history.fold import Book
from flows.history.holdings import Holdings, look
from flows.history.parts import READING_TRIES, Months
from flows.history.records import Entry
from flows.history.view import Names
from flows.manifest.load import Loaded
from flows.manifest.variant import Variant, fingerprint
from flows.money.quotes import pricing
from flows.pipeline.doubt import abandoned, doubtful
from flows.pipeline.unrecorded import unrecorded
from flows.planner import Ceiling, Plan, make_plan, select
from flows.report import RunReport, to_json, to_markdown, words
from flows.report.filing import file
from flows.workspace import Workspace

if TYPE_CHECKING:
    from flows.pipeline.kit import Progress, Stop
    from flows.pipeline.tally import Tally

RETRIED = ("withheld", "lost")


@dataclass(frozen=True)
class Ask:
    """What somebody wants of a run. Empty lists mean all; `limit` is in images.

    `retry` names fates (withheld, lost) of paid images that are to be bought again.
    """

    manifests: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    limit: int | None = None
    retry: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """A plan, and the open entries of earlier runs that nobody is working on any more.

    `doubts` says why a request is in doubt, by its id; `strays` are those that no item of the plan counts, since
    their prompt was not selected or has left the manifest. `names` is what the pictures of the manifest's fingerprints
    are called; `desk` has read the books, and need only read on.
    """

    loaded: Loaded
    plan: Plan
    abandoned: tuple[Entry, ...]
    doubts: Mapping[str, str]
    strays: tuple[Entry, ...] = ()
    names: Mapping[str, Names] = field(default_factory=dict, repr=False)
    desk: ClaimDesk | None = field(default=None, repr=False, compare=False)

    @property
    def recoverable(self) -> tuple[Entry, ...]:
        """What this run can finish for the dead: answered, and the answer says something; or only to be taken over."""
        ours = (entry for entry in self.abandoned if entry.ack or entry.imported)
        return tuple(entry for entry in ours if entry.id not in self.doubts)

    @property
    def images(self) -> int:
        """How many images arrive if all goes well: bought, and finished for the dead."""
        return self.plan.buy + sum(entry.counted for entry in self.recoverable)


@dataclass(frozen=True)
class Done:
    """What a run did, under which id, and when it began. `full`: it was stopped for want of space."""

    run_id: str
    started_at: datetime
    prepared: Prepared
    tally: Tally
    stopped: str | None = None
    remedy: str = ""
    resubmitted: int = 0
    full: bool = False


def chosen(ws: Workspace, ask: Ask) -> tuple[Loaded, tuple[Variant, ...]]:
    """The manifests, and those of their variants that are asked for."""
    loaded = ws.manifests(ask.manifests)
    variants = select(loaded.variants, ask.select)
    if ask.select and not variants:
        raise Refused(f"nothing in the manifest is called {', '.join(ask.select)}: try a prompt id, tag: or campaign:")
    return loaded, variants


def prepare(ws: Workspace, ask: Ask, desk: ClaimDesk | None = None) -> Prepared:
    """Read the manifests and the books, and decide what to buy. Changes nothing.

    At a `desk` that has read the books before, only what has come since is read.
    """
    loaded, variants = chosen(ws, ask)
    origin = ws.settings.origin
    prints = {fingerprint(variant, origin) for variant in loaded.variants}
    if unknown := set(ask.retry) - set(RETRIED):
        raise Refused(f"--retry takes {' and '.join(RETRIED)}, not {', '.join(sorted(unknown))}")
    prices = pricing(ws)
    desk = desk or ws.desk()
    # Whoever names manifests shows a part of what is wanted: the rest has not left.
    book, held = _books(ws, desk, prints, departed=not ask.manifests)
    # The storage's clock costs a write, and matters only while something is open.
    storage_now = ws.history.now() if book.live else ws.now()
    # What is open at another API is settled with the settings of that API.
    ours = {entry.id: entry for entry in book.live if entry.origin in {None, origin}}
    doubts = {name: why for name, why in doubtful(book, storage_now).items() if name in ours}
    plan = make_plan(
        variants,
        origin,
        book,
        prices,
        doubtful=doubts,
        departed=held.departed,
        retry=replaced.candidates(held.images, book, prints, ask.retry),
        limit=ask.limit,
        ceilings=ceilings(ws),
        warnings=loaded.warnings,
    )
    _expected(ws, plan, book)
    planned = {item.fingerprint for item in plan.items}
    return Prepared(
        loaded,
        plan,
        tuple(entry for entry in abandoned(book, storage_now) if entry.id in ours),
        doubts,
        tuple(ours[name] for name in sorted(doubts) if ours[name].fingerprint not in planned),
        held.names,
        desk,
    )


def _expected(ws: Workspace, plan: Plan, book: Book) -> None:
    """A history that has never heard of anything is believed only where no paid picture says otherwise."""
    if not plan.buy or ws.settings.sandboxed or book.live or ws.parts.listing("requests"):
        return
    wanted = {item.fingerprint for item in plan.items if item.buy}
    if found := unrecorded(ws.assets, plan.origin, wanted):
        raise Refused(
            f"{ws.history.url} has no history, but pictures that this would buy lie at {ws.assets.url}, paid for "
            f"already (such as {found[0].removesuffix('.json')}). Is its disk mounted, is storage.history the right "
            "place? If the history is lost, move those pictures to another folder and `ideoflow import` them"
        )


def ceilings(ws: Workspace) -> tuple[Ceiling, ...]:
    """What is left below each cap before this run spends anything."""
    caps, now = ws.caps, ws.now()
    budget = Budget(caps, ws.settings.generate.zone)
    if caps.shared:
        day = budget.day_of(now)
        budget.know(budget.begin(), Spent(day, *ws.spending().read(day)))
    found = []
    for cap in Cap:
        left = budget.left(cap, now)
        if left is not None:
            shared = f" ({words.money(Decimal(max(0, left)) / 1_000_000)} left)" if cap in (Cap.DAY, Cap.MONTH) else ""
            found.append(Ceiling(cap, caps.words(cap) + shared, left))
    return tuple(found)


def _books(ws: Workspace, desk: ClaimDesk, prints: set[str], *, departed: bool) -> tuple[Book, Holdings]:
    """Where each fingerprint stands, and the pictures there are of it."""
    for attempt in range(READING_TRIES):
        listing = ws.parts.listing("images")  # before the books: see `holdings`
        book = desk.open(prints)
        try:
            held = look(ws.parts, listing, prints, book.requests(prints), ws.settings.origin, departed=departed)
        except HistoryBusy:
            if attempt + 1 == READING_TRIES:
                raise
        else:
            return book, held
    raise AssertionError


async def carry_out(ws: Workspace, prepared: Prepared, ask: Ask, tell: Callable[[Progress], None], stop: Stop) -> Done:
    """Finish what earlier runs left, buy what the plan says, seal. Errors of single requests are in the tally."""
    from flows.pipeline.run import run  # noqa: PLC0415  who only plans needs no HTTP and no Pillow
    from flows.pipeline.settle import resubmit_old  # noqa: PLC0415  see above

    run_id, started = ws.new_id(), ws.now()
    await asyncio.to_thread(relabel, ws, prepared, run_id)
    async with ws.api() as api:
        kit = ws.kit(api, run_id, tell, stop, prepared.desk)
        resubmitted = 0
        if ws.settings.generate.in_doubt == "resubmit" and prepared.doubts:
            resubmitted = await resubmit_old(kit, prepared.abandoned)
            prepared = await asyncio.to_thread(prepare, ws, ask, kit.desk)
        await asyncio.to_thread(give_up, ws, prepared, run_id)
        await asyncio.to_thread(kit.desk.open, [item.fingerprint for item in prepared.plan.items])
        tally = await run(kit, prepared.plan, prepared.recoverable)
    await asyncio.to_thread(link, ws, prepared, run_id)
    return Done(run_id, started, prepared, tally, stop.reason, stop.remedy, resubmitted, stop.full)


def give_up(ws: Workspace, prepared: Prepared, run_id: str) -> int:
    """Un-count the images that the plan buys others for: how many. From here on any run buys what is missing."""
    freed = {item.fingerprint: item.freed for item in prepared.plan.items if item.freed}
    now = ws.now()
    rows = replaced.rows(freed, new_id=ws.new_id, at=now, run_id=run_id, why="bought again on request (--retry)")
    if rows:
        ws.parts.write("lifecycle", f"{now:%Y-%m}", rows)
    return len(rows)


def link(ws: Workspace, prepared: Prepared, run_id: str) -> int:
    """Say which images were bought in the place of those given up: how many. What is missed, the next run says."""
    now = ws.now()
    try:
        found = replaced.successors(ws.parts, {item.fingerprint for item in prepared.plan.items})
        rows = replaced.links(found, new_id=ws.new_id, at=now, run_id=run_id)
        if rows:
            ws.parts.write("lifecycle", f"{now:%Y-%m}", rows)
    except Unfinished:
        return 0  # the pictures are there and on record; a full disk must not hide that
    return len(rows)


def relabel(ws: Workspace, prepared: Prepared, run_id: str) -> int:
    """Names are labels: where the manifest calls known pictures something else, say so in the history."""
    wanted = labels.called((item.variant for item in prepared.plan.items), prepared.plan.origin)
    return labels.relabel(ws, wanted, run_id, "generate", prepared.names)


def measure(ws: Workspace, run_id: str, tell: Callable[[Progress], None], months: Months | None = None) -> int:
    """Features of the run's stored pictures, from the stored bytes, in processes of their own. Returns how many.

    `months` are those of its requests, where they are known: what a run buys it asks for after it began, but what it
    takes over may have been made years ago.
    """
    from flows.measuring import back_fill  # noqa: PLC0415  see `carry_out`

    mine = (pc.field("run_id") == run_id) & (pc.field("status") == "stored")
    return back_fill(ws, tell, mine, months).measured


def measured(ws: Workspace, done: Done, tell: Callable[[Progress], None], months: Months | None = None) -> Done:
    """`measure`, as part of a run: what was bought is safe and on record, so trouble is told and ends nothing."""
    if done.full:
        done.tally.undone = True
        return done
    try:
        measure(ws, done.run_id, tell, months)
    except Unfinished as trouble:
        done.tally.undone, full = True, isinstance(trouble, StorageFull)
        why = f"the pictures could not be measured: {trouble}"
        remedy = "make room and run again" if full else "see to the storage, then run again"
        done.tally.troubles.add(why, "the whole run", "`ideoflow maintain` measures what was missed")
        return replace(done, stopped=done.stopped or why, remedy=done.remedy or remedy, full=full)
    return done


def publish(ws: Workspace, report: RunReport) -> tuple[RunReport, str]:
    """Write the report: the report, which says so if that fails, and where its page is."""
    where, trouble = file(
        ws.reports, report.flow, report.started_at, report.run_id, record=to_json(report), page=to_markdown(report)
    )
    return replace(report, problems=(*report.problems, trouble)) if trouble else report, where
