"""What one origin has cost: sealed requests, and those still in the journal at their full price.

The journal is listed before the history, so that an entry being sealed meanwhile is seen in at least one of them;
by its request id it is counted once. A claim that was written before the look began is therefore never missed, which
is all that a cap needs; who wants every fingerprint's place in the books asks `fold`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import HistoryBusy
from flows.history.fold import FOLD_TRIES
from flows.history.journal import Journal
from flows.history.parts import Parts
from flows.history.records import Claim, End, Record, RecordName, Step, claimed_micros, settled_micros
from flows.ids import time_of

# The record of an entry that says most about its cost comes first.
DECIDES = (Step.AMEND, Step.END, Step.CLAIM, Step.ACK)
COLUMNS = ("request_id", "revision", "answered", "cost_micros", "origin", "requested_at")


@dataclass(frozen=True)
class Period:
    """Some time, from `start` until before `end`, both UTC."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies within."""
        return self.start <= moment < self.end

    @property
    def months(self) -> list[str]:
        """The partitions of the history that it touches."""
        first, last = self.start.astimezone(UTC), (self.end - timedelta(microseconds=1)).astimezone(UTC)
        count = (last.year - first.year) * 12 + last.month - first.month + 1
        whole = [first.year * 12 + first.month - 1 + number for number in range(count)]
        return [f"{month // 12}-{month % 12 + 1:02d}" for month in whole]


