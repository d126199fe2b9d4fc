"""Row groups of parts, one at a time: what a question needs of a large history, and no more of it in memory.

Knows Parquet and its footers; knows no dataset's meaning. Goes through pyarrow.parquet, because importing
pyarrow.dataset imports pandas, which takes longer than all the rest of `plan`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from flows.history.schema import KEYS_KEY

T = TypeVar("T")

# Texts of few different values are read as they are stored, a small number each.
FEW = frozenset({"event", "outcome", "status", "origin", "prompt_id", "variant", "campaign", "edition", "retention"})
# Far stores answer slowly, and much of the work is outside Python: more than there are cores.
AT_ONCE = 4


class Part:
    """One open part."""

    def __init__(self, path: str, where: str, filesystem: Any, schema: pa.Schema) -> None:
        self.path = path
        self.schema = schema
        few = [name for name in schema.names if name in FEW]
        try:
            self.file = pq.ParquetFile(where, filesystem=filesystem, read_dictionary=few, pre_buffer=True)
        except KeyError:  # an older part lacks one of them: what it has is read as any other text
            self.file = pq.ParquetFile(where, filesystem=filesystem, pre_buffer=True)
        self.present = frozenset(self.file.schema_arrow.names)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each column is in the footer."""
        return {name: number for number, name in enumerate(self.file.schema.names)}

    @property
    def groups(self) -> Iterator[Group]:
        """Its row groups, in order."""
        return (Group(self, number) for number in range(self.file.num_row_groups))

    @property
    def distinct(self) -> bool:
        """Whether it says itself that no key is in it twice; parts of older programs do not say."""
        said = (self.file.metadata.metadata or {}).get(KEYS_KEY.encode(), b"")
        return said == b"%d" % self.file.metadata.num_rows


class Group:
    """One row group of an open part. What has been read of it is kept as long as it lives."""

    def __init__(self, part: Part, number: int) -> None:
        self.part = part
        self.number = number
        self._held: dict[str, Any] = {}

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self._footer.num_rows)

    def bounds(self, column: str) -> tuple[Any, Any] | None:
        """The least and the greatest value of a column, at most and at least; None where the footer has none."""
        said = self._said(column)
        return (said.min, said.max) if said is not None and said.has_min_max else None

    def nulls(self, column: str) -> int | None:
        """How many of its rows have no value in a column; None where the footer does not say."""
        if column not in self.part.present:
            return self.rows
        said = self._said(column)
        return int(said.null_count) if said is not None and said.has_null_count else None

    def column(self, name: str) -> Any:
        """A column as one array, as it is stored: texts of few values as a dictionary."""
        self._hold([name])
        return self._held[name]

    def read(self, columns: Sequence[str], places: Any = None) -> pa.Table:
        """The columns in the types of the schema, of all rows or those in these places."""
        self._hold(columns)
        fields = [self.part.schema.field(name) for name in columns]
        arrays = [self._held[name] if places is None else self._held[name].take(places) for name in columns]
        plain = [array.cast(field.type) for array, field in zip(arrays, fields, strict=True)]
        return pa.Table.from_arrays(plain, schema=pa.schema(fields))

    def _hold(self, columns: Sequence[str]) -> None:
        wanted = [name for name in columns if name not in self._held]
        there = [name for name in wanted if name in self.part.present]
        if there:
            # Parts are read side by side already.
            found = self.part.file.read_row_group(self.number, columns=there, use_threads=False)
            self._held |= {name: _whole(found[name], self.part.schema.field(name).type) for name in there}
        for name in set(wanted) - set(there):
            self._held[name] = pa.nulls(self.rows, self.part.schema.field(name).type)

    @cached_property
    def _footer(self) -> Any:
        return self.part.file.metadata.row_group(self.number)

    def _said(self, column: str) -> Any:
        place = self.part.places.get(column)
        return None if place is None else self._footer.column(place).statistics


def _whole(column: Any, kind: pa.DataType) -> Any:
    """One array of the declared type, or a dictionary of it, whatever the part's own program made of it."""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(array.type, pa.DictionaryType) and array.type.value_type == kind:
        return array
    return array.cast(kind)


def each(parts: Sequence[str], root: str, filesystem: Any, schema: pa.Schema, work: Callable[[Group], T]) -> list[T]:
    """What `work` makes of every row group of these parts below `root`, in their order; several parts at a time.

    Raises FileNotFoundError where a part is gone, and whatever else the file system or `work` raises.
    """

    def one(path: str) -> list[T]:
        part = Part(path, f"{root}/{path}", filesystem, schema)
        with part.file:
            return [work(group) for group in part.groups]

    if len(parts) == 1:
        return one(parts[0])
    with ThreadPoolExecutor(AT_ONCE, "parts") as pool:
        return list(itertools.chain.from_iterable(pool.map(one, parts)))
