"""Caps, kept exactly, and what a budget knows between two looks at what everybody spent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.budget import Budget, Cap, Caps
from flows.budget.limits import Spent

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)
MICROS = st.integers(min_value=0, max_value=100_000_000)


def _budget(**caps: str | int) -> Budget:
    return Budget(Caps(**{key: Decimal(v) if isinstance(v, str) else v for key, v in caps.items()}), UTC)  # type: ignore[arg-type]


def test_the_cap_may_be_reached_but_not_passed() -> None:
    """Ten dimes fit into a dollar, the eleventh does not; binary fractions would get this wrong."""
    budget = _budget(per_run_usd="1.00")
    for _ in range(10):
        assert budget.short(100_000, 1, NOON) is None
        budget.book(100_000, 1, NOON)
    assert budget.short(100_000, 1, NOON) is Cap.RUN
    assert budget.short(0, 1, NOON) is None
    assert budget.left(Cap.RUN, NOON) == 0


def test_settling_gives_back_what_was_not_spent() -> None:
    """A request that did not run frees its money; one that did keeps it; doubt counts as spent."""
    budget = _budget(per_run_usd="0.30", per_run_images=3)
    one, other, _ = [budget.book(100_000, 1, NOON) for _ in range(3)]
    assert budget.short(1, 1, NOON) is Cap.RUN
    budget.settle(one, 0, 0)
    budget.settle(other, 100_000, 1)
    assert (budget.left(Cap.RUN, NOON), budget.left(Cap.IMAGES, NOON)) == (100_000, 1)


def test_a_dearer_answer_closes_the_budget() -> None:
    """If the API charged more than was booked, nothing more is sent."""
    budget = _budget(per_run_usd="0.20")
    budget.settle(budget.book(100_000, 1, NOON), 500_000, 1)
    assert budget.left(Cap.RUN, NOON) == -300_000
    assert budget.short(0, 0, NOON) is Cap.RUN


def test_images_are_capped_by_number_whatever_they_cost() -> None:
    """`per_run_images` counts images, not dollars."""
    budget = _budget(per_run_images=2)
    budget.book(1_000_000_000, 2, NOON)
    assert budget.short(0, 1, NOON) is Cap.IMAGES


def test_no_cap_is_no_limit() -> None:
    """Without a cap everything fits."""
    budget = _budget()
    budget.book(10**15, 10**6, NOON)
    assert budget.short(10**15, 10**6, NOON) is None
    assert {budget.left(cap, NOON) for cap in Cap} == {None}


def test_what_is_no_money_is_a_bug() -> None:
    """Negative amounts raise instead of opening the cap, and a booking is settled once."""
    budget = _budget(per_run_usd="1")
    with pytest.raises(ValueError, match="no purchase"):
        budget.book(-1, 1, NOON)
    booking = budget.book(1, 1, NOON)
    with pytest.raises(ValueError, match="no purchase"):
        budget.settle(booking, -1, 1)
    budget.settle(booking, 1, 1)
    with pytest.raises(ValueError, match="once"):
        budget.settle(booking, 1, 1)


def test_a_day_ends_where_the_configured_zone_says() -> None:
    """Half past eleven in the evening UTC is tomorrow in Berlin: yesterday's spending does not count there."""
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    budget = Budget(Caps(per_day_usd=Decimal(1), per_month_usd=Decimal(3)), ZoneInfo("Europe/Berlin"))
    budget.know(budget.begin(), Spent(date(2026, 11, 21), 900_000, 2_000_000))
    assert budget.left(Cap.DAY, late - timedelta(hours=1)) == 100_000
    assert budget.left(Cap.DAY, late) == 1_000_000
    assert budget.left(Cap.MONTH, late) == 1_000_000


def test_what_was_claimed_after_the_look_began_is_added_to_it() -> None:
    """A claim written before the look is in it; one written later, or not at all yet, is not, and is added."""
    budget = _budget(per_day_usd="1")
    before, after = budget.book(100_000, 1, NOON), budget.book(10_000, 1, NOON)
    budget.claimed(before, NOON)
    began = budget.begin()
    budget.claimed(after, NOON)
    budget.book(1_000, 1, NOON)
    budget.know(began, Spent(TODAY, 100_000, 100_000))
    assert budget.left(Cap.DAY, NOON) == 1_000_000 - 100_000 - 10_000 - 1_000
    budget.settle(before, 0, 0)
    assert budget.left(Cap.DAY, NOON) == 1_000_000 - 10_000 - 1_000
    budget.settle(after, 20_000, 1)
    assert budget.left(Cap.DAY, NOON) == 1_000_000 - 20_000 - 1_000


def test_a_look_that_began_earlier_does_not_replace_a_later_one() -> None:
    """Two looks may end in another order than they began; what the later one saw stands."""
    budget = _budget(per_day_usd="1")
    early, late = budget.begin(), budget.begin()
    budget.know(late, Spent(TODAY, 500_000, 500_000))
    budget.know(early, Spent(TODAY, 100_000, 100_000))
    assert budget.left(Cap.DAY, NOON) == 500_000


@given(st.lists(st.tuples(MICROS, MICROS), max_size=60))
def test_whatever_is_booked_and_settled_the_sum_is_exact(requests: list[tuple[int, int]]) -> None:
    """Cap minus left is what was spent, to the micro-dollar, and memory of settled requests ends with a look."""
    budget = _budget(per_run_usd="1000000", per_month_usd="1000000")
    spent = 0
    for booked, cost in requests:
        booking = budget.book(booked, 1, NOON)
        budget.claimed(booking, NOON)
        budget.settle(booking, cost, 1)
        spent += cost
    assert budget.left(Cap.RUN, NOON) == budget.left(Cap.MONTH, NOON) == 10**12 - spent
    budget.know(budget.begin(), Spent(TODAY, spent, spent))
    assert budget.left(Cap.MONTH, NOON) == 10**12 - spent
    assert not budget._open


@pytest.mark.parametrize(
    ("caps", "cap", "words"),
    [
        ({"per_run_usd": "5"}, Cap.RUN, "the cap of $5.00 a run"),
        ({"per_day_usd": "0.025"}, Cap.DAY, "the cap of $0.025 a day"),
        ({"per_month_usd": "1200"}, Cap.MONTH, "the cap of $1200.00 a month"),
        ({"per_run_images": 7}, Cap.IMAGES, "the cap of 7 images a run"),
    ],
)
def test_every_cap_has_its_words_and_its_remedy(caps: dict[str, str | int], cap: Cap, words: str) -> None:
    """What a person reads names the amount and the setting."""
    assert _budget(**caps).caps.words(cap) == words
    assert f"budget.{cap}" in Caps.remedy(cap)
