"""What the history holds of a manifest, and what has left it: told exactly, and without reading what tells nothing."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.errors import HistoryBusy
from flows.history import holdings, view
from flows.history.compact import compact
from flows.history.events import Event
from flows.history.holdings import Holdings
from flows.history.reproduced import edition
from flows.history.schema import KEYS_KEY, event_row

A, B, C = "a" * 64, "b" * 64, "c" * 64


def look(books: Any, *prints: str, departed: bool = True) -> Holdings:
    """As a run looks: parts, then books, then rows."""
    listing = books.parts.listing("images")
    known = books.desk().open(prints).requests(prints)
    return holdings.look(books.parts, listing, prints, known, "sandbox", departed=departed)


def labelled(books: Any, **labels: Any) -> dict[str, Any]:
    """What a claim is called, with some of it different."""
    return {"labels": replace(books.claim().labels, **labels)}


def said(books: Any, part: str) -> tuple[int, bytes | None]:
    """Its rows, and how many keys it says they have."""
    footer = pq.read_metadata(books.storage.root / part)
    return footer.num_rows, (footer.metadata or {}).get(KEYS_KEY.encode())


def rewritten(books: Any, part: str, **how: Any) -> None:
    """The same rows in the same place, by a program that says nothing of their keys."""
    rows = pq.read_table(books.storage.root / part, partitioning=None)
    pq.write_table(rows.replace_schema_metadata({}), books.storage.root / part, **how)


def test_what_left_the_manifest_is_counted_by_prompt(books: Any) -> None:
    """Of this origin, and no reproductions."""
    books.bought(images=3)
    books.bought(fingerprint=B)
    books.bought(fingerprint=C, origin="api.ideogram.ai")
    books.bought(fingerprint="d" * 64, **labelled(books, edition=edition("some-image-0")))
    books.bought(fingerprint="e" * 64, **labelled(books, edition="2026-W47", prompt_id="weekly"))
    books.seal()
    assert look(books, B).departed == {"hero": 3, "weekly": 1}
    assert look(books, A, B).departed == {"weekly": 1}
    assert look(books).departed == {"hero": 4, "weekly": 1}
    assert look(books, B, departed=False).departed == {}


def test_an_empty_history_holds_nothing(books: Any) -> None:
    """All columns, no rows."""
    found = look(books, A)
    assert (found.images.num_rows, found.names, found.departed) == (0, {}, {})
    assert found.images.schema.names == list(holdings.COLUMNS)


def test_pictures_are_found_under_their_present_names(books: Any) -> None:
    """Those of the manifest only, in whatever month they were bought."""
    books.bought(images=2)
    books.bought(fingerprint=B)
    books.seal()
    books.now += timedelta(days=70)
    books.bought(1)
    books.bought(fingerprint=C)
    books.seal()
    books.parts.write(
        "lifecycle",
        "2027-01",
        [
            event_row(
                event_id=books.new_id(),
                at=books.now,
                event=Event.RELABELLED,
                actor="generate",
                run_id="r",
                fingerprint=C,
                details={"prompt_id": "poster", "variant": "poster", "campaign": None, "tags": []},
            )
        ],
    )
    for departed in (True, False):
        found = look(books, A, C, departed=departed)
        assert Counter(found.images["fingerprint"].to_pylist()) == {A: 3, C: 1}
        assert {print_: names.prompt_id for print_, names in found.names.items()} == {A: "hero", C: "poster"}


@pytest.mark.parametrize("how", [None, {}, {"write_statistics": False}, {"row_group_size": 1}], ids=str)
def test_a_picture_counts_once_however_often_its_row_is_there(books: Any, how: dict[str, Any] | None) -> None:
    """In two parts after a broken lock, in one part with another fate, in parts of any program."""
    books.bought(images=3)
    books.bought(fingerprint=B, **labelled(books, prompt_id="other"))
    books.seal()
    rows = books.rows("images")
    books.parts.write("images", "2026-11", rows[:2])
    books.parts.write("images", "2026-11", [rows[3], rows[3] | {"status": "lost"}])
    if how is not None:
        for part in books.parts.listing("images"):
            rewritten(books, part, **how)
    assert look(books).departed == {"hero": 3, "other": 1}
    assert look(books, B).departed == {"hero": 3}
    assert look(books, A).departed == {"other": 1}
    assert look(books, A).images.num_rows == 3


def test_a_part_says_how_many_keys_it_has(books: Any) -> None:
    """Sealed or merged; doubles that stay in a merge are told."""
    books.bought(images=3)
    books.seal()
    rows = books.rows("images")
    books.parts.write("images", "2026-11", [rows[0] | {"status": "lost"}])
    assert [said(books, part) for part in books.parts.listing("images")] == [(3, b"3"), (1, b"1")]
    compact(books.parts, books.owner, books.now + timedelta(days=40), token="t")
    (merged,) = books.parts.listing("images")
    assert said(books, merged) == (4, b"3")
    assert look(books).departed == {"hero": 3}


@pytest.mark.parametrize("seed", range(8))
def test_it_is_what_reading_everything_tells(books: Any, seed: int) -> None:
    """Histories of any kind, any manifest: pruned or not, the same."""
    rng = random.Random(seed)
    prints = [letter * 64 for letter in "abcdef"]
    numbers = {print_: itertools.count() for print_ in prints}
    for _ in range(rng.randrange(3, 9)):
        for _ in range(rng.randrange(1, 5)):
            print_ = rng.choice(prints)
            labels = labelled(
                books,
                prompt_id=rng.choice(["hero", "poster"]),
                edition=rng.choice([None, None, "w1", edition("x-0")]),
            )
            origin = rng.choice(["sandbox", "sandbox", "api.ideogram.ai"])
            books.bought(next(numbers[print_]), fingerprint=print_, images=rng.randrange(1, 4), origin=origin, **labels)
        books.seal()
        books.now += timedelta(days=rng.choice([0, 0, 9, 40]))
        if rng.random() < 0.3:
            part = rng.choice(books.parts.listing("images"))
            books.storage.write(f"{part.rpartition('/')[0]}/twice-{books.new_id()}.parquet", books.storage.read(part))
        if rng.random() < 0.3:
            rewritten(books, rng.choice(books.parts.listing("images")), write_statistics=rng.random() < 0.7)
        if rng.random() < 0.2:
            compact(books.parts, books.owner, books.now, token=books.new_id())
    asked = rng.sample(prints, rng.randrange(5))
    assert look(books, *asked).departed == _departed(books, asked)
    assert look(books, *asked).images.num_rows == _held(books, asked)


def _departed(books: Any, asked: Collection[str]) -> dict[str, int]:
    rows = view.images(books.parts, ["fingerprint", "prompt_id", "origin", "edition"]).to_pylist()
    return Counter(
        row["prompt_id"]
        for row in rows
        if row["fingerprint"] not in asked
        and row["origin"] == "sandbox"
        and not (row["edition"] or "").startswith("reproduce:")
    )


def _held(books: Any, asked: Collection[str]) -> int:
    return sum(print_ in asked for print_ in view.images(books.parts, ["fingerprint"])["fingerprint"].to_pylist())


def test_a_part_that_is_merged_away_is_told(books: Any) -> None:
    """Its pictures are not left out: whoever looks, looks again."""
    books.bought()
    books.seal()
    listing = books.parts.listing("images")
    books.storage.delete(listing)
    with pytest.raises(HistoryBusy):
        holdings.look(books.parts, listing, [A], [], "sandbox", departed=True)
