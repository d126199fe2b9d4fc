"""The datasets as people analyse them: one row of each key, of the months, names and columns asked for.

Knows which months a question touches, so that nothing else is opened. Decides nothing about images; knows no
projects, no settings (`flows.library` opens those) and no pandas.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches

import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import Refused
from flows.history import spend, standing, view
from flows.history.contract import HISTORY
from flows.history.parts import Months, Parts
from flows.history.schema import DATASETS

When = str | date | datetime
CURRENT = "current"
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Asked:
    """What to leave out. `since` is the first moment and `until` the last one, both UTC; None is no bound."""

    since: datetime | None = None
    until: datetime | None = None
    brand: str | None = None
    campaign: str | None = None

    @property
    def months(self) -> Months:
        """The partitions that hold all of it."""
        return Months.between(self.since, self.until)


def asked(since: When | None, until: When | None, brand: str | None, campaign: str | None) -> Asked:
    """The filters from what people write: a day, a month (``2026-10``) or a moment; `until` includes its day."""
    found = Asked(None if since is None else first_of(since), None if until is None else last_of(until))
    if found.since and found.until and found.since > found.until:
        raise Refused(f"since {since} is later than until {until}: nothing can be in between")
    return replace(found, brand=brand, campaign=campaign)


def first_of(when: When) -> datetime:
    """The first moment of a day or month; a moment is itself."""
    return _bounds(when)[0]


def last_of(when: When) -> datetime:
    """The last moment of a day or month; a moment is itself."""
    return _bounds(when)[1]


def _bounds(when: When) -> tuple[datetime, datetime]:
    if isinstance(when, str):
        return _parsed(when.strip())
    if isinstance(when, datetime):
        moment = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        return moment, moment
    return _days(when, 1)


def _days(day: date, number: int) -> tuple[datetime, datetime]:
    first = datetime.combine(day, time(), UTC)
    return first, first + timedelta(days=number) - _INSTANT


def _parsed(text: str) -> tuple[datetime, datetime]:
    try:
        if len(text) == len("2026-10"):
            month = date.fromisoformat(f"{text}-01")
            return _days(month, monthrange(month.year, month.month)[1])
        if len(text) == len("2026-10-31"):
            return _bounds(date.fromisoformat(text))
        return _bounds(datetime.fromisoformat(text))
    except ValueError as error:
        raise Refused(
            f"{text!r} is no time: write a day (2026-10-31), a month (2026-10) or 2026-10-31T12:00"
        ) from error


def read(parts: Parts, dataset: str, asked: Asked, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a dataset or of ``current``, each once. Unknown columns are Refused, with the nearest one."""
    names = column_names(dataset)
    check_columns(dataset, columns or (), names)
    wanted = list(columns) if columns is not None else list(names)
    if dataset == CURRENT:
        return _current(parts, asked, wanted)
    about = HISTORY[dataset]
    helping = [*about.key, *_RANKED.get(dataset, ()), *_filtered(dataset, asked)]
    where = _within(asked, about.time)
    for name, value in (("brand", asked.brand), ("campaign", asked.campaign)):
        if value is not None and name in names:
            where = _both(where, pc.field(name) == value)
    rows = parts.rows(dataset, list(dict.fromkeys([*wanted, *helping])), where, asked.months)
    rows = _of_labelled(parts, dataset, once(dataset, rows), asked)
    return rows.select(wanted)


def as_of(parts: Parts, when: When, asked: Asked, columns: Sequence[str] | None = None) -> pa.Table:
    """``current`` as it stood at the end of a day or month, or at a moment."""
    names = column_names(CURRENT)
    check_columns(CURRENT, columns or (), names)
    last = last_of(when)
    return _current(parts, replace(asked, until=last), list(columns) if columns is not None else list(names), last)


def column_names(dataset: str) -> tuple[str, ...]:
    """The columns of a dataset, or of ``current``."""
    if dataset == CURRENT:
        return (*DATASETS["images"].names, *standing.STANDING.names)
    return tuple(DATASETS[dataset].names)


def check_columns(dataset: str, wanted: Collection[str], names: Sequence[str]) -> None:
    """Refuse a column that there is not."""
    for name in wanted:
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise Refused(f"{dataset} has no column {name!r}: {hint}")


# What decides which of several rows of one key stands.
_RANKED = {"images": ("status",), "requests": ("revision",)}


def once(dataset: str, rows: pa.Table) -> pa.Table:
    """One row of each key: several are there after a broken lock, a late answer, or while parts are merged."""
    if dataset == "images":
        return view.once(rows)
    if dataset == "requests":
        return spend.latest(rows)
    key = list(HISTORY[dataset].key)
    if rows.num_rows == 0 or rows.group_by(key).aggregate([]).num_rows == rows.num_rows:
        return rows
    # Rows of one key are the same row: these datasets are never mended.
    numbered = rows.append_column("_row", pa.array(range(rows.num_rows), pa.int64()))
    first = numbered.group_by(key, use_threads=False).aggregate([("_row", "min")])["_row_min"]
    return numbered.take(first.combine_chunks().sort()).drop_columns(["_row"])


def _current(parts: Parts, asked: Asked, wanted: list[str], until: datetime | None = None) -> pa.Table:
    where = _within(asked, "requested_at")
    if asked.brand is not None:
        where = _both(where, pc.field("brand") == asked.brand)
    helping = [] if asked.campaign is None else ["campaign"]
    columns = list(dict.fromkeys([*wanted, *helping]))
    rows = standing.current(parts, columns, where, until=until, months=asked.months)
    if asked.campaign is not None:  # only now: names have been brought up to date
        rows = rows.filter(pc.equal(rows["campaign"], pa.scalar(asked.campaign)))
    return rows.select(wanted)


def _filtered(dataset: str, asked: Asked) -> tuple[str, ...]:
    """What is needed to tell whose a row is, where it does not say itself."""
    if asked.brand is None and asked.campaign is None:
        return ()
    return {"lifecycle": ("image_id", "fingerprint"), "features": ("sha256",)}.get(dataset, ())


def _of_labelled(parts: Parts, dataset: str, rows: pa.Table, asked: Asked) -> pa.Table:
    """Lifecycle and features rows have no brand and campaign: those of the images that have, by present names."""
    if not _filtered(dataset, asked):
        return rows
    ours = _current(parts, Asked(brand=asked.brand, campaign=asked.campaign), ["image_id", "fingerprint", "sha256"])
    if dataset == "features":
        return rows.filter(pc.is_in(rows["sha256"], ours["sha256"].combine_chunks()))
    of_image = pc.is_in(rows["image_id"], ours["image_id"].combine_chunks())
    of_all = pc.and_(pc.is_null(rows["image_id"]), pc.is_in(rows["fingerprint"], ours["fingerprint"].combine_chunks()))
    return rows.filter(pc.or_(of_image, of_all))


def _within(asked: Asked, column: str) -> pc.Expression | None:
    where = None
    kind = pa.timestamp("us", tz="UTC")
    if asked.since is not None:
        where = _both(where, pc.field(column) >= pa.scalar(asked.since, kind))
    if asked.until is not None:
        where = _both(where, pc.field(column) <= pa.scalar(asked.until, kind))
    return where


def _both(one: pc.Expression | None, other: pc.Expression) -> pc.Expression:
    return other if one is None else one & other
