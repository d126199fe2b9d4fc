"""The plan: what is bought, what is not, and why, decided from values alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.budget.limits import Cap
from flows.budget.prices import micros
from flows.history.fold import Book, Standing
from flows.history.index import Sealed
from flows.history.records import Outcome
from flows.ideogram.catalogue import CATALOGUE
from flows.manifest.variant import Variant, fingerprint
from flows.planner import Ceiling, Plan, Verdict, make_plan, select

ORIGIN = "sandbox"


@dataclass(frozen=True)
class Quote:
    usd: Decimal = Decimal("0.06")
    source: str = "a test"


def variant(name: str = "hero", *, count: int = 2, prompt: str | None = None, **more: object) -> Variant:
    made = Variant(name, name, {}, CATALOGUE["ideogram-3"], prompt or f"a picture of {name}", count)
    return replace(made, **more)  # type: ignore[arg-type]  # names of fields


def bought(one: Variant, images: int, outcome: Outcome = Outcome.COMPLETED) -> Mapping[str, Standing]:
    print_ = fingerprint(one, ORIGIN)
    counted = images if outcome.counted else 0
    row = Sealed(print_, 0, "r0", 0, outcome, True, images, counted, 0)
    return {print_: Standing(counted, 1, {}, {"r0": row})}


def planned(*variants: Variant, book: Mapping[str, Standing] | None = None, **options: object) -> Plan:
    return make_plan(variants, ORIGIN, Book(book or {}, ()), lambda _: Quote(), **options)  # type: ignore[arg-type]


def test_what_is_new_is_bought() -> None:
    """An empty history means buying everything, at the book's price."""
    plan = planned(variant(count=3))
    assert (plan.items[0].verdict, plan.buy, plan.cost) == (Verdict.BUY, 3, Decimal("0.18"))


def test_only_the_difference_is_bought() -> None:
    """Two wanted, one bought: one is missing."""
    one = variant()
    plan = planned(one, book=bought(one, 1))
    assert (plan.items[0].verdict, plan.buy) == (Verdict.BUY, 1)
    assert "1 bought" in plan.items[0].reason


def test_a_lowered_count_buys_and_removes_nothing() -> None:
    """More than is wanted is simply there."""
    one = variant(count=1)
    plan = planned(one, book=bought(one, 4))
    assert (plan.items[0].verdict, plan.buy) == (Verdict.HAVE, 0)
    assert "3 more" in plan.items[0].reason


def test_a_refused_prompt_is_blocked_until_it_changes() -> None:
    """Its fingerprint is blocked; another text is another fingerprint."""
    one = variant()
    book = bought(one, 2, Outcome.REFUSED)
    assert planned(one, book=book).items[0].verdict is Verdict.BLOCKED
    assert planned(replace(one, prompt="something gentler"), book=book).items[0].verdict is Verdict.BUY


def test_the_same_picture_is_bought_once() -> None:
    """Two variants of one fingerprint share images, and the larger count wins."""
    plan = planned(variant("a", count=1, prompt="same"), variant("b", count=3, prompt="same"))
    assert [item.buy for item in plan.items] == [3, 0]
    assert "same picture as a" in plan.items[1].reason


def test_a_limit_is_in_images_and_in_manifest_order() -> None:
    """What does not fit is left out and said."""
    plan = planned(variant("a"), variant("b"), variant("c"), limit=3)
    assert [item.buy for item in plan.items] == [2, 1, 0]
    assert (plan.left_out, plan.items[2].verdict) == (3, Verdict.LEFT_OUT)
    assert plan.items[2].cap is None


