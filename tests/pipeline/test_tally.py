"""What a run did, counted as it goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flows.history.records import ImageStatus, Outcome
from flows.pipeline.buy import buy
from flows.pipeline.finish import Unfinished
from flows.pipeline.tally import Tally


@pytest.fixture
def ended(world: Any) -> Any:
    """A claim for two images, and its end."""
    return asyncio.run(buy(world.kit(), world.item(2), 2))


def test_what_is_left_out_for_one_reason_is_told_once() -> None:
    """All images counted, one sentence."""
    tally = Tally()
    for number in range(50):
        tally.left_out(f"v{number}", 2, "no funds")
    assert tally.total("left out") == 100
    [trouble] = tally.troubles
    assert (trouble.subject, trouble.times) == ("v0, v1, v2 and 47 more", 50)


@pytest.mark.parametrize(("recovered", "fate"), [(False, "stored"), (True, "recovered")])
def test_stored_images_are_counted_by_who_paid(ended: Any, recovered: bool, fate: str) -> None:
    """Bought by this run, or finished for a dead one."""
    tally = Tally()
    tally.ended(*ended, recovered=recovered)
    assert tally.total(fate) == 2
    assert tally.micros["hero", fate] == 120_000
    assert tally.bytes > 0


@pytest.mark.parametrize(
    ("outcome", "fate"), [(Outcome.VOID, "failed"), (Outcome.REFUSED, "refused"), (Outcome.COMPLETED, "withheld")]
)
def test_every_fate_has_a_trouble_with_a_remedy(ended: Any, outcome: Outcome, fate: str) -> None:
    """What is missing is named, with what to do about it."""
    from dataclasses import replace

    claim, end = ended
    images = tuple(replace(image, status=ImageStatus.WITHHELD) for image in end.images)
    tally = Tally()
    tally.ended(claim, replace(end, outcome=outcome, images=images, reason=""), recovered=False)
    assert tally.total(fate) == 2
    assert all(trouble.remedy for trouble in tally.troubles)
    assert tally.troubles


def test_doubt_is_counted_as_spent(ended: Any) -> None:
    """It may have been billed: the report must not hide it."""
    tally = Tally()
    tally.unfinished(ended[0], Unfinished("lost", doubt=True), recovered=False)
    assert tally.total("in doubt") == 2
    assert tally.micros["hero", "in doubt"] == 120_000
    [trouble] = tally.troubles
    assert "recover" in trouble.remedy
    assert ended[0].request_id in trouble.subject
