"""Price quotes and usage: read exactly, whatever is added to them, with nothing personal kept."""

from __future__ import annotations

import json
from dataclasses import astuple
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ideogram.money import NoQuote, PriceQuote, read_quote, read_usage

QUOTE = {"object": "price_quote", "quantity": 1, "usd_micros": 60_000, "qualifier": "exact"}
LINE = {
    "product": "ideogram_v3_generation",
    "description": "for anna@example.com",
    "endpoint": "/v2/image/generate/ideogram-3",
    "cost_total": "0.120000",
    "currency_code": "USD",
    "source": "api",
    "user_email": "anna@example.com",
    "api_key": {"id": "k1", "redacted_key": "ideo••••", "name": "Anna's"},
    "billed_units": {"unit": "image", "quantity": "2", "unit_price": "0.060000"},
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, PriceQuote(60_000, 1, exact=True)),
        ({"quantity": 4, "usd_micros": 240_000}, PriceQuote(240_000, 4, exact=True)),
        ({"qualifier": "estimate"}, PriceQuote(60_000, 1, exact=False)),
        ({"qualifier": "estimate", "upper_bound_usd_micros": 90_000}, PriceQuote(90_000, 1, exact=False)),
        ({"surprise": [1]}, PriceQuote(60_000, 1, exact=True)),
    ],
)
def test_a_quote_is_read(change: dict[str, Any], expected: PriceQuote) -> None:
    """Amount, quantity and whether it is exact; of an estimate the upper bound."""
    assert read_quote(200, json.dumps({**QUOTE, **change}).encode()) == expected


@pytest.mark.parametrize(
    ("status", "body", "ran"),
    [
        (200, b'{"generation_id": "x", "data": []}', True),
        (200, b'{"data": [{"url": "u"}]}', True),
        (200, b"<html>", False),
        (200, json.dumps({**QUOTE, "quantity": 0}).encode(), False),
        (200, json.dumps({**QUOTE, "usd_micros": -1}).encode(), False),
        (200, json.dumps({**QUOTE, "usd_micros": True}).encode(), False),
        (400, b'{"error": "prompt: a string is required."}', False),
    ],
)
def test_what_is_no_quote_says_why_and_whether_it_was_a_purchase(status: int, body: bytes, ran: bool) -> None:
    """A dry run that ran after all is the one thing that must not go on."""
    found = read_quote(status, body)
    assert isinstance(found, NoQuote)
    assert found.ran is ran


def _usage(*lines: dict[str, Any], key: str = "ideogram-key-1") -> Any:
    bucket = {"start_time": "2026-11-22T00:00:00Z", "end_time": "2026-11-23T00:00:00Z", "line_items": list(lines)}
    return read_usage(json.dumps({"buckets": [bucket]}).encode(), key)


def test_usage_is_read_exactly_and_without_anything_personal() -> None:
    """Day, endpoint, amounts: decimals, never floats; names, addresses and key ids stay behind."""
    usage = _usage(LINE)
    (line,) = usage.lines
    assert (line.day, line.usd, line.images, line.unit_usd, line.ours) == (
        *(date(2026, 11, 22), Decimal("0.12"), 2, Decimal("0.06")),
        True,
    )
    assert "anna" not in str(astuple(line)).lower()
    assert "k1" not in str(astuple(line))


@pytest.mark.parametrize(
    ("change", "ours"),
    [
        ({"api_key": {"id": "k2", "redacted_key": "othr••••"}}, False),
        ({"api_key": {"id": "k2", "redacted_key": "ideo...ey-1"}}, True),
        ({"api_key": {"id": "k2", "redacted_key": "ideo...ey-2"}}, False),
        ({"api_key": {"id": "k2", "redacted_key": "••••••••"}}, None),
        ({"api_key": {"id": "k2"}}, None),
        ({"api_key": None}, False),
        ({"source": "app"}, False),
    ],
)
def test_whose_line_it_is_follows_from_the_visible_characters(change: dict[str, Any], ours: bool | None) -> None:
    """Another key, or none, is somebody else's; a key that shows nothing leaves it open."""
    (line,) = _usage({**LINE, **change}).lines
    assert line.ours is ours


@pytest.mark.parametrize(
    "change", [{"cost_total": "1e99"}, {"cost_total": None}, {"cost_total": 0.06}, {"currency_code": "EUR"}]
)
def test_amounts_that_cannot_be_read_are_counted(change: dict[str, Any]) -> None:
    """A line is not left out of a sum in silence."""
    usage = _usage(LINE, {**LINE, **change})
    assert (len(usage.lines), usage.unread) == (1, 1)


def test_usage_without_pieces_has_only_a_sum() -> None:
    """Products priced by what they used tell no units."""
    (line,) = _usage({name: value for name, value in LINE.items() if name != "billed_units"}).lines
    assert (line.images, line.unit_usd, line.usd) == (None, None, Decimal("0.12"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_answer_makes_a_reader_fail(data: Any) -> None:
    """Whatever JSON comes, it is read or said not to be."""
    for body in (data, {"buckets": data}, {"buckets": [data]}, {"buckets": [{"start_time": "x", "line_items": data}]}):
        text = json.dumps(body).encode()
        read_quote(200, text)
        read_usage(text, "key")
