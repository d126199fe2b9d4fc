"""A run's cap, kept exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.budget import RunBudget

AMOUNTS = st.decimals(min_value=0, max_value=100, places=6)


def test_the_cap_may_be_reached_but_not_passed() -> None:
    """Ten dimes fit into a dollar, the eleventh does not; binary fractions would get this wrong."""
    budget = RunBudget(Decimal("1.00"))
    assert [budget.reserve(Decimal("0.10")) for _ in range(11)] == [True] * 10 + [False]
    assert budget.remaining == 0
    assert budget.reserved == Decimal("1.00")


def test_settling_gives_back_what_was_not_spent() -> None:
    """A request that did not run frees its money; one that did keeps it; doubt counts as spent."""
    budget = RunBudget(Decimal("0.30"))
    for _ in range(3):
        assert budget.reserve(Decimal("0.10"))
    budget.settle(Decimal("0.10"), Decimal(0))
    budget.settle(Decimal("0.10"), Decimal("0.10"))
    assert (budget.spent, budget.reserved, budget.remaining) == (
        Decimal("0.10"),
        Decimal("0.10"),
        Decimal("0.10"),
    )


def test_a_dearer_answer_closes_the_budget() -> None:
    """If the API charged more than was reserved, nothing more is sent, and nothing goes negative."""
    budget = RunBudget(Decimal("0.20"))
    assert budget.reserve(Decimal("0.10"))
    budget.settle(Decimal("0.10"), Decimal("0.50"))
    assert budget.remaining == 0
    assert not budget.reserve(Decimal("0.01"))
    assert budget.reserve(Decimal(0)) is False


def test_no_cap_is_no_limit() -> None:
    """Without a cap everything fits, and spending is still counted."""
    budget = RunBudget(None)
    assert budget.reserve(Decimal(10**9))
    budget.settle(Decimal(10**9), Decimal("0.06"))
    assert (budget.cap, budget.remaining, budget.spent) == (None, None, Decimal("0.06"))


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "Infinity"])
def test_what_is_no_money_is_a_bug(amount: str) -> None:
    """Negative and infinite amounts raise instead of opening the cap."""
    budget = RunBudget(Decimal(1))
    with pytest.raises(ValueError, match="not an amount"):
        budget.reserve(Decimal(amount))
    with pytest.raises(ValueError, match="not an amount"):
        RunBudget(Decimal(amount))


def test_settling_twice_is_a_bug() -> None:
    """A reservation can be ended only once."""
    budget = RunBudget(Decimal(1))
    assert budget.reserve(Decimal("0.10"))
    budget.settle(Decimal("0.10"), Decimal("0.10"))
    with pytest.raises(ValueError, match="only 0"):
        budget.settle(Decimal("0.10"), Decimal("0.10"))


@given(cap=AMOUNTS, orders=st.lists(st.tuples(AMOUNTS, st.booleans()), max_size=30))
def test_never_over_the_cap(cap: Decimal, orders: list[tuple[Decimal, bool]]) -> None:
    """Whatever is reserved and settled at its price, spent and reserved together stay within the cap."""
    budget = RunBudget(cap)
    for price, ran in orders:
        if budget.reserve(price):
            assert budget.spent + budget.reserved <= cap
            budget.settle(price, price if ran else Decimal(0))
    assert budget.reserved == 0
    assert budget.spent <= cap
