"""A dataset behind a file system that is written in Python, as DuckDB may read it.

DuckDB asks a dataset for a reader. Arrow begins to read while it makes one and holds Python's interpreter meanwhile;
where its reading has to call Python, as behind fsspec, both can then wait for each other for ever. Batches are asked
for in a way that lets go of it. Importing this is slow: only who has such a dataset should.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import dataset as ds


class FarDataset(ds.FileSystemDataset):
    """These files, with this schema; DuckDB's conditions and choice of columns reach them."""

    @classmethod
    def of(cls, files: Sequence[str], schema: pa.Schema, filesystem: Any) -> FarDataset:
        """Opens nothing yet."""
        plain: Any = ds.dataset(list(files), schema=schema, format="parquet", filesystem=filesystem)
        return cls(list(plain.get_fragments()), plain.schema, plain.format, plain.filesystem)

    def scanner(self, **how: Any) -> Any:  # type: ignore[override]  # DuckDB names each argument
        """What DuckDB asks for, once for each time that it reads."""
        return _Scanner(super().scanner(**how))


class _Scanner:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def to_reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self._inner.projected_schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._inner.to_batches()
