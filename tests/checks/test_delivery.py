"""Delivery: what was paid for and did not come, came late, or is open; and money against its caps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flows.checks import delivery
from flows.checks.policy import AuditPolicy
from flows.checks.subject import CapUse, OpenEntry, Request


def seen(kit: Any, *images: Any, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = kit.findings(delivery.check(kit.subject(*images, **fields), AuditPolicy()))
    return found


def request(**fields: Any) -> Request:
    return Request(**{"request_id": "r1", "outcome": "completed", "prompt_id": "p1", **fields})


def test_what_came_in_time_passes(kit: Any) -> None:
    """A stored image, a completed request, one under way, money left."""
    assert (
        seen(
            kit,
            kit.image(),
            requests=[request()],
            open=[OpenEntry(request_id="r2", images=1, micros=60_000, expires_at=kit.now + timedelta(hours=3))],
            caps=[CapUse("per_day_usd", 10_000_000, 4_000_000)],
        )
        == {}
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "withheld", "state": "withheld"}, "delivery.withheld"),
        ({"status": "lost", "state": "lost", "flaw": "410 Gone"}, "delivery.lost"),
        ({"expiry_margin_s": 60.0}, "delivery.late_link"),
    ],
)
def test_an_image_that_did_not_come_or_came_late_is_found(kit: Any, fields: dict[str, Any], code: str) -> None:
    """Unless another was bought in its place."""
    assert list(seen(kit, kit.image(**fields))) == [code]
    assert seen(kit, kit.image(**fields, replaced=True)) == {}


def test_what_came_late_long_ago_is_no_news(kit: Any) -> None:
    """It is about the runs of these days."""
    old = kit.now - timedelta(days=31)
    assert seen(kit, kit.image(expiry_margin_s=60.0, stored_at=old, requested_at=old)) == {}


@pytest.mark.parametrize(("outcome", "code"), [("void", "delivery.failed"), ("refused", "delivery.refused")])
def test_a_request_that_failed_is_found(kit: Any, outcome: str, code: str) -> None:
    """With the vendor's reason; old ones are not told of for ever."""
    failed = request(outcome=outcome, status=422, reject_reason="a policy", requested_at=kit.now - timedelta(days=1))
    (finding,) = seen(kit, requests=[failed])[code]
    assert "a policy" in finding.message
    assert "422" in finding.message
    assert finding.prompt_id == "p1"
    old = request(outcome=outcome, requested_at=kit.now - timedelta(days=31))
    assert seen(kit, requests=[old]) == {}


def test_what_is_in_doubt_is_found(kit: Any) -> None:
    """With what it may have cost."""
    doubtful = OpenEntry(request_id="r1", images=1, micros=60_000, doubt="no answer on record", variant="hero")
    (finding,) = seen(kit, open=[doubtful])["delivery.in_doubt"]
    assert (finding.variant, finding.message) == ("hero", "no answer on record; it may have cost $0.060")
    assert finding.measure == 0.06


@pytest.mark.parametrize(("left", "words"), [(600, "ends in 600 s"), (-5, "has ended")])
def test_a_link_that_ends_before_the_picture_is_fetched_is_found(kit: Any, left: int, words: str) -> None:
    """There is still something to be done about it."""
    entry = OpenEntry(request_id="r1", images=1, micros=1, expires_at=kit.now + timedelta(seconds=left))
    (finding,) = seen(kit, open=[entry])["delivery.link_ending"]
    assert words in finding.message


@pytest.mark.parametrize(
    ("used", "codes"),
    [(0, []), (8_999_999, []), (9_000_000, ["near"]), (10_000_000, ["near"]), (10_000_001, ["over"])],
)
def test_spend_is_held_against_caps(kit: Any, used: int, codes: list[str]) -> None:
    """Nearly used up, and overshot; all of it spent is within."""
    found = seen(kit, caps=[CapUse("per_day_usd", 10_000_000, used)])
    assert list(found) == [f"delivery.{code}_cap" for code in codes]
