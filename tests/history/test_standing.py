"""The state of images now and on past days, as a fold of events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flows.history.events import Event, State
from flows.history.schema import event_row, image_id
from flows.history.standing import current


def happened(books: Any, event: Event, image: str | None = None, **more: Any) -> None:
    row = event_row(event_id=books.new_id(), at=books.now, event=event, actor="a test", run_id="r", image=image, **more)
    books.parts.write("lifecycle", "2026-11", [row])


@pytest.fixture
def image(books: Any) -> str:
    claim = books.bought()
    books.seal()
    return image_id(claim.request_id, 0)


@pytest.mark.parametrize(
    ("events", "state", "has_copy"),
    [
        ([], State.KEPT, True),
        ([Event.TRASHED], State.TRASHED, True),
        ([Event.TRASHED, Event.RESTORED], State.KEPT, True),
        ([Event.TRASHED, Event.PURGED], State.PURGED, False),
        ([Event.MISSING], State.MISSING, False),
        ([Event.MISSING, Event.FOUND], State.KEPT, True),
        ([Event.CORRUPT], State.CORRUPT, False),
        ([Event.TRASHED, Event.HELD, Event.APPROVED], State.TRASHED, True),
    ],
)
def test_the_latest_event_of_the_file_decides_its_state(
    books: Any, image: str, events: list[Event], state: State, has_copy: bool
) -> None:
    """Events of other aspects change nothing about the file."""
    for event in events:
        happened(books, event, image)
    (row,) = current(books.parts).to_pylist()
    assert (row["state"], row["has_local_copy"]) == (state, has_copy)
    assert (row["trashed_at"] is not None) == (state is State.TRASHED)
    assert (row["purged_at"] is not None) == (state is State.PURGED)


def test_holds_and_verdicts_are_aspects_of_their_own(books: Any, image: str) -> None:
    """The last word on each stands."""
    for event in (Event.HELD, Event.APPROVED, Event.RELEASED, Event.REJECTED, Event.HELD):
        happened(books, event, image)
    (row,) = current(books.parts, ["held", "verdict", "approved", "replaced"]).to_pylist()
    assert row == {"held": True, "verdict": "rejected", "approved": False, "replaced": False}
    happened(books, Event.REPLACED, image)
    assert current(books.parts, ["replaced"]).to_pylist() == [{"replaced": True}]


def test_names_are_the_latest_ones(books: Any, image: str) -> None:
    """Tags as well, an empty list among them."""
    before = current(books.parts, ["tags", "variant"]).to_pylist()
    (fingerprint,) = current(books.parts, ["fingerprint"])["fingerprint"].to_pylist()
    details = {"prompt_id": "p", "variant": "p@x", "campaign": "c", "tags": []}
    happened(books, Event.RELABELLED, fingerprint=fingerprint, details=details)
    now = current(books.parts, ["prompt_id", "variant", "campaign", "tags"]).to_pylist()
    assert now == [details]
    assert now != before
    assert image


def test_a_past_day_knows_nothing_of_later(books: Any, image: str) -> None:
    """Neither events nor purchases."""
    bought = books.now
    books.now += timedelta(days=1)
    happened(books, Event.TRASHED, image)
    assert current(books.parts, ["state"], until=bought + timedelta(hours=1)).to_pylist() == [{"state": "kept"}]
    assert current(books.parts, ["state"], until=books.now + timedelta(hours=1)).to_pylist() == [{"state": "trashed"}]
    assert current(books.parts, until=bought - timedelta(days=1)).num_rows == 0


def test_an_empty_history_has_all_columns(books: Any) -> None:
    """No parts at all."""
    found = current(books.parts)
    assert found.num_rows == 0
    assert {"state", "held", "image_id", "tags"} <= set(found.schema.names)
