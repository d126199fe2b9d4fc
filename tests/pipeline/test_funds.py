"""A 402 says why and where to go."""

from __future__ import annotations

import pytest

from flows.pipeline.funds import words


@pytest.mark.parametrize(
    ("reason", "happened", "page"),
    [
        ("insufficient_funds", "balance", "https://ideogram.ai/manage-api"),
        ("daily_limit", "day", "https://ideogram.ai/manage-api"),
        ("subscription_required", "subscription", "https://ideogram.ai/pricing"),
        ("priority_credit_required", "credits", "https://ideogram.ai/manage-api"),
        ("feature_limit", "plan", "https://ideogram.ai/pricing"),
        ("inflight_limit", "in progress", "api.max_in_flight"),
    ],
)
def test_every_documented_reason_is_named_with_its_page(reason: str, happened: str, page: str) -> None:
    """The API's own word, what it means, and what to do."""
    what, remedy = words(reason, "Payment required.")
    assert reason in what
    assert happened in what
    assert page in remedy


@pytest.mark.parametrize("reason", [None, "", "something_new"])
def test_an_unknown_reason_is_passed_on_in_the_vendors_words(reason: str | None) -> None:
    """A reason that came after this release still says what the API said, and where the account is."""
    what, remedy = words(reason, "Payment required.")
    assert "Payment required." in what
    assert (reason or "") in what
    assert "https://ideogram.ai/manage-api" in remedy
