"""Finding the rows of some fingerprints among very many: the same ones that Arrow's own filter finds."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pytest

from flows.history.index import COLUMNS
from flows.history.lookup import Wanted
from flows.ids import sha256

MANY = [sha256(str(n).encode()) for n in range(5000)]


def found(texts: list[str | None], wanted: list[str], *, skip: int = 0) -> list[str | None]:
    column = pa.array(texts, pa.string()).slice(skip)
    values: list[str | None] = column.take(Wanted(wanted).places(column)).to_pylist()
    as_stored: Any = column.dictionary_encode()
    assert as_stored.take(Wanted(wanted).places(as_stored)).to_pylist() == values
    return values


@pytest.mark.parametrize("seed", range(5))
def test_what_is_wanted_is_found_and_nothing_else(seed: int) -> None:
    """Any number, also those that share their first characters with others, in batches that begin anywhere."""
    rng = random.Random(seed)
    texts: list[str | None] = [rng.choice(MANY) for _ in range(3000)]
    wanted = rng.sample(MANY, rng.choice([1, 20, 1000]))
    wanted += [text[:8] + "0" * 56 for text in rng.sample(MANY, 20)]
    skip = rng.randrange(100)
    assert found(texts, wanted, skip=skip) == [text for text in texts[skip:] if text in set(wanted)]


@pytest.mark.parametrize("odd", [None, "", "short", "x" * 65, "ü" * 64])
def test_texts_that_are_no_digests_are_compared_whole(odd: str | None) -> None:
    """Among the rows or among what is wanted; two odd ones that are as long as digests together, too."""
    texts = [*MANY[:50], odd, "a" * 63, "b" * 65]
    assert found(texts, MANY[10:12]) == MANY[10:12]
    assert found(texts, ["a" * 63, MANY[3]]) == [MANY[3], "a" * 63]
    if odd is not None:
        assert found(texts, [odd]) == [odd]


def test_nothing_wanted_is_nothing_found() -> None:
    """And nothing there is no trouble."""
    assert found([*MANY[:5]], []) == []
    assert found([], MANY[:3]) == []


def test_all_parts_that_hold_any_are_read(books: Any) -> None:
    """The columns of the rows, from parts of every kind, as a filter would give them."""
    for n in range(3):
        books.bought(n)
        books.bought(n, fingerprint="b" * 64)
        books.seal()
    listing = books.parts.listing("requests")
    rows = books.parts.among(listing, "requests", COLUMNS, "fingerprint", ["a" * 64])
    assert sorted(rows["n"].to_pylist()) == [0, 1, 2]
    assert set(rows["fingerprint"].to_pylist()) == {"a" * 64}
    assert rows.schema.names == list(COLUMNS)
    assert books.parts.among(listing, "requests", COLUMNS, "fingerprint", ["c" * 64]).num_rows == 0


@pytest.mark.s3
def test_a_bucket_overlooks_nothing(books: Any, s3_bucket: Any) -> None:
    """Its file system names files in its own way."""
    from flows.history.parts import Parts
    from flows.storage import open_storage

    books.bought(0)
    books.seal()
    storage = open_storage(f"s3://{s3_bucket.name}/history", s3_bucket.options)
    for stat in books.storage.list():
        storage.write(stat.path, books.storage.read(stat.path))
    far = Parts(storage, books.new_id)
    assert far.among(far.listing("requests"), "requests", COLUMNS, "fingerprint", ["a" * 64]).num_rows == 1
