"""What a run would do to every variant, and why. Pure: variants, books and prices in, a plan out.

It decides nothing that the run must then believe: each claim looks at the books again. It is what people read
before they say yes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from flows.budget.limits import Cap
from flows.budget.prices import micros
from flows.errors import Problem
from flows.history.fold import Book, Standing
from flows.history.records import Outcome
from flows.manifest.variant import Variant, fingerprint


class Quote(Protocol):
    """A price per image, and where it comes from."""

    @property
    def usd(self) -> Decimal: ...

    @property
    def source(self) -> str: ...


Prices = Callable[[Variant], Quote]
"""The price of one image of a variant; raises a UserError when there is none."""


class Verdict(StrEnum):
    """What happens to a variant."""

    BUY = "buy"
    HAVE = "have"
    BLOCKED = "blocked"
    IN_DOUBT = "in doubt"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Item:
    """One line of the plan. `buy` images are to be bought at `each` US dollars; `left_out` more would be.

    `cap` is the cap of the budget that leaves them out, None for a limit that somebody asked for. `shared`: an
    earlier item of the plan stands for the same picture, and buys it. `freed` are images that are given up to make
    room, `counted` is without them; `unfreed` more would be, were there no limit, and still count.
    """

    variant: Variant
    fingerprint: str
    verdict: Verdict
    reason: str
    wanted: int
    counted: int
    buy: int
    each: Decimal
    price_source: str
    in_doubt: int = 0
    left_out: int = 0
    cap: Cap | None = None
    shared: bool = False
    freed: tuple[str, ...] = ()
    unfreed: int = 0

    @property
    def until(self) -> int:
        """How many images count once all of `buy` is bought: the purchase goes on until then."""
        return self.counted + self.unfreed + self.buy

    @property
    def cost(self) -> Decimal:
        """US dollars this line would cost."""
        return self.each * self.buy


@dataclass(frozen=True)
class Ceiling:
    """What is left below one cap, in micro-dollars (of the cap on images: in images), and what to call it."""

    cap: Cap
    words: str
    left: int

    def room(self, each: int, spent: int, images: int) -> int | None:
        """How many more images of that price fit after `spent` micro-dollars for `images`; None: any number."""
        if self.cap is Cap.IMAGES:
            return max(0, self.left - images)
        return max(0, self.left - spent) // each if each else None


@dataclass(frozen=True)
class Plan:
    """All items in manifest order. `departed` counts images per prompt id that no manifest wants any more."""

    origin: str
    items: tuple[Item, ...]
    departed: Mapping[str, int]
    warnings: tuple[Problem, ...] = ()

    @property
    def buy(self) -> int:
        """Images to buy."""
        return sum(item.buy for item in self.items)

    @property
    def cost(self) -> Decimal:
        """US dollars at the price book's prices."""
        return sum((item.cost for item in self.items), Decimal(0))

    @property
    def left_out(self) -> int:
        """Images that are wanted but not bought now, because of a limit."""
        return sum(item.left_out for item in self.items)


def make_plan(
    variants: Sequence[Variant],
    origin: str,
    book: Book,
    prices: Prices,
    *,
    doubtful: Mapping[str, str] | None = None,
    departed: Mapping[str, int] | None = None,
    retry: Mapping[str, Sequence[str]] | None = None,
    limit: int | None = None,
    ceilings: Sequence[Ceiling] = (),
    warnings: Iterable[Problem] = (),
) -> Plan:
    """The plan for these variants. `doubtful` maps ids of requests in doubt to why; `limit` is in images.

    `retry` names, by fingerprint, images that somebody wants others for.
    """
    shared: dict[str, Variant] = {}
    wanted: dict[str, int] = {}
    for variant in variants:
        print_ = fingerprint(variant, origin)
        shared.setdefault(print_, variant)
        wanted[print_] = max(wanted.get(print_, 0), variant.count)
    items: list[Item] = []
    for variant in variants:
        print_ = fingerprint(variant, origin)
        quote = prices(variant)
        if shared[print_] is not variant:
            items.append(_sharing(variant, print_, shared[print_].name, quote))
            continue
        item = _item(variant, print_, wanted[print_], book.of(print_), quote, doubtful or {})
        items.append(_retried(item, book.of(print_), (retry or {}).get(print_, ())))
    return Plan(origin, tuple(_limited(items, limit, ceilings)), dict(departed or {}), tuple(warnings))


