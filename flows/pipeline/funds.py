"""What a 402 means, by the API's ``reject_reason``: what happened, and the page to visit. Pure."""

from __future__ import annotations

from collections.abc import Mapping

WALLET = "https://ideogram.ai/manage-api"
PLANS = "https://ideogram.ai/pricing"

_REASONS: Mapping[str, tuple[str, str]] = {
    "insufficient_funds": (
        "the prepaid balance does not cover it",
        f"top up at {WALLET}, or turn on auto recharge there, then run again",
    ),
    "daily_limit": (
        "the account's limit for a day is reached",
        f"run again tomorrow, or raise the limit at {WALLET}",
    ),
    "subscription_required": (
        "this needs a subscription",
        f"subscribe at {PLANS}, or use another model, then run again",
    ),
    "priority_credit_required": (
        "this needs priority credits, and there are none",
        f"see your credits at {WALLET}, or your plan at {PLANS}, then run again",
    ),
    "feature_limit": (
        "the plan's limit for this feature is reached",
        f"see your plan at {PLANS}, or use another model, then run again",
    ),
    "inflight_limit": (
        "too much is in progress for this account",
        "wait until other work has ended, or lower api.max_in_flight, then run again",
    ),
}


def words(reject_reason: str | None, message: str) -> tuple[str, str]:
    """What happened, and what to do. The API's own reason is always named; its message where we know no words."""
    known = _REASONS.get(reject_reason or "")
    if known is None:
        said = f"{reject_reason}: {message}" if reject_reason and reject_reason != message else message
        return f"not paid for (402): {said}", f"top up, or see your plan, at {WALLET}, then run again"
    return f"not paid for (402 {reject_reason}): {known[0]}", known[1]
