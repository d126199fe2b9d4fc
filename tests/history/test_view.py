"""Current state: each image once, under the name it bears now."""

from __future__ import annotations

from typing import Any

import pytest

from flows.history import view
from flows.history.events import Event
from flows.history.schema import event_row

PRINT = "a" * 64


def rename(books: Any, fingerprint: str, variant: str) -> None:
    details = {"prompt_id": "poster", "variant": variant, "campaign": None, "tags": ["new"]}
    row = event_row(
        event_id=books.new_id(),
        at=books.now,
        event=Event.RELABELLED,
        actor="generate",
        run_id="r",
        fingerprint=fingerprint,
        details=details,
    )
    books.parts.write("lifecycle", "2026-11", [row])


def test_rows_that_a_broken_lock_doubled_are_one(books: Any) -> None:
    """The very same row twice."""
    books.bought(images=2)
    books.seal()
    books.parts.write("images", "2026-11", books.rows("images"))
    assert len(books.rows("images")) == 4
    assert view.images(books.parts).num_rows == 2
    assert view.images(books.parts, ["variant"]).num_rows == 2


@pytest.mark.parametrize("order", [("stored", "lost"), ("lost", "stored"), ("withheld", "stored")])
def test_of_several_rows_of_an_image_the_best_stands(books: Any, order: tuple[str, str]) -> None:
    """Stored before withheld before lost, whichever came first."""
    books.bought()
    books.seal()
    (row,) = books.rows("images")
    books.storage.delete(books.parts.listing("images"))
    for status in order:
        books.parts.write("images", "2026-11", [row | {"status": status}])
    assert view.images(books.parts, ["status"]).to_pylist() == [{"status": "stored"}]


def test_an_empty_history_has_no_images(books: Any) -> None:
    """No folder, no rows, all columns."""
    found = view.images(books.parts)
    assert found.num_rows == 0
    assert "sha256" in found.schema.names
    assert view.names(books.parts, [PRINT]) == {}


def test_the_latest_name_stands(books: Any) -> None:
    """Labels of the newest image, unless an event says otherwise; of events the last."""
    books.bought()
    books.seal()
    assert view.names(books.parts, [PRINT])[PRINT].variant == "hero@language=de"
    rename(books, PRINT, "poster@x")
    rename(books, PRINT, "poster@y")
    names = view.names(books.parts, [PRINT])[PRINT]
    assert (names.prompt_id, names.variant, names.tags) == ("poster", "poster@y", ("new",))


def test_names_of_pictures_that_do_not_exist_are_not_told(books: Any) -> None:
    """An event without an image names nothing."""
    rename(books, "b" * 64, "ghost")
    assert view.names(books.parts, ["b" * 64]) == {}