def _sharing(variant: Variant, print_: str, owner: str, quote: Quote) -> Item:
    reason = f"the same picture as {owner}, shares its images"
    count = variant.count
    return Item(variant, print_, Verdict.HAVE, reason, count, count, 0, quote.usd, quote.source, shared=True)


def _item(
    variant: Variant, print_: str, wanted: int, standing: Standing, quote: Quote, doubtful: Mapping[str, str]
) -> Item:
    doubts = [entry for entry in standing.live.values() if entry.id in doubtful]
    in_doubt = sum(entry.counted for entry in doubts)
    missing = max(0, wanted - standing.counted)
    item = Item(variant, print_, Verdict.HAVE, "", wanted, standing.counted, missing, quote.usd, quote.source, in_doubt)
    if missing and _refused(standing):
        return replace(item, verdict=Verdict.BLOCKED, buy=0, reason="refused as unsafe; change the prompt")
    if missing:
        return replace(item, verdict=Verdict.BUY, reason=_missing(wanted, standing, in_doubt))
    if doubts:
        why = doubtful[doubts[0].id]
        return replace(item, verdict=Verdict.IN_DOUBT, reason=f"{in_doubt} in doubt: {why}")
    more = standing.counted - wanted
    return replace(item, reason=f"{wanted} wanted, {standing.counted} bought" + (f" ({more} more)" if more else ""))


def _retried(item: Item, standing: Standing, images: Sequence[str]) -> Item:
    """The item with these images given up, if it wants others in their place: more than it has may be there anyway."""
    counted = item.counted - len(images)
    missing = item.wanted - counted
    if not images or missing <= 0 or item.verdict is Verdict.BLOCKED:
        return item
    if _refused(standing):
        return replace(item, verdict=Verdict.BLOCKED, buy=0, reason="refused as unsafe; change the prompt")
    reason = f"{len(images)} given up, bought again"
    if missing > len(images):
        reason += f"; {missing - len(images)} more missing"
    return replace(item, verdict=Verdict.BUY, reason=reason, counted=counted, buy=missing, freed=tuple(images))


def _refused(standing: Standing) -> bool:
    sealed = any(row.outcome is Outcome.REFUSED for row in standing.sealed.values())
    return sealed or any(e.final and e.final.outcome is Outcome.REFUSED for e in standing.live.values())


def _missing(wanted: int, standing: Standing, in_doubt: int) -> str:
    given_up = f", {len(standing.replaced)} given up" if standing.replaced else ""
    if not standing.counted and not given_up:
        return "new"
    doubt = f", {in_doubt} of them in doubt" if in_doubt else ""
    return f"{wanted} wanted, {standing.counted} bought{doubt}{given_up}"


def _limited(items: Iterable[Item], limit: int | None, ceilings: Sequence[Ceiling]) -> Iterable[Item]:
    """In manifest order: what fits under the image limit and the caps is bought, the rest is left out."""
    images, spent = 0, 0
    for item in items:
        each = micros(item.each)
        buy, why, cap = item.buy, "", None
        if limit is not None and limit - images < buy:
            buy, why = max(0, limit - images), "the limit of images"
        for ceiling in ceilings:
            room = ceiling.room(each, spent, images)
            if room is not None and room < buy:
                buy, why, cap = room, ceiling.words, ceiling.cap
        images += buy
        spent += each * buy
        if buy == item.buy:
            yield item
            continue
        left = item.buy - buy
        verdict = item.verdict if buy else Verdict.LEFT_OUT
        # Of what is given up only as much as is bought anew: the rest stays as it is.
        freed = item.freed[: max(0, len(item.freed) - left)]
        yield replace(
            item,
            verdict=verdict,
            buy=buy,
            left_out=left,
            cap=cap,
            reason=f"{left} left out by {why}",
            freed=freed,
            unfreed=len(item.freed) - len(freed),
        )


def select(variants: Sequence[Variant], words: Sequence[str]) -> tuple[Variant, ...]:
    """The variants that any word names: a prompt id, a whole variant name, ``tag:x`` or ``campaign:x``."""
    if not words:
        return tuple(variants)
    return tuple(variant for variant in variants if any(_named(variant, word) for word in words))


def _named(variant: Variant, word: str) -> bool:
    kind, colon, value = word.partition(":")
    if colon and kind == "tag":
        return value in variant.tags
    if colon and kind == "campaign":
        return value == variant.campaign
    return word in (variant.prompt_id, variant.name)
