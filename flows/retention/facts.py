"""What the rules look at, as columns: a million pictures are a few hundred megabytes and no Python object each.

Pure numpy and Arrow: places in line, periods, classes. Knows a policy's patterns; decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flows.retention.policy import KeepClass, Match, Policy

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NONE, UNKNOWN = -1, -2
_MICRO = timedelta(microseconds=1)
_COLUMN = {"prompt": "prompt_id"}


def micros(span: timedelta) -> int:
    """A span in whole microseconds."""
    return span // _MICRO


def instants(column: Any, default: int = 0) -> Ints:
    """A column of times as microseconds since 1970, UTC."""
    return numbers(column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()), default)


def numbers(column: Any, default: int = 0) -> Ints:
    """A column of whole numbers, `default` where nothing is known."""
    return np.asarray(pc.fill_null(column, default).to_numpy(zero_copy_only=False), dtype=np.int64)


def truths(column: Any) -> Bools:
    """A column of booleans; nothing known is false."""
    return np.asarray(pc.fill_null(column, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def picked(column: Any, rows: Ints) -> list[Any]:
    """The values of a column in these rows."""
    found: list[Any] = column.take(pa.array(rows)).to_pylist()
    return found


def codes(column: Any) -> tuple[Ints, list[str | None]]:
    """A column of words as numbers, and the words they stand for; nothing known has a number of its own."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return numbers(encoded.indices), encoded.dictionary.to_pylist()


def together(*columns: Any) -> Ints:
    """One number for each combination of values."""
    result: Ints = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        indices, words = codes(column)
        result = result * max(1, len(words)) + indices
    _, dense = np.unique(result, return_inverse=True)
    return np.asarray(dense, dtype=np.int64)


def newest_first(at: Ints, ids: Any, last: Bools | None = None) -> Ints:
    """The order of pictures from the newest to the oldest, by id where times are equal. `last` ones come after all."""
    keys = {"at": pa.array(at), "id": ids.combine_chunks()}
    order: list[Any] = [("at", "descending"), ("id", "descending")]
    if last is not None:
        keys["last"] = pa.array(last.astype(np.int8))
        order.insert(0, ("last", "ascending"))
    return np.asarray(pc.sort_indices(pa.table(keys), sort_keys=order).to_numpy(), dtype=np.int64)


def lines(order: Ints, keys: Ints, among: Bools) -> tuple[Ints, Ints]:
    """The pictures of `among`, those of one key together, each from the newest on; and where each key begins."""
    found = order[among[order]]
    found = found[np.argsort(keys[found], kind="stable")]
    first = np.ones(len(found), dtype=np.bool_)
    first[1:] = keys[found][1:] != keys[found][:-1]
    return found, np.maximum.accumulate(np.where(first, np.arange(len(found)), 0))


def places(order: Ints, keys: Ints, among: Bools) -> Ints:
    """The place of each picture in its key's line, 0 the newest; -1 for those who do not stand in it."""
    found, begin = lines(order, keys, among)
    result = np.full(len(keys), NONE, dtype=np.int64)
    result[found] = np.arange(len(found)) - begin
    return result


def turns(order: Ints, keys: Ints, among: Bools, periods: Ints) -> Ints:
    """For the newest picture of each period: how many later periods of its key have any; -1 for all others."""
    found, begin = lines(order, keys, among)
    result = np.full(len(keys), NONE, dtype=np.int64)
    if not len(found):
        return result
    new = np.ones(len(found), dtype=np.bool_)
    new[1:] = (periods[found][1:] != periods[found][:-1]) | (begin[1:] != begin[:-1])
    count = np.cumsum(new)
    result[found[new]] = (count - count[begin])[new]
    return result


def running(order: Ints, keys: Ints, among: Bools, amounts: Ints) -> Ints:
    """The sum of amounts in each key's line up to and including this picture; 0 for those who do not stand in it."""
    found, begin = lines(order, keys, among)
    total = np.cumsum(amounts[found])
    result = np.zeros(len(keys), dtype=np.int64)
    if len(found):
        result[found] = total - (total[begin] - amounts[found][begin])
    return result


def days(at: Ints, zone: str) -> Any:
    """The local days of instants, as an Arrow column."""
    column: Any = pa.array(at).cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us", tz=zone))
    return pc.local_timestamp(column).cast(pa.date32(), safe=False)


def period(local: Any, kind: str) -> Ints:
    """Numbers of the days, ISO weeks or months that local days lie in."""
    if kind == "month":
        return numbers(pc.year(local)) * 12 + numbers(pc.month(local))
    day = numbers(local.cast(pa.int32()))
    return day if kind == "day" else (day + 3) // 7  # 1970 began on a Thursday


def classes(images: pa.Table, policy: Policy) -> Ints:
    """For each picture the number of its class, NONE where no class is for it, UNKNOWN where its name is none."""
    result = np.full(images.num_rows, NONE, dtype=np.int64)
    free = np.ones(images.num_rows, dtype=np.bool_)
    names = {one.name: index for index, one in enumerate(policy.classes)}
    indices, words = codes(images["retention"])
    if images.num_rows:
        asked = np.array([NONE if word is None else names.get(word, UNKNOWN) for word in words], dtype=np.int64)
        result = asked[indices]
        free = np.array([word is None for word in words])[indices]
    look = _Look(images)
    for index, one in enumerate(policy.classes):
        mine = free & look.fits(one)
        result[mine] = index
        free &= ~mine
    return result


class _Look:
    """Patterns against columns: each distinct word is looked at once."""

    def __init__(self, images: pa.Table) -> None:
        self._images = images
        self._known: dict[str, tuple[Ints, list[str | None]]] = {}

    def fits(self, one: KeepClass) -> Bools:
        rows = self._images.num_rows
        if one.everything:
            return np.ones(rows, dtype=np.bool_)
        result = np.zeros(rows, dtype=np.bool_)
        for match in one.matches:
            result |= self._all(match)
        return result

    def _all(self, match: Match) -> Bools:
        result = np.ones(self._images.num_rows, dtype=np.bool_)
        for key, patterns in match.given:
            result &= self._tagged(patterns) if key == "tag" else self._called(_COLUMN.get(key, key), patterns)
        return result

    def _called(self, column: str, patterns: Sequence[str]) -> Bools:
        if column not in self._known:
            self._known[column] = codes(self._images[column])
        indices, words = self._known[column]
        return _any(words, patterns)[indices] if words else np.zeros(self._images.num_rows, dtype=np.bool_)

    def _tagged(self, patterns: Sequence[str]) -> Bools:
        tags = self._images["tags"].combine_chunks()
        flat = pc.list_flatten(tags)
        result = np.zeros(self._images.num_rows, dtype=np.bool_)
        if len(flat):
            encoded = flat.dictionary_encode()
            good = _any(encoded.dictionary.to_pylist(), patterns)[numbers(encoded.indices)]
            result[numbers(pc.list_parent_indices(tags))[good]] = True
        return result


def _any(words: Sequence[str | None], patterns: Sequence[str]) -> Bools:
    return np.array(
        [word is not None and any(fnmatchcase(word, pattern) for pattern in patterns) for word in words],
        dtype=np.bool_,
    )