@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    cents=st.integers(1, 40),
    cap=st.decimals(Decimal("0.01"), Decimal(5), places=2),
)
def test_a_cap_is_never_passed_and_never_left_unused(counts: list[int], cents: int, cap: Decimal) -> None:
    """The plan costs at most the cap, and stops only when one more image would pass it."""
    each = Decimal(cents) / 100
    variants = [variant(f"v{number}", count=count) for number, count in enumerate(counts)]
    ceiling = Ceiling(Cap.RUN, "the cap", micros(cap))
    plan = make_plan(variants, ORIGIN, Book({}, ()), lambda _: Quote(each), ceilings=[ceiling])
    assert plan.cost <= cap
    assert plan.left_out == 0 or plan.cost + each > cap
    assert plan.buy + plan.left_out == sum(counts)


def test_the_tightest_of_several_caps_decides_and_is_named() -> None:
    """A day's rest, a run's dollars and a run's images: each can be the one that is in the way."""
    run, day = Ceiling(Cap.RUN, "the run's", 600_000), Ceiling(Cap.DAY, "the day's", 190_000)
    for ceilings, buy, cap in (
        ([run, day], 3, Cap.DAY),
        ([run], 8, None),
        ([run, Ceiling(Cap.IMAGES, "so many", 5)], 5, Cap.IMAGES),
        ([Ceiling(Cap.MONTH, "the month's", -1)], 0, Cap.MONTH),
    ):
        (item,) = planned(variant(count=8), ceilings=ceilings).items
        assert (item.buy, item.left_out, item.cap) == (buy, 8 - buy, cap)
    assert "the month's" in item.reason


def test_what_is_given_up_is_bought_again() -> None:
    """Two wanted and counted, one of them given up: one is bought, and the purchase goes on until two count."""
    one = variant()
    (item,) = planned(one, book=bought(one, 2), retry={fingerprint(one, ORIGIN): ["r0-1"]}).items
    assert (item.verdict, item.buy, item.counted, item.freed, item.until) == (Verdict.BUY, 1, 1, ("r0-1",), 2)


def test_a_limit_gives_up_no_more_than_it_buys() -> None:
    """The others keep counting, so that the purchase ends where it was planned to."""
    one = variant(count=3)
    images = ["r0-0", "r0-1", "r0-2"]
    (item,) = planned(one, book=bought(one, 3), retry={fingerprint(one, ORIGIN): images}, limit=1).items
    assert (item.buy, item.freed, item.unfreed, item.until) == (1, ("r0-0",), 2, 3)


def test_more_than_is_wanted_needs_no_replacing() -> None:
    """Four bought, two of them withheld, two wanted: nothing is bought; with three wanted one is, for both."""
    two, three = variant(count=2), variant(count=3)
    images = {fingerprint(two, ORIGIN): ["r0-0", "r0-1"]}
    assert planned(two, book=bought(two, 4), retry=images).items[0].freed == ()
    (item,) = planned(three, book=bought(three, 4), retry=images).items
    assert (item.buy, item.freed, item.until) == (1, ("r0-0", "r0-1"), 3)


def test_a_refused_prompt_is_not_retried() -> None:
    """Only another prompt helps."""
    one = variant()
    print_ = fingerprint(one, ORIGIN)
    refused = Sealed(print_, 1, "r1", 0, Outcome.REFUSED, answered=True, images=1, counted=0, cost_micros=0)
    standing = bought(one, 2)[print_]
    book = {print_: replace(standing, sealed={**standing.sealed, "r1": refused})}
    (item,) = planned(one, book=book, retry={print_: ["r0-0"]}).items
    assert (item.verdict, item.buy, item.freed) == (Verdict.BLOCKED, 0, ())


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("a", ["a"]),
        ("tag:x", ["a", "b"]),
        ("campaign:summer", ["b"]),
        ("nothing", []),
    ],
)
def test_words_select_by_id_tag_and_campaign(word: str, names: list[str]) -> None:
    """A word is a prompt id, a variant, ``tag:`` or ``campaign:``."""
    variants = [variant("a", tags=("x",)), variant("b", tags=("x", "y"), campaign="summer"), variant("c")]
    assert [one.name for one in select(variants, [word])] == names
