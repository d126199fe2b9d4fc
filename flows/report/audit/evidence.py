"""What a finding has to show beside its words: colours asked and got, boxes in the picture, words, a measure.

Reads the `details` of findings, which checks fill as they like: what is not as expected is left out here and
listed as plain keys and values, so that nothing a check says is lost and nothing it says can break the page.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.checks.finding import Finding

_HEX = re.compile(r"#[0-9A-Fa-f]{6}\Z")
_DRAWN = frozenset({"swatches", "boxes", "expected", "read"})
MAX_SWATCHES = 8
MAX_BOXES = 40
MAX_FACTS = 12


@dataclass(frozen=True)
class Swatch:
    """One colour of a comparison: what was asked for, what is there, their difference in CIEDE2000, shares 0 to 1."""

    name: str
    asked: str | None
    asked_share: float | None
    got: str | None
    got_share: float | None
    delta_e: float | None


@dataclass(frozen=True)
class Box:
    """A place in the picture, in shares of its sides, and what is written there."""

    left: float
    top: float
    right: float
    bottom: float
    text: str
    kind: str


@dataclass(frozen=True)
class Meter:
    """A measure against its threshold, both placed on a scale from 0 to 1; `least` where more would be better."""

    value: str
    limit: str
    at: float
    limit_at: float
    least: bool


@dataclass(frozen=True)
class Evidence:
    """All that is shown of one finding."""

    swatches: tuple[Swatch, ...]
    boxes: tuple[Box, ...]
    expected: str
    read: str
    meter: Meter | None
    facts: tuple[tuple[str, str], ...]


def evidence(finding: Finding) -> Evidence:
    """What there is to show."""
    details = finding.details
    return Evidence(
        swatches=tuple(_swatches(details.get("swatches")))[:MAX_SWATCHES],
        boxes=tuple(_boxes(details.get("boxes")))[:MAX_BOXES],
        expected=_text(details.get("expected")),
        read=_text(details.get("read")),
        meter=meter(finding),
        facts=tuple(_facts(details))[:MAX_FACTS],
    )


def meter(finding: Finding) -> Meter | None:
    """The measure on a scale; None where there is nothing to compare, or where it does not differ."""
    measure, threshold = _number(finding.measure), _number(finding.threshold)
    if measure is None or threshold is None or measure == threshold or min(measure, threshold) < 0:
        return None
    least = measure < threshold
    share = finding.unit in SHARES and max(measure, threshold) <= 1
    top = 1.0 if share else max(measure, threshold) * 1.15
    return Meter(amount(measure, finding.unit), amount(threshold, finding.unit), measure / top, threshold / top, least)


SHARES = frozenset({"share", "ratio", "part", "rate"})
_WORDS = {"delta_e": "ΔE", "delta e": "ΔE", "dE": "ΔE", "s": "s", "bits": "bits"}


def amount(value: float, unit: str) -> str:
    """``12 %`` of a share, ``7.3 ΔE``, ``$5.00``, ``4 bits``."""
    if unit in SHARES:
        percent = value * 100
        return f"{percent:.0f} %" if percent >= 10 or percent == int(percent) else f"{percent:.1f} %"
    if unit.lower() in {"usd", "$"}:
        return f"${value:,.2f}"
    number = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {_WORDS.get(unit, unit)}".rstrip()


def _swatches(value: Any) -> Iterator[Swatch]:
    for one in _mappings(value):
        asked, got = _hex(one.get("asked")), _hex(one.get("got"))
        if asked or got:
            yield Swatch(
                _text(one.get("name")),
                asked,
                _number(one.get("asked_share")),
                got,
                _number(one.get("got_share")),
                _number(one.get("delta_e")),
            )


def _boxes(value: Any) -> Iterator[Box]:
    for one in _mappings(value):
        sides = one.get("box")
        if not isinstance(sides, (list, tuple)) or len(sides) != 4:
            continue
        numbers = [_number(side) for side in sides]
        if any(side is None for side in numbers):
            continue
        left, top, right, bottom = (min(max(side or 0.0, 0.0), 1.0) for side in numbers)
        if left < right and top < bottom:
            yield Box(left, top, right, bottom, _text(one.get("text")), _text(one.get("kind")))


def _facts(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted(details):
        value = details[key]
        drawn = key in _DRAWN and (not isinstance(value, (list, tuple)) or any(True for _ in _drawable(key, value)))
        if drawn or value is None or value == "" or value == []:
            continue
        yield str(key).replace("_", " "), _text(value)


def _drawable(key: str, value: Any) -> Iterator[Swatch | Box]:
    yield from _swatches(value) if key == "swatches" else _boxes(value)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, (list, tuple)):
        yield from (one for one in value if isinstance(one, Mapping))


def _hex(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) and _HEX.match(value) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
