"""Immutable Parquet parts, one folder a dataset, partitioned by month: ``images/month=2026-11/<id>.parquet``."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.errors import HistoryBusy, StorageTrouble
from flows.history.schema import DATASETS, table
from flows.storage import Storage

LISTING_TRIES = 20


class Parts:
    """The history's datasets on a storage."""

    def __init__(self, storage: Storage, new_name: Callable[[], str]) -> None:
        self.storage = storage
        self._new_name = new_name

    def write(self, dataset: str, month: str, rows: Iterable[Mapping[str, Any]]) -> str:
        """Write one part and read it back: its path. The rows are on storage when this returns."""
        data = table(dataset, rows)
        buffer = io.BytesIO()
        pq.write_table(data, buffer, compression="zstd", coerce_timestamps="us")
        path = f"{dataset}/month={month}/{self._new_name()}.parquet"
        self.storage.write(path, buffer.getvalue())
        if self.storage.read(path) != buffer.getvalue():
            raise StorageTrouble(f"{self.storage.where(path)} does not read back as it was written")
        return path

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
        from pyarrow import dataset as ds  # noqa: PLC0415  its import is slow and an empty history needs none

        filesystem, root = self.storage.arrow()
        try:
            return ds.dataset(
                [f"{root}/{part}" for part in parts], schema=schema, format="parquet", filesystem=filesystem
            ).to_table(columns=list(columns) if columns else None, filter=where)
        except FileNotFoundError as error:
            raise HistoryBusy(f"a part of {dataset} was merged away while it was read; try again") from error
        except Exception as error:  # the file system's own, or Parquet that is none
            raise StorageTrouble(f"cannot read {self.storage.where(dataset)}: {error}") from error

    def _list(self, dataset: str) -> tuple[str, ...]:
        return tuple(stat.path for stat in self.storage.list(dataset) if stat.path.endswith(".parquet"))
