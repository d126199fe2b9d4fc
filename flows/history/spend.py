"""What one origin has cost: sealed requests, and those still in the journal at their full price.

The journal is listed before the history, so that an entry being sealed meanwhile is seen in at least one of them;
by its request id it is counted once. A claim that was written before the look began is therefore never missed, which
is all that a cap needs; who wants every fingerprint's place in the books asks `fold`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import HistoryBusy
from flows.history.fold import FOLD_TRIES
from flows.history.journal import Journal
from flows.history.parts import Parts
from flows.history.records import Ack, Claim, End, Entry, RecordName, Step, claimed_micros, settled_micros
from flows.ids import time_of

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
        for key in keys - self._entries.keys():
            found = self._read(key)
            if found is not None:
                self._entries[key] = found
        return [entry for entry in self._entries.values() if entry.origin == self._origin]

    def _read(self, names: Sequence[RecordName]) -> _Open | None:
        """What an entry costs. None where no record of it can be read: dropped just now, hence sealed, or torn.

        A torn claim was never sent: sending waits until the whole of it is on storage.
        """
        by_step = {name.step: name for name in names}
        entry = Entry(names[0].fingerprint, names[0].n)
        for step, record in self._records(by_step):
            match step, record:
                case Step.AMEND, End():
                    entry = Entry(entry.fingerprint, entry.n, amend=record)
                case Step.END, End():
                    entry = Entry(entry.fingerprint, entry.n, end=record)
                case _, Ack():
                    entry = Entry(entry.fingerprint, entry.n, ack=record)
                case _, Claim():
                    entry = Entry(entry.fingerprint, entry.n, claim=record)
            break
        claim = entry.request
        if claim is None:
            return None
        final = entry.final
        if final is not None and not final.answered and Step.ACK in by_step and entry.amend is None:
            final = None  # given up, and answered after all: paid
        micros = claimed_micros(claim) if final is None else settled_micros(final)
        return _Open(claim.request_id, micros, claim.origin, Step.ACK in by_step or entry.amend is not None)

    def _records(self, by_step: dict[Step, RecordName]) -> Iterator[tuple[Step, Claim | Ack | End]]:
        """The record that decides, then those that say enough if it has gone meanwhile."""
        for step in (Step.AMEND, Step.END, Step.CLAIM, Step.ACK):
            if step in by_step:
                record = self._journal.read(by_step[step])[1]
                if record is not None:
                    yield step, record

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
