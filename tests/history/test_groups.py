"""Row groups one by one: the rows that a filter finds, in parts of any age and from any program."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flows.errors import HistoryBusy, StorageTrouble
from flows.history.groups import Group
from flows.history.index import COLUMNS
from flows.history.parts import Parts
from flows.history.schema import DATASETS, request_row

WANTED = [f"{number:064x}" for number in range(0, 400, 7)]


def many(books: Any, rng: random.Random, rows: int) -> pa.Table:
    """Rows of ``requests``, one fingerprint or another."""
    row = request_row(books.end(books.claim()), 0)
    made = [row | {"request_id": books.new_id(), "fingerprint": f"{rng.randrange(400):064x}"} for _ in range(rows)]
    return pa.Table.from_pylist(made, schema=DATASETS["requests"])


def put(books: Any, table: pa.Table, name: str, **how: Any) -> None:
    """A part as another program might have written it."""
    path: Path = books.storage.root / "requests" / "month=2026-11" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **how)


def check(parts: Parts) -> None:
    """The same as by Arrow's own filter."""
    listing = parts.listing("requests")
    ours = parts.among(listing, "requests", COLUMNS, "fingerprint", WANTED)
    theirs = parts.read(listing, "requests", COLUMNS, pc.field("fingerprint").isin(WANTED))
    assert ours.schema.equals(theirs.schema)
    assert ours.sort_by("request_id").to_pylist() == theirs.sort_by("request_id").to_pylist()
    assert ours.num_rows


@pytest.mark.parametrize(
    "how",
    [
        {"row_group_size": 60},
        {"row_group_size": 1, "use_dictionary": False},
        {"use_dictionary": ["fingerprint", "request_id"], "data_page_size": 64},
        {"write_statistics": False, "compression": "none"},
        {"store_schema": False},
    ],
    ids=str,
)
def test_parts_of_every_make(books: Any, how: dict[str, Any]) -> None:
    """Several at a time, of one row group or many, encoded as they may."""
    rng = random.Random(str(how))
    for name in range(3):
        put(books, many(books, rng, 150), f"part-{name}", **how)
    check(books.parts)


def test_columns_that_an_older_part_lacks_are_null(books: Any) -> None:
    """Also one that is read as a dictionary where it is there."""
    table = many(books, random.Random(1), 100)
    put(books, table.drop_columns(["outcome", "campaign", "price_source"]), "older")
    put(books, table, "newer")
    check(books.parts)
    listing = books.parts.listing("requests")
    nulls = books.parts.each(listing, "requests", lambda group: (group.part.path, group.nulls("campaign"), group.rows))
    assert [(path.rpartition("/")[2], none == rows) for path, none, rows in nulls] == [
        ("newer.parquet", False),
        ("older.parquet", True),
    ]


def test_other_programs_types_are_ours_once_read(books: Any) -> None:
    """A text is a text, however long its offsets are and whatever was made of it."""
    table = many(books, random.Random(2), 100)
    others = {
        "fingerprint": table["fingerprint"].cast(pa.large_string()),
        "request_id": table["request_id"].dictionary_encode(),
        "outcome": table["outcome"].cast(pa.large_string()).dictionary_encode(),
    }
    for name, other in others.items():
        table = table.set_column(table.schema.get_field_index(name), name, other)
    put(books, table, "foreign")
    check(books.parts)


def test_the_footer_bounds_a_column_where_it_says_something(books: Any) -> None:
    """And is silent where it does not; what is not there has no bounds."""
    table = many(books, random.Random(3), 50)
    put(books, table, "told")
    put(books, table, "untold", write_statistics=False)

    def said(group: Group) -> tuple[Any, ...]:
        return group.bounds("request_id"), group.bounds("nothing"), group.nulls("outcome")

    ids = sorted(map(str, table["request_id"].to_pylist()))
    assert books.parts.each(books.parts.listing("requests"), "requests", said) == [
        ((ids[0], ids[-1]), None, 0),
        (None, None, None),
    ]


def test_trouble_is_told_in_words(books: Any) -> None:
    """A part that is gone was merged; one that is no Parquet is trouble with the storage."""
    put(books, many(books, random.Random(4), 5), "good")
    listing = books.parts.listing("requests")
    with pytest.raises(HistoryBusy):
        books.parts.among([*listing, "requests/month=2026-11/gone.parquet"], "requests", COLUMNS, "fingerprint", WANTED)
    books.storage.write("requests/month=2026-11/bad.parquet", b"not Parquet at all")
    with pytest.raises(StorageTrouble, match="cannot read"):
        books.parts.among(books.parts.listing("requests"), "requests", COLUMNS, "fingerprint", WANTED)
