"""The price book: what one image of a model and tier costs on a given day, and who says so.

Pure. An unknown price is an error that says what to add, never zero: a run whose cost is not known cannot be
capped. Prices are US dollars per output image, exact to a millionth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from flows.documents import Document, nearest, validate
from flows.errors import InvalidInput, Problem
from flows.ideogram.catalogue import CATALOGUE, find, price_tiers

_MICRO = Decimal("0.000001")


def micros(usd: Decimal) -> int:
    """Dollars in whole millionths, exactly; ValueError where that would round."""
    # By integers: a product of decimals would be rounded to the context's precision before it is compared.
    numerator, denominator = usd.as_integer_ratio()
    whole, rest = divmod(numerator * 1_000_000, denominator)
    if rest:
        raise ValueError(f"{usd} dollars are not a whole number of millionths")
    return whole


@dataclass(frozen=True)
class Price:
    """What one image costs from `since` on; `source` is an address and the day it was looked at."""

    usd: Decimal
    source: str
    since: date
    until: date | None = None

    def holds(self, on: date) -> bool:
        """Whether `on` lies within it, the first and the last day included."""
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class PriceBook:
    """All prices known, by model and tier, each list in order of its days."""

    prices: Mapping[tuple[str, str], tuple[Price, ...]]
    document: Document = field(repr=False, compare=False)

    @classmethod
    def load(cls, document: Document) -> PriceBook:
        """The book that a parsed file holds, or InvalidInput with everything that is wrong with it."""
        book = validate(document, _Book)
        problems = list(_check(document, book))
        if problems:
            raise InvalidInput(problems)
        prices = {
            (model, tier): tuple(
                Price(entry.usd, book.sources[entry.source].words(), entry.since, entry.until)
                for entry in sorted(entries, key=lambda entry: entry.since)
            )
            for model, tiers in book.models.items()
            for tier, entries in tiers.items()
        }
        return cls(prices, document)

    def price(self, model: str, tier: str, on: date) -> Price:
        """The price of one image on that day; InvalidInput, naming what to add, where the book has none."""
        known = self.prices.get((model, tier), ())
        for price in known:
            if price.holds(on):
                return price
        place = ("models", model, tier)
        if known:
            message = f"no price for {model} {tier} on {on}: the book knows it {_spans(known)}"
        else:
            message = f"no price for {model} {tier}"
        hint = (
            f"Look it up on the vendor's price page and add under models: {model}: {tier}:"
            f' - {{usd: "0.00", since: {on}, source: ...}}.'
        )
        raise InvalidInput([self.document.problem(place, message, hint)])


def _spans(prices: Iterable[Price]) -> str:
    return " and ".join(f"from {price.since}" + (f" to {price.until}" if price.until else "") for price in prices)


def _sum_of_money(usd: Decimal) -> Decimal:
    if usd <= 0:
        hint = "An image without a known price is left out of the book; it is not free."
        raise PydanticCustomError("price", "a price must be more than zero", {"hint": hint})
    if usd != usd.quantize(_MICRO):
        message = "a price has at most six decimals (millionths of a dollar)"
        raise PydanticCustomError("price", message, {"hint": "Write the price of one image, in dollars."})
    return usd


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class _Source(_Strict):
    url: str = Field(pattern=r"^https://\S+$")
    checked: date
    note: str = ""

    def words(self) -> str:
        return f"{self.url} (checked {self.checked})"


class _Entry(_Strict):
    usd: Annotated[Decimal, Field(lt=1000), AfterValidator(_sum_of_money)]
    since: date
    until: date | None = None
    source: str


class _Book(_Strict):
    sources: dict[str, _Source]
    models: dict[str, dict[str, Annotated[list[_Entry], Field(min_length=1)]]]


def _check(document: Document, book: _Book) -> Iterable[Problem]:
    """What no single entry can show: names that do not exist, and days with two prices."""
    for model, by_tier in book.models.items():
        endpoint = CATALOGUE.get(model)
        if endpoint is None:
            meant = find(model)
            guess = meant.model if meant else nearest(model, CATALOGUE)
            hint = f"Did you mean `{guess}`?" if guess else f"Known here: {', '.join(CATALOGUE)}."
            yield document.problem(("models", model), f"unknown model `{model}`", hint, key=True)
            continue
        for tier, entries in by_tier.items():
            known = price_tiers(endpoint)
            if tier not in known:
                hint = f"Did you mean `{guess}`?" if (guess := nearest(tier, known)) else ""
                message = f"{model} has no tier `{tier}`; it has {', '.join(known)}"
                yield document.problem(("models", model, tier), message, hint, key=True)
            yield from _check_entries(document, book, ("models", model, tier), entries)


def _check_entries(document: Document, book: _Book, path: tuple[str, ...], entries: list[_Entry]) -> Iterable[Problem]:
    for index, entry in enumerate(entries):
        if entry.source not in book.sources:
            guess = nearest(entry.source, book.sources)
            hint = f"Did you mean `{guess}`?" if guess else "Name it under sources:, with its url and the day."
            yield document.problem((*path, index, "source"), f"unknown source `{entry.source}`", hint)
        if entry.until is not None and entry.until < entry.since:
            message = f"ends on {entry.until}, before it begins on {entry.since}"
            yield document.problem((*path, index, "until"), message, "`until` is the last day it holds.")
    ordered = sorted(enumerate(entries), key=lambda pair: pair[1].since)
    for (_, earlier), (index, later) in pairwise(ordered):
        if earlier.until is None or earlier.until >= later.since:
            message = f"on {later.since} the price from {earlier.since} still holds: two prices for one day"
            last = later.since - timedelta(days=1)
            hint = f"End the earlier one with `until: {last}`." if last >= earlier.since else "Remove one."
            yield document.problem((*path, index), message, hint)