def day_period(day: date, zone: tzinfo) -> Period:
    """A day of that time zone."""
    return Period(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def month_period(day: date, zone: tzinfo) -> Period:
    """The month that a day of that time zone lies in."""
    first = day.replace(day=1)
    return Period(_midnight(first, zone), _midnight((first + timedelta(days=32)).replace(day=1), zone))


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def within(listing: Iterable[str], period: Period) -> list[str]:
    """Those parts whose month the period touches: what else there is need not be opened."""
    months = {f"month={month}" for month in period.months}
    return [part for part in listing if part.split("/")[1] in months]


@dataclass(frozen=True)
class _Open:
    """An entry of the journal, as far as money needs it."""

    request_id: str
    micros: int
    origin: str
    answered: bool


class SpendReader:
    """Spending of one origin, read again and again. Records and parts never change, so each is read once.

    Not for use by several threads at once.
    """

    def __init__(self, journal: Journal, parts: Parts, origin: str, zone: tzinfo, wait: Callable[[int], None]) -> None:
        self._journal = journal
        self._parts = parts
        self._origin = origin
        self._zone = zone
        self._wait = wait
        self._entries: dict[tuple[RecordName, ...], _Open] = {}
        self._seen: frozenset[str] = frozenset()
        self._period: Period | None = None
        self._rows: pa.Table | None = None

    def read(self, day: date) -> tuple[int, int]:
        """Micro-dollars spent on a day of the configured zone, and in the month it lies in."""
        for attempt in range(FOLD_TRIES):
            live = self._live()
            try:
                rows = self._sealed(month_period(day, self._zone))
            except HistoryBusy:
                self._wait(attempt)
            else:
                return self._sum(rows, live, day)
        raise HistoryBusy("the history changes too fast to be read; run again in a minute")

    def _sum(self, rows: pa.Table, live: Sequence[_Open], day: date) -> tuple[int, int]:
        month, today = month_period(day, self._zone), day_period(day, self._zone)
        open_ = {entry.request_id: entry for entry in live}
        known = rows.filter(pc.is_in(rows["request_id"], pa.array(list(open_), pa.string())))
        for row in known.to_pylist():
            # Sealed means done with, unless it was given up and its answer came after all.
            if row["answered"] or not open_[row["request_id"]].answered:
                del open_[row["request_id"]]
        sealed = rows.filter(pc.invert(pc.is_in(rows["request_id"], pa.array(list(open_), pa.string()))))
        first = pa.scalar(today.start, pa.timestamp("us", tz="UTC"))
        last = pa.scalar(today.end, pa.timestamp("us", tz="UTC"))
        at = sealed["requested_at"]
        ofday = sealed.filter(pc.and_(pc.greater_equal(at, first), pc.less(at, last)))
        totals = [_total(ofday), _total(sealed)]
        for entry in open_.values():
            made = time_of(entry.request_id)
            totals[0] += entry.micros if today.holds(made) else 0
            totals[1] += entry.micros if month.holds(made) else 0
        return totals[0], totals[1]

    def _live(self) -> list[_Open]:
        groups: defaultdict[tuple[str, int], list[RecordName]] = defaultdict(list)
        for name in self._journal.names():
            groups[name.fingerprint, name.n].append(name)
        keys = {tuple(sorted(names)) for names in groups.values()}
        self._entries = {key: entry for key, entry in self._entries.items() if key in keys}
        self._entries |= self._read(keys - self._entries.keys())
        return [entry for entry in self._entries.values() if entry.origin == self._origin]

    def _read(self, keys: Iterable[tuple[RecordName, ...]]) -> dict[tuple[RecordName, ...], _Open]:
        """What entries cost, by the record of each that decides; if that has gone meanwhile, by what is still there.

        Left out are those of which nothing can be read: dropped just now, hence sealed, or torn. A torn claim was
        never sent, because sending waits until the whole of it is on storage.
        """
        found: dict[tuple[RecordName, ...], _Open] = {}
        waiting = {key: sorted(key, key=lambda name: DECIDES.index(name.step)) for key in keys}
        while waiting:
            records = dict(self._journal.read([names[0] for names in waiting.values()]))
            for key, names in list(waiting.items()):
                record = records.get(names.pop(0))
                if record is not None:
                    found[key] = _open(record, answered=any(name.step in (Step.ACK, Step.AMEND) for name in key))
                if record is not None or not names:
                    del waiting[key]
        return found

    def _sealed(self, period: Period) -> pa.Table:
        """The latest row of every request of the period, kept between calls as a few columns."""
        listing = within(self._parts.listing("requests"), period)
        if period != self._period or not self._seen <= set(listing):
            self._rows, self._seen = None, frozenset()  # another month, or parts were merged
        fresh = [part for part in listing if part not in self._seen]
        if fresh or self._rows is None:
            ours = (pc.field("origin") == self._origin) & between(period)
            rows = self._parts.read(fresh, "requests", COLUMNS, ours).drop_columns(["origin"])
            self._rows = latest(rows if self._rows is None else pa.concat_tables([self._rows, rows]))
        self._seen, self._period = frozenset(listing), period
        return self._rows


def _open(record: Record, *, answered: bool) -> _Open:
    claim = record if isinstance(record, Claim) else record.claim
    # Given up, and answered after all: paid, and not settled yet.
    late = isinstance(record, End) and not record.answered and answered
    micros = settled_micros(record) if isinstance(record, End) and not late else claimed_micros(claim)
    return _Open(claim.request_id, micros, claim.origin, answered)


def between(period: Period) -> pc.Expression:
    """The filter for rows whose request was made in a period."""
    at = pc.field("requested_at")
    return (at >= pa.scalar(period.start, pa.timestamp("us", tz="UTC"))) & (
        at < pa.scalar(period.end, pa.timestamp("us", tz="UTC"))
    )


def latest(rows: pa.Table) -> pa.Table:
    """Of several rows of one request the latest revision: there are several only after late answers or broken locks."""
    rows = rows.combine_chunks()
    if pc.count_distinct(rows["request_id"]).as_py() == rows.num_rows:
        return rows
    ordered = rows.sort_by([("request_id", "ascending"), ("revision", "descending")])
    ids = ordered["request_id"].combine_chunks()
    first = pa.concat_arrays([pa.array([True]), pc.not_equal(ids[1:], ids[:-1])])
    return ordered.filter(first)


def _total(rows: pa.Table) -> int:
    return int(pc.sum(rows["cost_micros"]).as_py() or 0)
