"""Colour palettes and style codes: the forms people write, and the one the vendor takes.

A palette is a preset's name, a list of colours, `brand` (which `brands` has turned into members by now), or the
vendor's own ``{name: ...}`` or ``{members: [...]}``.
Members go out as ``{"color_hex": "#RRGGBB", "color_weight": w}``, heaviest first as the vendor asks; weights
are given for all or for none. Pure.
"""

from __future__ import annotations

import re
from typing import Any

from flows.documents import did_you_mean, shorten, shown
from flows.ideogram.catalogue import Option
from flows.manifest.slips import Slip

MIN_WEIGHT, MAX_WEIGHT = 0.05, 1.0

_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_CODE = re.compile(r"[0-9a-fA-F]{8}")
_QUOTE = "Write it in quotes, like '#F5A623'."
_FORMS = "Write a preset's name, or a list of colours in quotes: ['#F5A623', '#FFF4E0']."

Read = tuple[Any, list[Slip]]


def canonical_palette(option: Option, value: Any) -> Read:
    """``{"name": ...}`` or ``{"members": [...]}``, or what is wrong."""
    if isinstance(value, str):
        return _preset(option, value, ())
    if isinstance(value, list):
        return _members(option, value, ())
    if not isinstance(value, dict):
        return None, [Slip((), f"must be a palette, not {shown(value)}", _FORMS)]
    unknown = [key for key in value if key not in ("name", "members")]
    if unknown:
        hints = [did_you_mean(key, ("name", "members")) for key in unknown]
        found = zip(unknown, hints, strict=True)
        return None, [Slip((key,), f"unknown key `{shorten(key)}`", hint, key=True) for key, hint in found]
    if len(value) != 1:
        return None, [Slip((), "a palette is either a preset (name) or colours (members)", "Keep one of them.")]
    if "name" in value:
        return _preset(option, value["name"], ("name",))
    return _members(option, value["members"], ("members",))


def _preset(option: Option, value: Any, at: tuple[str, ...]) -> Read:
    if isinstance(value, str):
        for name in option.values:
            if name.lower() == value.strip().lower():
                return {"name": name}, []
        if _HEX.fullmatch(value.strip()):
            return None, [Slip(at, "a single colour is written as a list", f"Write ['{shorten(value)}'].")]
    hint = did_you_mean(value, option.values, "Presets") if isinstance(value, str) else _FORMS
    return None, [Slip(at, f"{shown(value)} is not a palette preset", hint)]


def _members(option: Option, value: Any, at: tuple[str, ...]) -> Read:
    if not isinstance(value, list) or not value:
        return None, [Slip(at, "must be a list of colours", _FORMS)]
    limit = option.max_length or len(value)
    if len(value) > limit:
        return None, [Slip(at, f"{len(value)} colours; at most {limit} are accepted", "Keep the main ones.")]
    members: list[dict[str, Any]] = []
    slips: list[Slip] = []
    for index, item in enumerate(value):
        member, wrong = _member(item, (*at, index))
        members.append(member)
        slips += wrong
    weighted = sum("color_weight" in member for member in members)
    if not slips and weighted not in (0, len(members)):
        hint = "Give every colour a color_weight, or none."
        slips.append(Slip(at, f"{weighted} of {len(members)} colours have a weight", hint))
    if slips:
        return None, slips
    # Python's sort is stable: colours of equal weight keep the order they were written in.
    return {"members": sorted(members, key=lambda member: -member.get("color_weight", 0.0))}, []


def _member(item: Any, at: tuple[str | int, ...]) -> tuple[dict[str, Any], list[Slip]]:
    if not isinstance(item, dict):
        return _colour(item, at)
    slips = []
    for key in item:
        if key not in ("color_hex", "color_weight"):
            hint = did_you_mean(key, ("color_hex", "color_weight"))
            slips.append(Slip((*at, key), f"unknown key `{shorten(key)}`", hint, key=True))
    if "color_hex" not in item:
        return {}, [*slips, Slip(at, "`color_hex` is missing", _QUOTE)]
    member, wrong = _colour(item["color_hex"], (*at, "color_hex"))
    slips += wrong
    if "color_weight" in item:
        weight = item["color_weight"]
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not MIN_WEIGHT <= weight <= MAX_WEIGHT:
            message = f"a weight is a number from {MIN_WEIGHT} to {MAX_WEIGHT:g}, not {shown(weight)}"
            slips.append(Slip((*at, "color_weight"), message, "Weights are shares of the picture: 0.5 is a half."))
        else:
            member["color_weight"] = float(weight)
    return member, slips


def _colour(value: Any, at: tuple[str | int, ...]) -> tuple[dict[str, Any], list[Slip]]:
    match = _HEX.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return {}, [Slip(at, f"{shown(value)} is not a colour", _QUOTE)]
    digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    return {"color_hex": "#" + digits.upper()}, []


def canonical_codes(option: Option, value: Any) -> Read:
    """Style codes, each eight hexadecimal digits in upper case, or what is wrong."""
    if not isinstance(value, list) or not value:
        return None, [Slip((), "must be a list of style codes", "Write ['AAFF5733'].")]
    limit = option.max_length or len(value)
    if len(value) > limit:
        return None, [Slip((), f"{len(value)} codes; at most {limit} are accepted", "Keep the main ones.")]
    codes: list[str] = []
    slips: list[Slip] = []
    for index, item in enumerate(value):
        text = str(item) if isinstance(item, int) and not isinstance(item, bool) else item
        if isinstance(text, str) and _CODE.fullmatch(text.strip()):
            codes.append(text.strip().upper())
        else:
            hint = "A style code is eight hexadecimal digits, in quotes: 'AAFF5733'."
            slips.append(Slip((index,), f"{shown(item)} is not a style code", hint))
    return (codes, []) if not slips else (None, slips)
