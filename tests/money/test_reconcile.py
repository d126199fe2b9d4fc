"""Our books beside the bill: every difference has its explanation, or is called unexplained."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ideogram.money import UsageLine
from flows.money.reconcile import Bought, Comparison, Kind, reconcile

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW = NOON + timedelta(hours=8)
DAY = NOON.date()
PATH = "/v2/image/generate/ideogram-3"


def _bought(usd: str = "0.06", kind: Kind = Kind.SETTLED, at: datetime = NOON) -> Bought:
    return Bought(at, PATH, "ideogram-3", 1, Decimal(usd), kind)


def _line(usd: str, **more: Any) -> UsageLine:
    images = more.pop("images", None)
    return UsageLine(
        more.pop("day", DAY), more.pop("endpoint", PATH), Decimal(usd), images, None, more.pop("ours", True)
    )


def _one(ours: list[Bought], theirs: list[UsageLine]) -> Comparison:
    (row,) = reconcile(ours, theirs, NOW)
    return row


def test_what_agrees_needs_no_words() -> None:
    """The same sum on both sides, however many lines it has."""
    row = _one([_bought(), _bought("0.09")], [_line("0.05"), _line("0.10")])
    assert (row.explained, row.difference, row.reasons) == (True, Decimal(0), [])


@pytest.mark.parametrize(
    ("kind", "billed", "word"),
    [
        (Kind.IN_DOUBT, "0.12", "in doubt"),
        (Kind.GIVEN_UP, "0.12", "given up"),
        (Kind.WRITTEN_OFF, "0.06", "written off"),
    ],
)
def test_doubt_explains_what_it_may_have_cost(kind: Kind, billed: str, word: str) -> None:
    """A request that may have run explains the bill with it and without it, and nothing beyond."""
    ours = [_bought(), _bought(kind=kind)]
    assert [word in reason for reason in _one(ours, [_line(billed)]).reasons] == [True]
    without = _one(ours, [_line("0.06")])
    assert without.explained
    assert not _one(ours, [_line("0.18")]).explained
    assert not _one(ours, []).explained


def test_the_last_minutes_may_be_missing_from_the_bill() -> None:
    """Usage lags behind: what was bought in the last quarter of an hour may be there or not."""
    ours = [_bought(), _bought(at=NOW - timedelta(minutes=5))]
    row = _one(ours, [_line("0.06")])
    assert (row.explained, row.difference) == (True, Decimal("-0.06"))
    assert "lags" in row.reasons[0]
    assert _one(ours, [_line("0.12")]).explained
    assert not _one([_bought(), _bought()], [_line("0.06")]).explained


def test_midnight_moves_a_request_to_the_next_day() -> None:
    """Asked for at 23:55 and billed after midnight: both days are explained."""
    late = datetime(2026, 11, 21, 23, 55, tzinfo=UTC)
    before, after = reconcile([_bought(at=late)], [_line("0.06")], NOW)
    assert (before.day, before.explained, after.day, after.explained) == (date(2026, 11, 21), True, DAY, True)
    assert "midnight" in before.reasons[0]
    assert "midnight" in after.reasons[0]


def test_other_users_are_told_apart() -> None:
    """Another key, the web application, or an endpoint we bought nothing of: somebody else's, and explained."""
    row = _one([_bought()], [_line("0.06"), _line("5.00", ours=False)])
    assert (row.explained, row.theirs, row.others) == (True, Decimal("0.06"), Decimal(5))
    assert "$5.00" in row.reasons[0]
    other = next(
        one
        for one in reconcile([_bought()], [_line("0.06"), _line("1", endpoint="/v2/x")], NOW)
        if one.endpoint == "/v2/x"
    )
    assert other.explained
    assert "somebody else" in other.reasons[0]


def test_another_price_is_named_as_such() -> None:
    """As many images at another price: the price book is wrong, and the words say what to do."""
    row = _one([_bought(), _bought()], [_line("0.14", images=2)])
    assert not row.explained
    assert "$0.070000" in row.reasons[0]
    assert "--quote" in row.reasons[0]


def test_what_nothing_explains_is_said() -> None:
    """More than we can have bought may have been paid twice: never explained away."""
    row = _one([_bought()], [_line("0.12", images=2)])
    assert not row.explained
    assert "paid twice" in row.reasons[0]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Kind)),
            st.integers(1, 500_000),
            st.integers(0, 40 * 60),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_whatever_subset_of_doubt_was_billed_is_explained(requests: list[tuple[Kind, int, int, bool]]) -> None:
    """For any requests, and any choice of those that may have been billed, no day is left unexplained."""
    ours, theirs = [], []
    for kind, micros, minutes, ran in requests:
        at = NOW - timedelta(minutes=minutes)
        usd = Decimal(micros) / 1_000_000
        ours.append(Bought(at, PATH, "ideogram-3", 1, usd, kind))
        if ran or kind is Kind.SETTLED:
            theirs.append(UsageLine(at.date(), PATH, usd, 1, usd, ours=True))
    assert all(row.explained for row in reconcile(ours, theirs, NOW))
