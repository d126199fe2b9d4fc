"""Rows whose fingerprint is one of some, out of very many: what the books ask for before every purchase.

Arrow's own filter hashes every text whole. Fingerprints are digests, so four of their characters tell nearly all
apart: those are looked up in a small table, and only what is left is compared. Knows texts, no storage.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_WIDTH = 64  # of a SHA-256 in hexadecimal
_SPREAD = np.uint32(2654435761)  # Knuth's: the product's upper half depends on all four characters
_HALF = np.uint32(16)


class Wanted:
    """Some texts to look for."""

    def __init__(self, texts: Collection[str]) -> None:
        self._exact = pa.array(sorted(texts), pa.string())
        self._known = np.zeros(1 << 16, dtype=bool)
        self._table = all(len(text) == _WIDTH and text.isascii() for text in texts)
        if self._table and texts:
            heads = np.frombuffer("".join(text[:4] for text in texts).encode(), dtype="<u4")
            self._known[_hash(heads)] = True

    def rows(self, batches: Iterable[pa.RecordBatch], column: str, schema: pa.Schema | None = None) -> pa.Table:
        """Those of the batches' rows whose column is one of the texts."""
        found = []
        for batch in batches:
            index = batch.schema.get_field_index(column)
            maybe = self._maybe(batch.column(index))
            some = batch if maybe is None else batch.take(maybe)
            if some.num_rows:
                found.append(some.filter(pc.is_in(some.column(index), self._exact)))
        if schema is None:
            schema = found[0].schema if found else pa.schema([])
        return pa.Table.from_batches(found, schema)

    def _maybe(self, texts: pa.Array[Any]) -> npt.NDArray[np.int64] | None:
        """The places of texts that may be wanted; None where only comparing can tell."""
        if not self._table or texts.null_count or not len(texts):
            return None
        buffers: list[Any] = texts.buffers()
        _, places, data = buffers
        first, last = texts.offset, texts.offset + len(texts)
        offsets = np.frombuffer(places, dtype="<i4", count=last + 1)[first:]
        if offsets[-1] - offsets[0] != _WIDTH * len(texts) or np.any(np.diff(offsets) != _WIDTH):
            return None
        each = np.frombuffer(data, dtype="<u4", count=_WIDTH // 4 * len(texts), offset=int(offsets[0]))
        return np.flatnonzero(self._known[_hash(each[:: _WIDTH // 4])])


def _hash(heads: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return (heads * _SPREAD) >> _HALF
