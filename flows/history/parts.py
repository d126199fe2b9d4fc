"""Immutable Parquet parts, one folder a dataset, partitioned by month: ``images/month=2026-11/<id>.parquet``."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.errors import HistoryBusy, StorageTrouble
from flows.history.groups import Group, each
from flows.history.lookup import Wanted
from flows.history.schema import DATASETS, table
from flows.storage import Storage

LISTING_TRIES = 20
READING_TRIES = 20
# Small enough that a reader who wants a few days skips most of a month, large enough to compress well.
ROW_GROUP = 100_000
T = TypeVar("T")


@dataclass(frozen=True)
class Months:
    """The partitions from one month to another, both included and written ``2026-11``; None is no bound."""

    first: str | None = None
    last: str | None = None

    @classmethod
    def between(cls, since: datetime | None, until: datetime | None) -> Months:
        """The partitions of the time between two moments in UTC."""
        return cls(f"{since:%Y-%m}" if since else None, f"{until:%Y-%m}" if until else None)

    def hold(self, part: str) -> bool:
        """Whether a part lies in one of them."""
        month = month_of_part(part)
        return (self.first is None or month >= self.first) and (self.last is None or month <= self.last)


def month_of_part(part: str) -> str:
    """``2026-11`` of ``images/month=2026-11/x.parquet``."""
    return part.split("/")[1].removeprefix("month=")


def encoded(data: pa.Table) -> bytes:
    """A table as the bytes of a part."""
    buffer = io.BytesIO()
    pq.write_table(data, buffer, compression="zstd", coerce_timestamps="us", row_group_size=ROW_GROUP)
    return buffer.getvalue()


class Parts:
    """The history's datasets on a storage."""

    def __init__(self, storage: Storage, new_name: Callable[[], str]) -> None:
        self.storage = storage
        self._new_name = new_name

    def write(self, dataset: str, month: str, rows: Iterable[Mapping[str, Any]]) -> str:
        """Write one part and read it back: its path. The rows are on storage when this returns."""
        path = self.fresh(dataset, month)
        self.put(path, encoded(table(dataset, rows)))
        return path

    def fresh(self, dataset: str, month: str) -> str:
        """A path that no part has had or will have."""
        return f"{dataset}/month={month}/{self._new_name()}.parquet"

    def put(self, path: str, data: bytes) -> None:
        """Write the bytes of a part and read them back: they are on storage when this returns."""
        self.storage.write(path, data)
        if self.storage.read(path) != data:
            raise StorageTrouble(f"{self.storage.where(path)} does not read back as it was written")

    def listing(self, dataset: str) -> tuple[str, ...]:
        """The parts of a dataset, seen the same twice in a row: no part was added or merged meanwhile.

        A single listing may miss both a part that is being replaced and its replacement.
        """
        seen = self._list(dataset)
        for _ in range(LISTING_TRIES):
            again = self._list(dataset)
            if again == seen:
                return again
            seen = again
        raise HistoryBusy(f"{self.storage.where(dataset)} changes faster than it can be listed; try again in a minute")

    def rows(
        self,
        dataset: str,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,
        months: Months | None = None,
    ) -> pa.Table:
        """The rows that the dataset holds now, be it that parts are added or merged meanwhile: then again.

        Reads the parts of those months only. A row may be there twice, see `flows.history.once`.
        """
        return self.steadily(dataset, lambda parts: self.read(parts, dataset, columns, where), months)

    def steadily(self, dataset: str, read: Callable[[Sequence[str]], T], months: Months | None = None) -> T:
        """What `read` makes of the parts that there are; once more with those there are then, if one was merged."""
        for attempt in range(READING_TRIES):
            try:
                return read([part for part in self.listing(dataset) if months is None or months.hold(part)])
            except HistoryBusy:
                if attempt + 1 == READING_TRIES:
                    raise
        raise AssertionError

    def read(
        self,
        parts: Sequence[str],
        dataset: str,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,
    ) -> pa.Table:
        """The rows of these parts, in the dataset's full schema whatever age each part has."""
        schema = DATASETS[dataset]
        wanted = pa.schema([schema.field(name) for name in columns]) if columns else schema
        if not parts:
            # Not `empty_table`, which looks for pandas.
            return pa.Table.from_batches([], wanted)
        with self._told(dataset):
            found: pa.Table = self._dataset(parts, dataset).to_table(
                columns=list(columns) if columns else None, filter=where
            )
        return found

    def among(
        self, parts: Sequence[str], dataset: str, columns: Sequence[str], column: str, values: Collection[str]
    ) -> pa.Table:
        """As `read` gives them the rows of these parts whose `column` is one of some texts; faster, and few at a time.

        Of each row group that one column is read, and the others only if it holds any: a campaign's pictures lie
        together in time, and so in a few of very many row groups.
        """
        wanted = Wanted(values)

        def held(group: Group) -> pa.Table | None:
            places = wanted.places(group.column(column))
            return group.read(columns, places) if len(places) else None

        found = [table for table in self.each(parts if values else (), dataset, held) if table is not None]
        if not found:
            return pa.Table.from_batches([], pa.schema([DATASETS[dataset].field(name) for name in columns]))
        return pa.concat_tables(found)

    def each(self, parts: Sequence[str], dataset: str, work: Callable[[Group], T]) -> list[T]:
        """What `work` makes of every row group of these parts, in their order."""
        if not parts:
            return []
        filesystem, root = self.storage.arrow()
        with self._told(dataset):
            return each(parts, root, filesystem, DATASETS[dataset], work)

    def _dataset(self, parts: Sequence[str], dataset: str) -> Any:
        from pyarrow import dataset as ds  # noqa: PLC0415  its import is slow and an empty history needs none

        filesystem, root = self.storage.arrow()
        return ds.dataset(
            [f"{root}/{part}" for part in parts], schema=DATASETS[dataset], format="parquet", filesystem=filesystem
        )

    @contextlib.contextmanager
    def _told(self, dataset: str) -> Iterator[None]:
        """What goes wrong while parts are read, in words."""
        try:
            yield
        except FileNotFoundError as error:
            raise HistoryBusy(f"a part of {dataset} was merged away while it was read; try again") from error
        except Exception as error:  # the file system's own, or Parquet that is none
            raise StorageTrouble(f"cannot read {self.storage.where(dataset)}: {error}") from error

    def holding(self, parts: Sequence[str], dataset: str, where: pc.Expression) -> tuple[str, ...]:
        """Those of these parts with a row for which `where` holds; only the columns it names are read.

        For who wants large columns of few rows: reading them by the same condition would read them of all rows.
        """
        if not parts:
            return ()
        from pyarrow import dataset as ds  # noqa: PLC0415  as above

        filesystem, root = self.storage.arrow()
        named = {f"{root}/{part}": part for part in parts}
        try:
            found = ds.dataset(list(named), schema=DATASETS[dataset], format="parquet", filesystem=filesystem).to_table(
                columns=["__filename"], filter=where
            )
        except FileNotFoundError as error:
            raise HistoryBusy(f"a part of {dataset} was merged away while it was read; try again") from error
        except Exception as error:  # as above
            raise StorageTrouble(f"cannot read {self.storage.where(dataset)}: {error}") from error
        files = {str(file) for file in pc.unique(found["__filename"]).to_pylist()}
        return tuple(part for file, part in named.items() if file in files)

    def _list(self, dataset: str) -> tuple[str, ...]:
        return tuple(stat.path for stat in self.storage.list(dataset) if stat.path.endswith(".parquet"))
