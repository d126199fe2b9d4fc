"""A brand file read: its colours resolved, its names collected, all that is wrong with it at once and in place.

Knows the format; opens no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flows.brand.file import DUTIES, BrandFile, Color, Face, Logo, Picture, Shades, Typography
from flows.brand.model import Brand, Colour
from flows.documents import Document, did_you_mean, shorten, shown, validate
from flows.errors import InvalidInput, Problem

_HEX = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_OURS = dict.fromkeys(
    ("tolerance", "tolerances", "lexicon", "gates", "gate", "audit", "fail_on", "thresholds"),
    "Tolerances, words and gates of a brand stand in configs/audit.yaml, under brands.",
)
_ADVICE: Mapping[str, str] = {
    **_OURS,
    "colors": "Did you mean `color`?",
    "colour": "Did you mean `color`?",
    "fonts": "Write it under `typography`.",
    "palette": "Write it under `color`.",
    "name": "Write it under `meta`.",
    "with": "Named palettes for other programs belong under `defaults`.",
}
_QUOTE = "Write it in quotes, as '#F5A623', or the name of a colour of the palette."


def load_brand(key: str, document: Document) -> Brand:
    """The brand of the file ``<key>.yml``, or InvalidInput with everything that is wrong with it."""
    file = validate(document, BrandFile, advice=_ADVICE)
    problems: list[Problem] = []
    palette = _palette(document, file.color, problems)
    duties = _duties(document, file.color, palette, problems)
    problems += _faces_problems(document, file.typography, palette, duties)
    logos = _logos(document, file.logo, problems)
    if problems:
        raise InvalidInput(problems)
    colours: dict[str, Colour] = {}
    for name, code in palette.items():
        colours.setdefault(code, Colour(name, code))
    for duty, code in duties.items():
        colours.setdefault(code, Colour(duty, code))
    return Brand(key, _name(file, key), tuple(colours.values()), duties, _faces(file.typography), logos)


def _name(file: BrandFile, key: str) -> str:
    name = file.meta.name
    if isinstance(name, str):
        return name
    return (name.short or name.full if name else None) or key


def _code(value: str) -> str | None:
    """``#RRGGBB`` in upper case, None where it is no code."""
    match = _HEX.fullmatch(value.strip())
    if match is None:
        return None
    digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    return "#" + digits.upper()


def _palette(document: Document, color: Color, problems: list[Problem]) -> dict[str, str]:
    """Every named colour as a code; a name may stand for another name, but never for itself in the end."""
    found: dict[str, str] = {}
    for name in color.palette:
        trail = [name]
        value = color.palette[name]
        while (code := _code(value)) is None and value in color.palette and value not in trail:
            trail.append(value)
            value = color.palette[value]
        path = ("color", "palette", name)
        if code is not None:
            found[name] = code
        elif value in trail:
            message = (
                f"the colour is {' which is '.join(shorten(one) for one in [*trail[1:], value])}: no code in the end"
            )
            problems.append(document.problem(path, message, _QUOTE))
        else:
            problems.append(document.problem(path, *_no_colour(value, color.palette)))
    return found


def _no_colour(value: str, known: Mapping[str, str]) -> tuple[str, str]:
    hint = did_you_mean(value, known, "Colours of the palette") if known and not value.startswith("#") else _QUOTE
    return f"{shown(value)} is neither a colour's code nor the name of one", hint


def _duties(document: Document, color: Color, palette: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    """The semantic colours as codes; each may name one of the palette, or another duty."""
    found: dict[str, str] = {}
    for duty in DUTIES:
        value = getattr(color, duty)
        trail = [duty]
        while value is not None and _code(value) is None and value not in color.palette and value in DUTIES:
            if value in trail:
                break
            trail.append(value)
            value = getattr(color, value)
        if getattr(color, duty) is None:
            continue
        if value is not None and (code := _code(value) or palette.get(value)):
            found[duty] = code
        elif value not in color.palette:  # else the palette's own problem has been told
            problems.append(document.problem(("color", duty), *_no_colour(getattr(color, duty), color.palette)))
    return found


def _faces(typography: Typography) -> dict[str, str]:
    """The typeface of each kind of text that names one; the first of `fonts` serves where `base` names none."""
    found: dict[str, str] = {}
    for name, face in _set(typography):
        family = face if isinstance(face, str) else face.family
        if family:
            found[name] = family
    if typography.fonts:
        found.setdefault("base", typography.fonts[0].family)
    return found


def _set(typography: Typography) -> Iterator[tuple[str, str | Face]]:
    for field, info in Typography.model_fields.items():
        value = getattr(typography, field)
        if field != "fonts" and value is not None:
            yield info.alias or field, value


def _faces_problems(
    document: Document, typography: Typography, palette: Mapping[str, str], duties: Mapping[str, str]
) -> Iterator[Problem]:
    """Colours of typefaces have to exist as well."""
    known = {**palette, **duties}
    for name, face in _set(typography):
        if isinstance(face, str):
            continue
        for key, value in (("color", face.color), ("background-color", face.background_color)):
            if value is not None and _code(value) is None and value not in known:
                yield document.problem(("typography", name, key), *_no_colour(value, known))


def _logos(document: Document, logo: str | Logo | None, problems: list[Problem]) -> dict[str, str]:
    """Paths by name: of the images, and of the three sizes (with ``-light`` and ``-dark`` where both are given)."""
    if logo is None or isinstance(logo, str):
        return {"logo": logo} if logo else {}
    images = {name: _path(value) for name, value in logo.images.items()}
    found = dict(images)
    for size in ("small", "medium", "large"):
        value = getattr(logo, size)
        shades: dict[str, Any] = {"": value}
        if isinstance(value, Shades):
            shades = {"-light": value.light, "-dark": value.dark}
        for end, one in shades.items():
            if one is None:
                continue
            path = _path(one)
            # A name without an end is meant to be one of the images.
            if path in images:
                path = images[path]
            elif isinstance(one, str) and "." not in path and "/" not in path:
                at = ("logo", size, end[1:]) if end else ("logo", size)
                hint = did_you_mean(path, images, "Images") if images else "Write the path of an image file."
                problems.append(document.problem(at, f"{shown(path)} is no image of this file", hint))
            found[size + end] = path
    return found


def _path(value: str | Picture) -> str:
    return value if isinstance(value, str) else value.path
