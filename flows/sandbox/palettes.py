"""Which colours a picture has: those it was told, else ones that suit its words. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.sandbox.words import mentions

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True)
class Palette:
    """Six roles: lightest ground, darkest line, two that lead, one that strikes, one that rests."""

    paper: Colour
    ink: Colour
    main: Colour
    second: Colour
    accent: Colour
    soft: Colour


def _of(spelled: str) -> Palette:
    return Palette(*(parse(colour) for colour in spelled.split()))


def parse(spelled: str) -> Colour:
    """``#abc`` or ``#aabbcc``."""
    digits = spelled.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


_MOODS: Mapping[str, Palette] = {
    "sea": _of("f7f1e6 12344a 2f7f97 8cc3c6 f29e4c ead7b5"),
    "morning": _of("fdf4e7 3a3a44 7fb3b5 f4c9a0 f0955a f3dfc1"),
    "citrus": _of("fdf5e1 24382c f0a02c e2582d f7d25c a9c98d"),
    "dusk": _of("fdeee3 3a2140 d9705a 8f5a7a f5c77e f2bfa8"),
    "garden": _of("f5f2e6 1f3328 4e7d5b 9abf8f e3ae4c dbe2c8"),
    "night": _of("eef1f7 111a30 29457a 6a8cc0 f4c553 b3c4de"),
    "clay": _of("faf1e8 3c2a25 c4704b dba77f 3f7f7a ecd3bd"),
    "mint": _of("f4f8f1 1d3a3a 5fb09a b9dcc8 f27c66 dcebdc"),
}
_PRESETS: Mapping[str, Palette] = {
    "ember": _of("fdeedd 2b1512 d8432b f08a3c f6c445 e8b796"),
    "fresh": _of("f6fbef 17402f 5fbf6b 3fa7c4 f5d547 cfe9cf"),
    "jungle": _of("f1f3e2 12281c 2f6b3c 7a9a3b e0912f bccb9a"),
    "magic": _of("f8effb 24123f 7c3fb8 d457a8 45c4d6 d9c3ee"),
    "melon": _of("fff3ea 3d2b2b f2735f 86bf6a f7c873 fbd3c1"),
    "mosaic": _of("fbf4e6 1c2745 2e5fa8 d6483b f0b92f 7fc0b5"),
    "pastel": _of("fffaf5 3f3b57 b5a6dc f4b8c4 f6d89a cfe6e3"),
    "ultramarine": _of("f0f3fb 0b1440 2334a8 5c7de0 f2b84b b9c8f0"),
}
_WORDS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("night", ("night", "midnight", "moon", "stars")),
    ("dusk", ("dusk", "sunset", "evening", "golden hour")),
    ("citrus", ("citrus", "orange", "lemon", "lime", "grapefruit")),
    ("garden", ("garden", "leaf", "leaves", "botanic", "botanical", "forest", "fern", "herb", "olive")),
    ("clay", ("clay", "terracotta", "desert", "ceramic")),
    ("morning", ("morning", "breakfast", "dawn", "sunrise")),
    ("sea", ("sea", "seaside", "beach", "ocean", "wave", "coast", "sand", "harbour", "harbor")),
    ("mint", ("mint", "fresh", "spring", "spa")),
)


def choose(words: str, options: Mapping[str, Any], rng: random.Random) -> Palette:
    """The palette of a request; `words` are lower case."""
    asked = options.get("color_palette")
    if isinstance(asked, Mapping):
        if isinstance(asked.get("name"), str) and asked["name"].lower() in _PRESETS:
            return _PRESETS[asked["name"].lower()]
        if asked.get("members"):
            return _from_members(asked["members"])
    for mood, signs in _WORDS:
        if mentions(words, signs):
            return _MOODS[mood]
    return _MOODS[rng.choice(sorted(_MOODS))]


def _from_members(members: Sequence[Mapping[str, Any]]) -> Palette:
    """Roles for the colours asked for: the heaviest lead; missing ones are mixed from the others."""
    ordered = sorted(members, key=lambda member: -float(member.get("color_weight") or 0))
    colours = [parse(str(member["color_hex"])) for member in ordered]
    by_light = sorted(colours, key=luminance)
    lightest, darkest = by_light[-1], by_light[0]
    paper = lightest if luminance(lightest) > 0.75 else mix(lightest, (255, 255, 255), 0.8)
    ink = darkest if luminance(darkest) < 0.25 else mix(darkest, (0, 0, 0), 0.7)
    leading = [colour for colour in colours if colour not in (paper, ink)] or [mix(paper, ink, 0.5)]
    main = leading[0]
    second = leading[1] if len(leading) > 1 else mix(main, paper, 0.45)
    accent = leading[2] if len(leading) > 2 else mix(leading[-1], ink, 0.25)
    soft = leading[3] if len(leading) > 3 else mix(main, paper, 0.72)
    return Palette(paper, ink, main, second, accent, soft)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def luminance(colour: Colour) -> float:
    """How light a colour looks, 0 to 1."""
    red, green, blue = colour
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255
