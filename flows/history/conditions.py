"""Conditions on columns of text, for reading parts. Pure.

pyarrow looks for pandas whenever it is given a Python value or a list, and importing pandas takes longer than all
the rest of `plan`. Arrays that are put together from their bytes, and values taken out of them, are not looked at.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def texts(values: Iterable[str]) -> Any:
    """The texts as an Arrow array of strings."""
    encoded = [value.encode() for value in values]
    # 32-bit offsets into the bytes, one more than there are texts: Arrow's own layout of strings.
    offsets = array("i", accumulate(map(len, encoded), initial=0))
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def among(column: str, values: Iterable[str]) -> pc.Expression:
    """The column is one of the texts."""
    return pc.field(column).isin(texts(sorted(values)))
