"""Numbers and other people's text in human words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.report import words


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        ("0", "$0.00"),
        ("1.8", "$1.80"),
        ("1.80000", "$1.80"),
        ("0.025", "$0.025"),
        ("1E+3", "$1,000.00"),
        ("1234567.891", "$1,234,567.891"),
        ("-1200", "-$1,200.00"),
        ("0.000001", "$0.000001"),
    ],
)
def test_money(usd: str, shown: str) -> None:
    """Money has its currency, at least two decimals, and all of its digits."""
    assert words.money(Decimal(usd)) == shown


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_money_is_never_rounded(usd: Decimal) -> None:
    """What is printed is exactly what it is."""
    assert Decimal(words.money(usd).replace("$", "").replace(",", "")) == usd


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (3_123_456, "3.1 MB"),
        (7 * 10**18, "7000.0 PB"),
    ],
)
def test_size(count: int, shown: str) -> None:
    """Sizes are decimal, with one digit, and never say 1000.0 of a unit that has a larger one."""
    assert words.size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0.0 s"),
        (0.412, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (185, "3 min 5 s"),
        (3599.6, "1 h"),
        (7800, "2 h 10 min"),
        (86_399, "1 d"),
        (86_400 * 3 + 3600 * 4, "3 d 4 h"),
    ],
)
def test_duration(seconds: float, shown: str) -> None:
    """Times are said in the two units that matter, and roll over cleanly."""
    assert words.duration(timedelta(seconds=seconds)) == shown


def test_instant() -> None:
    """A moment is said in UTC; one without a time zone is a bug."""
    assert words.instant(datetime(2026, 11, 22, 21, 42, 5, tzinfo=UTC)) == "2026-11-22 21:42:05 UTC"
    with pytest.raises(ValueError, match="time zone"):
        words.instant(datetime(2026, 11, 22))  # noqa: DTZ001 - the mistake under test


def test_count() -> None:
    """One is singular, the rest plural, thousands are grouped."""
    assert [words.count(n, "image") for n in (0, 1, 1200)] == ["0 images", "1 image", "1,200 images"]
    assert words.count(2, "entry", "entries") == "2 entries"


@given(st.text(), st.integers(2, 50))
def test_one_line_is_safe_to_print(text: str, limit: int) -> None:
    """Whatever is said comes out as one short, encodable line that drives no terminal."""
    line = words.one_line(text, limit)
    assert len(line) <= limit
    assert line.encode("utf-8").decode() == line
    assert len(line.splitlines()) <= 1
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066" for char in line)


def test_one_line_keeps_what_people_write() -> None:
    """Accents, scripts and joined emoji stay as they are; an escape sequence does not."""
    assert words.one_line("Früh\n\tam  Meer 👩‍🎨 日の出") == "Früh am Meer 👩‍🎨 日の出"
    assert words.one_line("\x1b[2Jgone\u202e") == "\ufffd[2Jgone\ufffd"
