"""Our books beside the vendor's bill, per UTC day and endpoint, with every difference explained or called what it is.

Pure. What we know for certain is a lower bound, what may have been billed besides is an upper one; a bill in between
is explained by what makes the difference. A bill outside of that is not: money may have been paid twice, or another
program buys with the same key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from flows.ideogram.money import UsageLine

LAG = timedelta(minutes=15)
NIGHT = timedelta(minutes=15)


class Kind(StrEnum):
    """What our books say about one request."""

    SETTLED = "settled"  # it ran and was billed
    IN_DOUBT = "in doubt"  # open, or nobody heard of it again: perhaps billed
    GIVEN_UP = "given up"  # ended as not run on somebody's word: perhaps billed after all
    WRITTEN_OFF = "written off"  # counted as billed on somebody's word: perhaps never was


@dataclass(frozen=True)
class Bought:
    """One request of ours. `usd` is what it cost, or would have."""

    at: datetime
    endpoint: str
    model: str
    images: int
    usd: Decimal
    kind: Kind


@dataclass
class Comparison:
    """One endpoint on one day. `ours` is what we hold for certain; the bill is explained between `low` and `high`."""

    day: date
    endpoint: str
    models: set[str] = field(default_factory=set)
    ours: Decimal = Decimal(0)
    ours_images: int = 0
    theirs: Decimal = Decimal(0)
    theirs_images: int = 0
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    bought: int = 0
    others: Decimal = Decimal(0)
    reasons: list[str] = field(default_factory=list)
    explained: bool = True

    @property
    def difference(self) -> Decimal:
        """What the vendor billed more (or, below zero, less) than we hold for certain."""
        return self.theirs - self.ours


def reconcile(ours: Iterable[Bought], theirs: Iterable[UsageLine], now: datetime) -> list[Comparison]:
    """Every day and endpoint on which we or the bill say anything, in order. `now` is when the bill was asked for."""
    rows: dict[tuple[date, str], Comparison] = {}

    def row(day: date, endpoint: str) -> Comparison:
        return rows.setdefault((day, endpoint), Comparison(day, endpoint))

    more: defaultdict[tuple[date, str], set[str]] = defaultdict(set)
    less: defaultdict[tuple[date, str], set[str]] = defaultdict(set)
    for one in ours:
        day, next_day = one.at.date(), (one.at + NIGHT).date()
        here = row(day, one.endpoint)
        here.models.add(one.model)
        here.bought += 1
        certain = one.kind in (Kind.SETTLED, Kind.WRITTEN_OFF)
        if certain:
            here.ours += one.usd
            here.ours_images += one.images
        here.high += one.usd
        if not certain:
            more[day, one.endpoint].add(_SAYS[one.kind])
        elif one.kind is Kind.WRITTEN_OFF:
            less[day, one.endpoint].add(_SAYS[one.kind])
        elif now - one.at < LAG:
            less[day, one.endpoint].add("usage lags a few minutes behind")
        elif next_day != day:
            less[day, one.endpoint].add("requests before midnight UTC may be billed on the next day")
        else:
            here.low += one.usd
        if next_day != day:
            there = row(next_day, one.endpoint)
            there.models.add(one.model)
            there.bought += 1
            there.high += one.usd
            more[next_day, one.endpoint].add("requests before midnight UTC may be billed on the next day")
    for line in theirs:
        here = row(line.day, line.endpoint)
        if line.ours is False:
            here.others += line.usd
            continue
        here.theirs += line.usd
        here.theirs_images += line.images or 0
    for key, here in rows.items():
        _explain(here, sorted(more[key]), sorted(less[key]))
    return [rows[key] for key in sorted(rows) if rows[key].theirs or rows[key].high or rows[key].others]


_SAYS = {
    Kind.IN_DOUBT: "requests are open or in doubt: some of them ran",
    Kind.GIVEN_UP: "requests were given up as not run (recover --resubmit): some of them ran",
    Kind.WRITTEN_OFF: "requests were written off: some of them were never billed",
}


def _explain(here: Comparison, more: list[str], less: list[str]) -> None:
    if here.others:
        here.reasons.append(f"${here.others:f} more was billed to other keys, or in the web application")
    if here.theirs == here.ours:
        return
    if not here.bought:
        here.reasons.append("nothing of this was bought from here: somebody else uses the key")
    elif here.low <= here.theirs <= here.high:
        here.reasons += more if here.theirs > here.ours else less
    else:
        here.explained = False
        here.reasons.append(_unexplained(here))


def _unexplained(here: Comparison) -> str:
    if here.theirs_images and here.theirs_images == here.ours_images:
        return (
            f"the same {here.ours_images} images at another price, ${here.theirs / here.theirs_images:.6f} on average: "
            "see `ideoflow plan --quote`, and mend configs/prices.yaml"
        )
    if here.theirs > here.high:
        return "billed more than was bought from here: another program or history with this key, or paid twice"
    return "billed less than our books say: was the history copied, or another key used?"
