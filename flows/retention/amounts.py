"""Spans of time and sizes as people write them in a policy: ``30d``, ``50GB``. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from pydantic_core import PydanticCustomError

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}
_NAMES = {"h": "hour", "d": "day", "w": "week", "y": "year"}
_SIZES = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_LONGEST = timedelta(days=36_500)


def span(value: Any) -> str:
    """A span as written, checked: a whole number and h, d, w or y."""
    hint = "Write a whole number and a unit: 12h, 30d, 8w or 2y."
    if isinstance(value, int) and not isinstance(value, bool):
        raise PydanticCustomError("span", "has no unit", {"hint": f"Write {value}d for days, or 12h, 8w, 2y."})
    found = re.fullmatch(r"([0-9]{1,6})\s*([hdwy])", value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError("span", "is not a span of time", {"hint": hint})
    if int(found[1]) * _UNITS[found[2]] > _LONGEST:
        raise PydanticCustomError("span", "is more than a hundred years", {"hint": "Write `forever: true`."})
    return f"{int(found[1])}{found[2]}"


def as_span(written: str) -> timedelta:
    """The length of a span that `span` has checked."""
    return int(written[:-1]) * _UNITS[written[-1]]


def in_words(length: timedelta) -> str:
    """``30 days``, ``12 hours``, ``8 weeks`` stay days and hours: what ages are compared with."""
    hours, rest = divmod(length, timedelta(hours=1))
    if rest or hours % 24:
        return _counted(hours, "h")
    return _counted(hours // 24, "d")


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {_NAMES[unit]}{'' if number == 1 else 's'}"


def size(value: Any) -> str:
    """A size as written, checked: a number and kB, MB, GB or TB (thousands, as disks and bills count)."""
    hint = "Write a number and a unit: 500MB, 50GB or 1.5TB."
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError("size", "has no unit", {"hint": f"Write {value}GB, or a smaller unit."})
    written = value.strip().lower() if isinstance(value, str) else ""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(kb|mb|gb|tb)", written)
    if found is None or float(found[1]) == 0:
        raise PydanticCustomError("size", "is not a size", {"hint": hint})
    return f"{found[1]}{found[2]}"


def as_size(written: str) -> int:
    """Bytes of a size that `size` has checked."""
    number, unit = written[:-2], written[-2:]
    whole, _, part = number.partition(".")
    bytes_: int = int(whole + part) * _SIZES[unit] // 10 ** len(part)
    return bytes_


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``13th``, ``1,042nd``."""
    tens, ones = number // 10 % 10, number % 10
    ending = "th" if tens == 1 else {1: "st", 2: "nd", 3: "rd"}.get(ones, "th")
    return f"{number:,}{ending}"
