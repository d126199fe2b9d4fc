"""Numbers and other people's text, said the way a person reads them: money, sizes, times, counts.

Money is never rounded: a price of a fortieth of a dollar shows all its digits. It knows nothing of reports.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB")
# Characters that reorder or hide the text around them: a prompt must not be able to disguise a report.
_DISGUISES = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def money(usd: Decimal) -> str:
    """US dollars, at least to the cent and never rounded: ``$1.80``, ``$0.025``, ``-$1,200.00``."""
    cents = Decimal("0.01")
    exact = usd.normalize()
    shown = usd.quantize(cents) if exact == exact.quantize(cents) else exact
    return f"{'-' if shown < 0 else ''}${abs(shown):,f}"


def size(count: int) -> str:
    """Bytes in decimal units, as disks and bills count them: ``512 bytes``, ``3.1 MB``."""
    if abs(count) < 1000:
        return "1 byte" if count == 1 else f"{count} bytes"
    value, unit = float(count), 0
    # 999,950 bytes would print as "1000.0 kB": what rounds up to the next unit is said in it.
    while abs(value) >= 999.95 and unit < len(_SIZES) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_SIZES[unit]}"


def duration(span: timedelta) -> str:
    """The two largest units that matter: ``0.4 s``, ``41 s``, ``3 min 5 s``, ``2 h 10 min``, ``3 d 4 h``."""
    seconds = max(span.total_seconds(), 0.0)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _pair(whole // 60, "min", whole % 60, "s")
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return _pair(minutes // 60, "h", minutes % 60, "min")
    hours = round(seconds / 3600)
    return _pair(hours // 24, "d", hours % 24, "h")


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")


def instant(moment: datetime) -> str:
    """A moment in UTC to the second: ``2026-11-22 21:42:05 UTC``. A naive `moment` is a bug and raises."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be told apart from another")
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 image``, ``30 images``, ``1,200 images``; `plural` where adding an s will not do."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def one_line(text: str, limit: int = 300) -> str:
    """Someone else's text made safe to print: one line, no control characters, at most `limit` characters.

    Line breaks and runs of blanks become one blank. What could drive a terminal, reorder the text beside it
    or cannot be encoded becomes U+FFFD, so that it is seen to have been there.
    """
    collapsed = " ".join(text.split())
    # Most text is plain, and a page of a thousand pictures has a lot of it.
    plain = collapsed.isascii() and collapsed.isprintable()
    safe = collapsed if plain else "".join("\ufffd" if _unsafe(char) else char for char in collapsed)
    return safe if len(safe) <= limit else safe[: limit - 1].rstrip() + "…"


def _unsafe(char: str) -> bool:
    return char in _DISGUISES or unicodedata.category(char) in {"Cc", "Cs", "Cn"}
