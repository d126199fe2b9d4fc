"""What has been spent, by day, campaign, model or brand: for the `spend` command. Reads; changes nothing.

Every request is counted once: from its row where it is sealed, from the journal where it is not. Amounts are whole
micro-dollars, so that they add up to what was billed; what is open or in doubt stands beside them, never within.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.budget.limits import Cap
from flows.history import view
from flows.history.fold import Book
from flows.history.records import IMPORTED, Entry, ImageStatus, claimed_micros, settled_micros
from flows.history.schema import image_id
from flows.history.spend import Period, between, day_period, latest, within
from flows.ids import time_of
from flows.pipeline.doubt import doubtful
from flows.workspace import Workspace

REQUEST_COLUMNS = (
    *("request_id", "revision", "outcome", "counted", "cost_micros", "origin", "requested_at"),
    *("fingerprint", "campaign", "brand", "model"),
)
IMAGE_COLUMNS = ("image_id", "status", "origin", "requested_at", "fingerprint", "campaign", "brand", "model")
KEYS = ("fingerprint", "campaign", "brand", "model", "day")


@dataclass
class Line:
    """One sum. Micro-dollars; `images` were billed, `kept` of them are pictures on storage.

    `open` is what requests under way will cost, `in_doubt` what those may have cost that nobody heard of again.
    """

    key: str
    requests: int = 0
    images: int = 0
    kept: int = 0
    spent: int = 0
    open: int = 0
    in_doubt: int = 0

    @property
    def per_kept(self) -> int | None:
        """What one kept image cost, withheld and lost ones paid along; None where nothing was kept."""
        return round(self.spent / self.kept) if self.kept else None

    def add(self, other: Line) -> None:
        """Add another sum to this one."""
        for name in ("requests", "images", "kept", "spent", "open", "in_doubt"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True)
class CapState:
    """One cap of the budget: what it allows, and what is left now. In micro-dollars, or images where `cap` says so."""

    cap: Cap
    limit: int
    used: int | None
    left: int | None


@dataclass(frozen=True)
class Spending:
    """All of it, oldest or largest first."""

    origin: str
    by: str
    since: date | None
    lines: tuple[Line, ...]
    total: Line
    caps: tuple[CapState, ...]
    doubts: Mapping[str, str] = field(default_factory=dict)


def spending(ws: Workspace, by: str = "day", since: date | None = None) -> Spending:
    """What this origin has cost since a day of the configured time zone, or ever.

    `by` is day, campaign, model or brand.
    """
    book = ws.desk().open(())  # the journal first: what is sealed while we look is seen in the history
    now = ws.history.now() if book.live else ws.now()
    doubts = doubtful(book, now)
    lines: defaultdict[str, Line] = defaultdict(lambda: Line(""))
    names = view.relabelled(ws.parts)
    zone = ws.settings.generate.zone
    period = None if since is None else Period(day_period(since, zone).start, ws.now() + timedelta(days=1))
    for group, line in (*_sealed(ws, book, period), *_kept(ws, book, period), *_live(ws, book, doubts, period)):
        if group["fingerprint"] in names:
            group["campaign"] = names[group["fingerprint"]].campaign
        lines[str(group[by] or "")].add(line)
    for key, line in lines.items():
        line.key = key
    total = Line("total")
    for line in lines.values():
        total.add(line)
    order = (lambda line: line.key) if by == "day" else (lambda line: (-line.spent, line.key))
    ours = {entry.id for entry in book.live if entry.origin in {None, ws.settings.origin}}
    mine = {name: why for name, why in doubts.items() if name in ours}
    return Spending(ws.settings.origin, by, since, tuple(sorted(lines.values(), key=order)), total, caps(ws), mine)


def caps(ws: Workspace) -> tuple[CapState, ...]:
    """Every cap that is set; those of a day and a month with what is used and left of them now."""
    used: dict[Cap, int] = {}
    if ws.caps.shared:
        today = ws.now().astimezone(ws.settings.generate.zone).date()
        used[Cap.DAY], used[Cap.MONTH] = ws.spending().read(today)
    states = []
    for cap in Cap:
        limit = ws.caps.micros(cap)
        if limit is not None:
            states.append(CapState(cap, limit, used.get(cap), max(0, limit - used[cap]) if cap in used else None))
    return tuple(states)


Group = dict[str, str | None]


def _sealed(ws: Workspace, book: Book, period: Period | None) -> Iterator[tuple[Group, Line]]:
    """Rows of requests, but for those whose late answer is in the journal again."""
    rows = latest(_read(ws, "requests", REQUEST_COLUMNS, period))
    reopened = pa.array([entry.id for entry in book.live], pa.string())
    rows = rows.filter(pc.invert(pc.is_in(rows["request_id"], reopened)))
    found = _grouped(ws, rows, [("request_id", "count"), ("counted", "sum"), ("cost_micros", "sum")])
    for row in found:
        yield (
            {key: row[key] for key in KEYS},
            Line("", requests=row["request_id_count"], images=row["counted_sum"], spent=row["cost_micros_sum"]),
        )


def _kept(ws: Workspace, book: Book, period: Period | None) -> Iterator[tuple[Group, Line]]:
    """Pictures on storage, those included whose request has ended and is not sealed yet."""
    rows = view.once(_read(ws, "images", IMAGE_COLUMNS, period))
    rows = rows.filter(pc.field("status") == ImageStatus.STORED.value)
    for row in _grouped(ws, rows, [("image_id", "count")]):
        yield {key: row[key] for key in KEYS}, Line("", kept=row["image_id_count"])
    ended = {
        image_id(entry.final.request_id, image.index): entry
        for entry in book.live
        if entry.final is not None and entry.final.outcome.counted
        for image in entry.final.images
        if image.status is ImageStatus.STORED
    }
    known = pa.array(list(ended), pa.string())
    there = set(rows.filter(pc.is_in(rows["image_id"], known))["image_id"].to_pylist())
    for name, entry in ended.items():
        group = _group(ws, entry, period)
        if name not in there and group is not None:
            yield group, Line("", kept=1)


def _live(ws: Workspace, book: Book, doubts: Mapping[str, str], period: Period | None) -> Iterator[tuple[Group, Line]]:
    for entry in book.live:
        group = _group(ws, entry, period)
        if group is not None:
            yield group, _line(entry, in_doubt=entry.id in doubts)


def _group(ws: Workspace, entry: Entry, period: Period | None) -> Group | None:
    """What an entry of the journal is added up under; None where it is not asked about, or cannot be read."""
    claim = entry.request
    if claim is None or claim.imported or claim.origin != ws.settings.origin:
        return None
    made = time_of(claim.request_id)
    if period is not None and not period.holds(made):
        return None
    day = str(made.astimezone(ws.settings.generate.zone).date())
    return dict(
        zip(KEYS, (claim.fingerprint, claim.labels.campaign, claim.labels.brand, claim.model, day), strict=True)
    )


def _line(entry: Entry, *, in_doubt: bool) -> Line:
    if entry.final is not None:
        return Line("", requests=1, images=entry.counted, spent=settled_micros(entry.final))
    micros = claimed_micros(entry.request) if entry.request else 0
    return Line("", requests=1, in_doubt=micros) if in_doubt else Line("", requests=1, open=micros)


def _read(ws: Workspace, dataset: str, columns: Sequence[str], period: Period | None) -> pa.Table:
    """The rows of this origin and period; whole months of others are not even opened."""
    listing = ws.parts.listing(dataset)
    # What was taken over cost nothing here, and would make a kept picture look cheaper than it was.
    where = (pc.field("origin") == ws.settings.origin) & (pc.field("endpoint") != IMPORTED)
    if period is not None:
        listing, where = tuple(within(listing, period)), where & between(period)
    return ws.parts.read(listing, dataset, columns, where)


def _grouped(ws: Workspace, rows: pa.Table, sums: Any) -> list[dict[str, Any]]:
    local: Any = rows["requested_at"].cast(pa.timestamp("us", tz=ws.settings.generate.timezone))
    rows = rows.append_column("day", pc.strftime(local, "%Y-%m-%d"))
    grouped: list[dict[str, Any]] = rows.group_by(list(KEYS)).aggregate(sums).to_pylist()
    return grouped
