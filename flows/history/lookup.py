"""Rows whose column is one of some texts, out of very many: what the books ask for before every purchase.

Arrow's own filter hashes every text whole. Fingerprints are digests, so four of their characters tell nearly all
apart: those are looked up in a small table, and only what is left is compared. Knows texts, no storage.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flows.history.conditions import texts

_WIDTH = 64  # of a SHA-256 in hexadecimal
_SPREAD = np.uint32(2654435761)  # Knuth's: the product's upper half depends on all four characters
_HALF = np.uint32(16)


class Wanted:
    """Some texts to look for."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._exact = texts(sorted(wanted))
        self._known = np.zeros(1 << 16, dtype=bool)
        self._table = all(len(text) == _WIDTH and text.isascii() for text in wanted)
        if self._table and wanted:
            heads = np.frombuffer("".join(text[:4] for text in wanted).encode(), dtype="<u4")
            self._known[_hash(heads)] = True

    def places(self, column: Any) -> Any:
        """Where in an array (of texts, or a dictionary of them) one of the texts is, in order."""
        if isinstance(column.type, pa.DictionaryType):
            among: Any = pc.is_in(column.dictionary, self._exact)
            return pc.indices_nonzero(among.take(column.indices))
        maybe = self._maybe(column)
        if maybe is None:
            return pc.indices_nonzero(pc.is_in(column, self._exact))
        # Not `pa.array`, which looks for pandas.
        places: Any = pa.Array.from_buffers(pa.int64(), len(maybe), [None, pa.py_buffer(maybe.data)])
        return places.filter(pc.is_in(column.take(places), self._exact))

    def _maybe(self, column: Any) -> npt.NDArray[np.int64] | None:
        """The places of texts that may be wanted; None where only comparing can tell."""
        if not self._table or column.type != pa.string() or column.null_count or not len(column):
            return None
        _, places, data = column.buffers()
        first, last = column.offset, column.offset + len(column)
        offsets = np.frombuffer(places, dtype="<i4", count=last + 1)[first:]
        if offsets[-1] - offsets[0] != _WIDTH * len(column) or np.any(np.diff(offsets) != _WIDTH):
            return None
        each = np.frombuffer(data, dtype="<u4", count=_WIDTH // 4 * len(column), offset=int(offsets[0]))
        return np.flatnonzero(self._known[_hash(each[:: _WIDTH // 4])])


def _hash(heads: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return (heads * _SPREAD) >> _HALF
