"""What the API says about money: price quotes, and the account's usage. Pure.

Usage may carry the e-mail addresses and names of whoever used the account: they are dropped here and never leave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeGuard

_HIDDEN = re.compile(r"[*•·…xX.]{3,}|•+|\*+|…")


@dataclass(frozen=True)
class PriceQuote:
    """What a request would cost, in micro-dollars, for `quantity` images. `exact` is false for an estimate.

    Of an estimate `micros` is the upper bound where the API gives one.
    """

    micros: int
    quantity: int
    exact: bool


@dataclass(frozen=True)
class NoQuote:
    """There is no price, and why. `ran`: the answer is that of a purchase, so the images were made and billed."""

    why: str
    ran: bool = False


def read_quote(status: int, body: bytes) -> PriceQuote | NoQuote:
    """What the answer to a dry run means."""
    data = _object(body)
    if status != 200 or data is None:
        words = (data or {}).get("error") or (data or {}).get("detail") or (data or {}).get("message")
        return NoQuote(f"HTTP {status}" + (f": {str(words)[:300]}" if words else ""))
    if data.get("object") != "price_quote":
        ran = bool(data.get("generation_id") or data.get("data"))
        return NoQuote("the answer is not a price quote", ran=ran)
    micros, quantity, most = (data.get(name) for name in ("usd_micros", "quantity", "upper_bound_usd_micros"))
    if not _whole(micros) or not _whole(quantity) or not quantity:
        return NoQuote("the quote has no usable amount")
    exact = data.get("qualifier") == "exact"
    return PriceQuote(max(micros, most) if not exact and _whole(most) else micros, quantity, exact)


@dataclass(frozen=True)
class UsageLine:
    """What the account was billed for one product on one UTC day, in US dollars.

    `images` and `unit_usd` are None where the API counts no pieces. `ours` says whether it was this key: None where
    the redacted key does not tell. Nothing personal is in it.
    """

    day: date
    endpoint: str
    usd: Decimal
    images: int | None
    unit_usd: Decimal | None
    ours: bool | None


@dataclass(frozen=True)
class Usage:
    """The lines of an answer, and how many could not be read."""

    lines: tuple[UsageLine, ...]
    unread: int = 0


def read_usage(body: bytes, key: str) -> Usage | None:
    """The usage that an answer tells, or None where it tells none. `key` is only compared with redacted ones."""
    data = _object(body)
    if data is None or not isinstance(data.get("buckets"), list):
        return None
    lines: list[UsageLine] = []
    unread = 0
    for bucket in data["buckets"]:
        day = _day(bucket)
        for item in _items(bucket):
            line = _line(day, item, key) if day else None
            if line is None:
                unread += 1
            else:
                lines.append(line)
    return Usage(tuple(lines), unread)


def _items(bucket: Any) -> Iterator[Any]:
    items = bucket.get("line_items") if isinstance(bucket, Mapping) else None
    yield from items if isinstance(items, list) else ()


def _line(day: date, item: Any, key: str) -> UsageLine | None:
    if not isinstance(item, Mapping):
        return None
    usd, currency = _amount(item.get("cost_total")), item.get("currency_code", "USD")
    if usd is None or currency != "USD":
        return None
    units = item.get("billed_units")
    units = units if isinstance(units, Mapping) else {}
    quantity = _amount(units.get("quantity"))
    whole = quantity is not None and units.get("unit") == "image" and quantity == quantity.to_integral_value()
    return UsageLine(
        day=day,
        endpoint=str(item.get("endpoint") or item.get("product") or "unknown"),
        usd=usd,
        images=int(quantity) if whole and quantity is not None else None,
        unit_usd=_amount(units.get("unit_price")),
        ours=_ours(item, key),
    )


def _ours(item: Mapping[str, Any], key: str) -> bool | None:
    """Whether a line was billed to this key, as far as its visible characters tell."""
    if item.get("source") == "app" or not isinstance(item.get("api_key"), Mapping):
        return False  # the web application, or a person's session
    api_key = item["api_key"]
    shown = api_key.get("redacted_key") or api_key.get("redacted_api_key")
    if not isinstance(shown, str) or not _HIDDEN.search(shown):
        return None
    first, last = _HIDDEN.split(shown)[0], _HIDDEN.split(shown)[-1]
    if not first and not last:
        return None
    return key.startswith(first) and key.endswith(last)


def _day(bucket: Any) -> date | None:
    try:
        start = datetime.fromisoformat(bucket["start_time"])
    except (KeyError, TypeError, ValueError):
        return None
    return start.astimezone(UTC).date() if start.tzinfo else None


def _amount(value: Any) -> Decimal | None:
    """A decimal string of the API, exactly."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < 10**12 else None


def _whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
