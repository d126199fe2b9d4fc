"""What a report adds up."""

from __future__ import annotations

from decimal import Decimal

from flows.report import Outcome, RunReport


def test_money_is_counted_once(eventful: RunReport) -> None:
    """Spent is what this run paid: not what it recovered, found there, or holds in doubt."""
    assert eventful.spent_usd == Decimal("0.445")
    assert eventful.at_risk_usd == Decimal("0.08")


def test_totals_cover_every_image(eventful: RunReport) -> None:
    """Every image is in exactly one total, and outcomes that did not occur are not listed."""
    assert sum(tally.images for tally in eventful.totals) == sum(item.count for item in eventful.items)
    assert [tally.outcome for tally in eventful.totals] == list(Outcome)
    assert eventful.images(Outcome.BOUGHT) == 6


def test_changes_leave_out_what_was_there(eventful: RunReport) -> None:
    """Changes are grouped by outcome and keep their order within it."""
    assert [item.variant for item in eventful.changes][:3] == [
        "hero@language=de,format=story",
        "hero@language=en,format=story",
        "newsletter-header",
    ]
    assert all(item.outcome is not Outcome.HAD for item in eventful.changes)
