"""The price book: exact, dated, and never silent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.budget import Price, PriceBook, builtin, micros
from flows.documents import parse
from flows.errors import InvalidInput
from flows.ideogram.catalogue import CATALOGUE, price_tiers

TODAY = date(2026, 11, 22)
SOURCES = "sources:\n  list: {url: https://example.com/prices, checked: 2026-11-16}\n"


def load(models: str) -> PriceBook:
    """A book of these models, one source and no comments."""
    return PriceBook.load(parse(SOURCES + models, "prices.yaml"))


def test_a_price_is_found_by_day() -> None:
    """Both ends of a validity belong to it, and the next price takes over on the day after."""
    book = load(
        "models:\n  V_2:\n    default:\n"
        '      - {usd: "0.09", since: 2027-01-01, source: list}\n'
        '      - {usd: "0.08", since: 2026-01-01, until: 2026-12-31, source: list}\n'
    )
    prices = [book.price("V_2", "default", date(*day)).usd for day in [(2026, 1, 1), (2026, 12, 31), (2027, 1, 1)]]
    assert prices == [Decimal("0.08"), Decimal("0.08"), Decimal("0.09")]
    assert book.price("V_2", "default", TODAY) == Price(
        Decimal("0.08"),
        "https://example.com/prices (checked 2026-11-16)",
        date(2026, 1, 1),
        date(2026, 12, 31),
    )


@pytest.mark.parametrize(
    ("model", "tier", "day", "says"),
    [
        ("V_2", "default", date(2025, 12, 31), "the book knows it from 2026-01-01 to 2026-12-31"),
        ("V_2", "default", date(2027, 1, 1), "no price for V_2 default on 2027-01-01"),
        ("V_2", "turbo", TODAY, "no price for V_2 turbo"),
        ("ideogram-3", "quality", TODAY, "no price for ideogram-3 quality"),
    ],
)
def test_an_unknown_price_says_what_to_add(model: str, tier: str, day: date, says: str) -> None:
    """No price is an error that names the file and the entry to add; it is never zero."""
    book = load('models: {V_2: {default: [{usd: "0.08", since: 2026-01-01, until: 2026-12-31, source: list}]}}')
    with pytest.raises(InvalidInput) as caught:
        book.price(model, tier, day)
    (problem,) = caught.value.problems
    assert problem.file == "prices.yaml"
    assert says in problem.message
    assert f'{model}: {tier}: - {{usd: "0.00", since: {day}' in problem.hint


ENTRY = 'usd: "0.08", since: 2026-01-01, source: list'


@pytest.mark.parametrize(
    ("models", "line", "says", "remedy"),
    [
        ("models: {V2: {default: [{%s}]}}", 3, "unknown model `V2`", "Did you mean `V_2`?"),
        ("models: {ideogram-4.5: {low: [{%s}]}}", 3, "unknown model", "Did you mean `ideogram-4-5`?"),
        ("models: {dall-e: {low: [{%s}]}}", 3, "unknown model `dall-e`", "Known here: ideogram-4-5"),
        (
            "models: {ideogram-3: {tubro: [{%s}]}}",
            3,
            "no tier `tubro`; it has turbo",
            "Did you mean `turbo`?",
        ),
        ("models: {V_2: {turbo: [{%s}]}}", 3, "V_2 has no tier `turbo`; it has default", ""),
        ("models: {V_2: {default: []}}", 3, "must not be empty", ""),
        ("models: {V_2: {default: [{%s, until: 2025-12-31}]}}", 3, "before it begins", "last day"),
        ("models: {V_2: {default: [{%s}, {%s}]}}", 3, "two prices for one day", "Remove one."),
        (
            "models:\n V_2:\n  default:\n   - {%s}\n   - {usd: 0.09, since: 2026-07-01, source: list}",
            7,
            "on 2026-07-01 the price from 2026-01-01 still holds",
            "`until: 2026-06-30`",
        ),
        (
            "models: {V_2: {default: [{%s, until: 2026-07-01},\n {usd: 9, since: 2026-07-01,source: list}]}}",
            4,
            "two prices for one day",
            "`until: 2026-06-30`",
        ),
        (
            'models: {V_2: {default: [{usd: "0", since: 2026-01-01, source: list}]}}',
            3,
            "more than zero",
            "not free",
        ),
        ('models: {V_2: {default: [{usd: "-1", since: 2026-01-01, source: list}]}}', 3, "more than zero", ""),
        (
            'models: {V_2: {default: [{usd: "0.0000001", since: 2026-01-01, source: list}]}}',
            3,
            "six decimals",
            "",
        ),
        ('models: {V_2: {default: [{usd: "NaN", since: 2026-01-01, source: list}]}}', 3, "finite", ""),
        ('models: {V_2: {default: [{usd: "8 cents", since: 2026-01-01, source: list}]}}', 3, "a number", ""),
        ("models: {V_2: {default: [{usd: 2000, since: 2026-01-01, source: list}]}}", 3, "less than 1000", ""),
        ('models: {V_2: {default: [{usd: "1", since: soon, source: list}]}}', 3, "date", ""),
        (
            'models: {V_2: {default: [{usd: "1", since: 2026-01-01, source: lsit}]}}',
            3,
            "unknown source",
            "`list`",
        ),
        ('models: {V_2: {default: [{usd: "1", sinse: 2026-01-01, source: list}]}}', 3, "sinse", "`since`"),
        ("models: {}\nmodel: {}", 4, "unknown key `model`", "`models`"),
    ],
)
def test_a_wrong_book_is_refused(models: str, line: int, says: str, remedy: str) -> None:
    """Every mistake has its place, what is wrong, and where possible the remedy."""
    with pytest.raises(InvalidInput) as caught:
        load(models.replace("%s", ENTRY))
    matching = [problem for problem in caught.value.problems if says in problem.message]
    assert matching, caught.value
    assert matching[0].line == line
    assert any(remedy in problem.hint for problem in matching)


def test_all_mistakes_are_reported_at_once() -> None:
    """Two wrong names and an overlap come in one go."""
    with pytest.raises(InvalidInput) as caught:
        load("models: {V2: {default: [{%s}]}, V_2: {turbo: [{%s}], default: [{%s}, {%s}]}}".replace("%s", ENTRY))
    assert len(caught.value.problems) == 3


# Nobody publishes what these cost: they are left out of the book, and so cannot be bought.
UNPUBLISHED = {
    ("v1/ideogram-v3", "BALANCED"),
    *(
        ("ideogram-4-transparent", f"{speed}/{size}")
        for speed in ("turbo", "default", "quality")
        for size in ("2k", "4k", "8k")
        if (speed, size) != ("default", "2k")
    ),
}


def test_the_shipped_book_prices_everything_we_can_buy() -> None:
    """Every model and tier has a price today, from a source that somebody has checked, but for those unpublished."""
    book = builtin()
    wanted = {(model, tier) for model, endpoint in CATALOGUE.items() for tier in price_tiers(endpoint)}
    assert set(book.prices) == wanted - UNPUBLISHED
    assert wanted >= UNPUBLISHED
    for model, tier in sorted(UNPUBLISHED):
        with pytest.raises(InvalidInput, match=f"no price for {model} {tier}") as refusal:
            book.price(model, tier, TODAY)
        assert f"{tier}: - {{usd:" in refusal.value.problems[0].hint
    for model, tier in sorted(wanted - UNPUBLISHED):
        price = book.price(model, tier, TODAY)
        assert micros(price.usd) > 0
        assert price.source.startswith("https://")
        assert "checked 2026" in price.source


def test_the_shipped_book_is_the_project_s_own(request: pytest.FixtureRequest) -> None:
    """There is one price file: what a wheel ships is what `configs/` holds."""
    file = request.config.rootpath / "configs" / "prices.yaml"
    assert PriceBook.load(parse(file.read_bytes(), "configs/prices.yaml")).prices == builtin().prices
    assert not (Path(request.config.rootpath) / "flows" / "budget" / "prices.yaml").exists()


@pytest.mark.parametrize(
    ("model", "tier", "usd"),
    [
        ("ideogram-4-5", "low", "0.03"),
        ("ideogram-4-5", "medium", "0.06"),
        ("ideogram-4-5", "high", "0.10"),
        ("ideogram-3", "quality", "0.09"),
        ("ideogram-4", "quality", "0.10"),
        ("ideogram-4-6", "very_low/2k", "0.008"),
        ("ideogram-4-6", "high/4k", "0.20"),
        ("ideogram-4-transparent", "default/2k", "0.06"),
        ("ideogram-3-transparent", "default/x1", "0.07"),
        ("ideogram-3-transparent", "quality/x4", "0.26"),
        ("ideogram-2", "default", "0.08"),
        ("ideogram-2a", "turbo", "0.025"),
        ("v1/ideogram-v3", "FLASH", "0.03"),
        ("V_2", "default", "0.08"),
        ("V_2A_TURBO", "default", "0.025"),
    ],
)
def test_the_shipped_prices_are_the_published_ones(model: str, tier: str, usd: str) -> None:
    """A slip of the pen in the price file is a slip of the pen in two places."""
    assert builtin().price(model, tier, TODAY).usd == Decimal(usd)


def test_micros_are_exact_or_an_error() -> None:
    """A fortieth of a dollar is 25,000 millionths; less than a millionth is refused, however far down."""
    assert micros(Decimal("0.025")) == 25_000
    assert micros(Decimal("1E+3")) == 10**9
    for usd in ("0.0000001", "1.0000000000000000000000000000000001"):
        with pytest.raises(ValueError, match="millionths"):
            micros(Decimal(usd))


@given(st.integers(0, 10**15))
def test_micros_come_back(whole: int) -> None:
    """Any whole number of millionths survives the way to dollars and back."""
    assert micros(Decimal(whole) / 1_000_000) == whole
