"""Exact prices by the API's free dry run: asked for once a day, kept in the project's data, compared with the book.

A quote of today wins over the price book, in plans and in the claims of today's runs, so that what is recorded as
spent is what the API said it would cost; the history's `price_source` then reads ``quote 2026-11-22``. Never asked of
an endpoint that is not known to answer with a price: it would run, and bill.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flows.errors import ApiTrouble, InvalidInput, Refused
from flows.ideogram.catalogue import Kind, price_tier, request_body
from flows.ideogram.money import PriceQuote, read_quote
from flows.ids import digest
from flows.manifest.variant import Variant
from flows.planner import Prices, Quote
from flows.storage import Storage
from flows.workspace import Workspace

MOST = 50
AT_ONCE = 4


@dataclass(frozen=True)
class Quoted:
    """A price per image that the API gave."""

    usd: Decimal
    source: str
    exact: bool = True


@dataclass(frozen=True)
class Disagreement:
    """The price book and the API name different prices. `book` is None where the book has none."""

    model: str
    tier: str
    book: Decimal | None
    quoted: Decimal
    day: date

    @property
    def remedy(self) -> str:
        """What to change in the price book."""
        entry = f'{{usd: "{self.quoted:f}", since: {self.day}, source: ...}}'
        ending = "" if self.book is None else f"end the old one with `until: {self.day - timedelta(days=1)}` and "
        return f"under models: {self.model}: {self.tier}: {ending}add - {entry}"


@dataclass(frozen=True)
class Quotation:
    """What asking brought: how many prices were asked for now and how many were known, and what is wrong."""

    asked: int
    known: int
    disagreements: tuple[Disagreement, ...] = ()
    unasked: int = 0
    unquotable: tuple[str, ...] = ()
    troubles: Mapping[str, str] = field(default_factory=dict)


class Quotes:
    """Today's quotes of one origin, as they are kept: ``<day>-<origin>.json``, a file a day."""

    def __init__(self, storage: Storage, origin: str, day: date) -> None:
        self._storage = storage
        self._day = day
        self._name = f"{day}-{re.sub(r'[^A-Za-z0-9.-]', '_', origin)}.json"
        self._known: dict[str, dict[str, Any]] | None = None

    def of(self, variant: Variant) -> Quoted | None:
        """The quote for what this variant asks for, if there is one of today."""
        kept = self._all().get(shape(variant))
        try:
            if not kept:
                return None
            exact = bool(kept["exact"])
            source = f"quote {self._day}" + ("" if exact else " (estimate)")
            return Quoted(Decimal(int(kept["micros"])) / 1_000_000, source, exact)
        except (KeyError, TypeError, ValueError):
            return None  # somebody wrote into the file: it can be asked for again

    def keep(self, quotes: Mapping[str, PriceQuote]) -> None:
        """Add quotes, by shape; files of other days go."""
        known = self._all() | {
            name: {"micros": -(-quote.micros // quote.quantity), "exact": quote.exact} for name, quote in quotes.items()
        }
        self._storage.write(self._name, json.dumps(known, indent=1, sort_keys=True).encode())
        old = [stat.path for stat in self._storage.list() if not stat.path.startswith(f"{self._day}-")]
        self._storage.delete(old)
        self._known = known

    def _all(self) -> dict[str, dict[str, Any]]:
        if self._known is None:
            data = self._storage.read(self._name)
            self._known = {}
            with contextlib.suppress(ValueError):
                found = json.loads(data) if data else {}
                self._known = found if isinstance(found, dict) else {}
        return self._known


def shape(variant: Variant) -> str:
    """What a price can depend on: the whole request but for its words, its seed and the number of images."""
    words = {option.name for option in variant.endpoint.options if option.kind is Kind.TEXT}
    options = {name: value for name, value in variant.options.items() if name not in words}
    return digest([variant.model, variant.endpoint.path, options])


def todays(ws: Workspace) -> Quotes:
    """The quotes kept today, by the configured time zone."""
    day = ws.now().astimezone(ws.settings.generate.zone).date()
    return Quotes(ws.quotes, ws.settings.origin, day)


def pricing(ws: Workspace) -> Prices:
    """A variant's price: today's quote where there is one, else the price book's."""
    book, quotes = ws.prices(), todays(ws)

    def price(variant: Variant) -> Quote:
        return quotes.of(variant) or book(variant.model, price_tier(variant.endpoint, variant.options))

    return price


async def ask(ws: Workspace, variants: Iterable[Variant], tell: Callable[[str], None] = lambda _: None) -> Quotation:
    """Have the API price what the variants ask for: each distinct request once a day, at most 50 at a time.

    Raises Refused where the key is not accepted, or where an answer shows that the request ran.
    """
    quotes = todays(ws)
    shapes: dict[str, Variant] = {}
    unquotable: dict[str, None] = {}
    for variant in variants:
        if variant.endpoint.dry_run:
            shapes.setdefault(shape(variant), variant)
        else:
            unquotable[variant.model] = None
    unknown = {name: variant for name, variant in shapes.items() if quotes.of(variant) is None}
    asking = dict(list(unknown.items())[:MOST])
    found, troubles = await _ask_all(ws, asking, tell) if asking else ({}, {})
    if found:
        await asyncio.to_thread(quotes.keep, found)
    return Quotation(
        asked=len(found),
        known=len(shapes) - len(unknown),
        disagreements=tuple(_disagreements(ws, quotes, list(shapes.values()))),
        unasked=len(unknown) - len(asking),
        unquotable=tuple(unquotable),
        troubles=troubles,
    )


async def _ask_all(
    ws: Workspace, asking: Mapping[str, Variant], tell: Callable[[str], None]
) -> tuple[dict[str, PriceQuote], dict[str, str]]:
    found: dict[str, PriceQuote] = {}
    troubles: dict[str, str] = {}
    refusals: list[str] = []
    together = asyncio.Semaphore(AT_ONCE)
    async with ws.client() as client:

        async def one(name: str, variant: Variant) -> None:
            async with together:
                if refusals:
                    return
                try:
                    answer = await client.quote(variant.endpoint.path, _body(variant))
                except ApiTrouble as trouble:
                    troubles[variant.name] = str(trouble)
                    return
            quote = read_quote(answer.status, answer.body)
            if answer.status == 401:
                refusals.append("the API key was refused: check IDEOGRAM_API_KEY")
            elif isinstance(quote, PriceQuote):
                found[name] = quote
                tell(variant.name)
            elif quote.ran:
                refusals.append(f"{variant.model}: asked for a price, the API made (and billed) the image instead")
            else:
                troubles[variant.name] = quote.why

        async with asyncio.TaskGroup() as group:
            for name, variant in asking.items():
                group.create_task(one(name, variant))
    if refusals:
        raise Refused(refusals[0])
    return found, troubles


def _disagreements(ws: Workspace, quotes: Quotes, variants: Sequence[Variant]) -> Iterable[Disagreement]:
    book = ws.prices()
    seen: set[tuple[str, str, Decimal]] = set()
    day = ws.now().astimezone(ws.settings.generate.zone).date()
    for variant in variants:
        quoted, tier = quotes.of(variant), price_tier(variant.endpoint, variant.options)
        if quoted is None or not quoted.exact or (variant.model, tier, quoted.usd) in seen:
            continue
        seen.add((variant.model, tier, quoted.usd))
        try:
            listed: Decimal | None = book(variant.model, tier).usd
        except InvalidInput:
            listed = None
        if listed != quoted.usd:
            yield Disagreement(variant.model, tier, listed, quoted.usd, day)


def _body(variant: Variant) -> dict[str, Any]:
    options = dict(variant.options)
    return request_body(variant.endpoint, prompt=variant.prompt, options=options, seed=None, images=1, private=True)
