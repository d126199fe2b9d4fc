"""Reading immutable parts: listings that hold still, parts that are merged away, files that are no Parquet."""

from __future__ import annotations

from typing import Any

import pytest

from flows.errors import HistoryBusy, StorageTrouble
from flows.history.index import SealedIndex
from flows.history.parts import LISTING_TRIES

PRINT = "a" * 64


def test_a_listing_is_taken_until_it_holds_still(books: Any, meddle: Any) -> None:
    """A part that appears between two looks: both are taken again."""
    books.bought()
    books.seal()
    looks = [0]

    def appear(op: str, path: str) -> None:
        if op == "list" and path == "requests":
            looks[0] += 1
            if looks[0] == 2:
                books.bought(1)
                books.seal()

    listing = meddle(appear).parts.listing("requests")
    assert len(listing) == 2
    assert looks[0] == 3


def test_a_listing_that_never_holds_still_is_busy(books: Any, meddle: Any) -> None:
    """Exit 4 and try again, rather than books with a hole."""
    looks = [0]

    def change(op: str, path: str) -> None:
        looks[0] += 1
        books.storage.write(f"requests/month=2026-11/{looks[0]}.parquet", b"")

    with pytest.raises(HistoryBusy, match="faster"):
        meddle(change).parts.listing("requests")
    assert looks[0] == LISTING_TRIES + 1


def test_a_merge_is_seen_as_the_same_rows(books: Any) -> None:
    """Many parts become one: the index that knew the old ones reads the new one."""
    for n in range(3):
        books.bought(n)
        books.seal()
    index = SealedIndex(books.parts)
    index.refresh([PRINT])
    before = index.of(PRINT)
    old = books.parts.listing("requests")
    books.parts.write("requests", "2026-11", books.rows("requests"))
    books.storage.delete(old)
    index.refresh([PRINT])
    assert index.of(PRINT) == before
    assert index.at(PRINT, 2) is not None
    assert index.at(PRINT, 3) is None


def test_a_part_that_is_merged_away_while_it_is_read_is_busy(books: Any) -> None:
    """The books are then read again; they are never read with a hole."""
    books.bought()
    books.seal()
    parts = books.parts
    listing = parts.listing("requests")
    books.storage.delete(listing)
    with pytest.raises(HistoryBusy):
        parts.read(listing, "requests")


def test_after_a_failed_refresh_the_index_reads_everything_again(books: Any, meddle: Any) -> None:
    """Half a refresh leaves no half index."""
    books.bought()
    books.seal()
    gone: list[tuple[str, bytes]] = []
    index = SealedIndex(books.parts)
    index.refresh([PRINT])
    books.bought(1)
    books.seal()
    (new,) = set(books.parts.listing("requests")) - set(index._seen)
    gone.append((new, books.storage.read(new)))
    books.storage.write(new, b"PAR1 torn PAR1")
    with pytest.raises(StorageTrouble, match="requests"):
        index.refresh([PRINT])
    books.storage.write(*gone[0])
    index.refresh([PRINT])
    assert {row.n for row in index.of(PRINT).values()} == {0, 1}


def test_a_file_that_is_no_parquet_is_told_with_its_place(books: Any) -> None:
    """A half-copied part stops everything in words, not with a traceback."""
    books.storage.write("images/month=2026-11/broken.parquet", b"PAR1")
    with pytest.raises(StorageTrouble, match="images"):
        books.parts.read(books.parts.listing("images"), "images")


def test_files_beside_the_parts_are_not_read(books: Any) -> None:
    """A note, a temporary file, another program's marker."""
    books.bought()
    books.seal()
    for name in ("images/README.md", "images/_SUCCESS", "images/.tmp/x.parquet"):
        books.storage.write(name, b"x")
    assert len(books.rows("images")) == 1


def test_old_parts_without_a_new_column_are_read_in_the_full_schema(books: Any) -> None:
    """The column is there, empty."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    books.bought()
    books.seal()
    (part,) = books.parts.listing("images")
    table = pq.read_table(io.BytesIO(books.storage.read(part))).drop_columns(["flaw"])
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    books.storage.write(part, buffer.getvalue().to_pybytes())
    (row,) = books.rows("images")
    assert row["flaw"] is None
