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
_DRAWN = {"compared": "asked", "got": "hex", "brand": "hex", "boxes": "box"}
READ, WRONG = "read", "wrong"
MAX_SWATCHES = 8
MAX_BOXES = 40
MAX_FACTS = 12


@dataclass(frozen=True)
class Swatch:
    """Two colours compared: the one wanted and the one in the picture, their shares (0 to 1) and CIEDE2000."""

    name: str
    wanted: str | None
    wanted_share: float | None
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
    """A measure against its threshold, both placed on a scale from 0 to 1; `least` where more would be better.

    `of` is what the number counts, where the number alone does not say.
    """

    value: str
    limit: str
    of: str
    at: float
    limit_at: float
    least: bool


@dataclass(frozen=True)
class Evidence:
    """All that is shown of one finding. `requested`: the colours wanted are those of the request, not the brand's."""

    swatches: tuple[Swatch, ...]
    requested: bool
    boxes: tuple[Box, ...]
    asked: str
    read: str
    meter: Meter | None
    facts: tuple[tuple[str, str], ...]


def evidence(finding: Finding) -> Evidence:
    """What there is to show."""
    details = finding.details
    swatches = [*_asked(details.get("compared")), *_got(details.get("got"), details.get("brand"))]
    return Evidence(
        swatches=tuple(swatches[:MAX_SWATCHES]),
        requested="compared" in details,
        boxes=tuple(_boxes(details.get("boxes"), READ if finding.code == "lettering.missing" else WRONG))[:MAX_BOXES],
        asked=_text(details.get("asked")) if "read" in details else "",
        read=_text(details.get("read")),
        meter=meter(finding),
        facts=tuple(_facts(details))[:MAX_FACTS],
    )


def meter(finding: Finding) -> Meter | None:
    """The measure on a scale; None where there is nothing to compare it with."""
    measure, threshold = _number(finding.measure), _number(finding.threshold)
    if measure is None or threshold is None or measure == threshold or min(measure, threshold) < 0 or not threshold:
        return None
    least = measure < threshold
    part = _is_part(finding.unit) and max(measure, threshold) <= 1
    top = 1.0 if part else max(measure, threshold) * 1.15
    of = finding.unit if _is_part(finding.unit) and finding.unit not in {"share", "ratio"} else ""
    return Meter(
        amount(measure, finding.unit),
        amount(threshold, finding.unit if part else ""),
        of,
        measure / top,
        threshold / top,
        least,
    )


def _is_part(unit: str) -> bool:
    """Whether numbers of this unit are parts of a whole: ``share``, ``part of ...``, ``character error rate``."""
    return unit in {"share", "ratio"} or unit.startswith(("share ", "part ")) or " rate" in f" {unit}"


def amount(value: float, unit: str) -> str:
    """``12%`` of a part, ``7.3 ΔE``, ``$5.00``, ``4 bits``."""
    if _is_part(unit):
        percent = value * 100
        number = f"{percent:.0f}" if percent >= 9.95 or percent == round(percent) else f"{percent:.1f}"
        return f"{number}%"
    if unit.lower() in {"usd", "$"}:
        return f"${value:,.2f}"
    number = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {'ΔE' if unit.lower() == 'delta_e' else unit}".rstrip()


def _asked(value: Any) -> Iterator[Swatch]:
    """Every colour that a request named, and the colour of the picture that comes nearest."""
    for one in _mappings(value):
        asked, nearest = _hex(one.get("asked")), _hex(one.get("nearest"))
        if asked:
            shares = _number(one.get("asked_share")), _number(one.get("got_share"))
            yield Swatch("asked", asked, shares[0], nearest, shares[1], _number(one.get("delta_e")))


def _got(value: Any, brand: Any) -> Iterator[Swatch]:
    """The colours of a picture, the largest first, each beside the brand's nearest."""
    names = {_hex(one.get("hex")): _text(one.get("name")) for one in _mappings(brand)}
    for one in _mappings(value):
        got, nearest = _hex(one.get("hex")), _hex(one.get("nearest"))
        if got:
            name = names.get(nearest) or "nearest"
            yield Swatch(name, nearest, None, got, _number(one.get("share")), _number(one.get("delta_e")))


def _boxes(value: Any, kind: str) -> Iterator[Box]:
    for one in _mappings(value):
        sides = one.get("box")
        if not isinstance(sides, (list, tuple)) or len(sides) != 4:
            continue
        numbers = [_number(side) for side in sides]
        if any(side is None for side in numbers):
            continue
        left, top, right, bottom = (min(max(side or 0.0, 0.0), 1.0) for side in numbers)
        if left < right and top < bottom:
            yield Box(left, top, right, bottom, _text(one.get("text")), kind)


def _facts(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted(details):
        value, sign = details[key], _DRAWN.get(key)
        # Already drawn, if it is what its name promises; else it is told like anything else.
        drawn = sign is not None and any(sign in one for one in _mappings(value))
        if drawn or value is None or value in ("", [], {}) or (key in {"asked", "read"} and "read" in details):
            continue
        yield str(key).replace("_", " "), _text(value)


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
