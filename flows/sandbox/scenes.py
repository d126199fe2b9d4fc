"""Which scene suits the words of a prompt. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from flows.sandbox.landscapes import abstract, beach, botanical
from flows.sandbox.ornaments import badge, pattern
from flows.sandbox.stage import Room, Stage
from flows.sandbox.tables import breakfast, still_life
from flows.sandbox.words import mentions

Scene = Callable[[Stage], Room]

_BY_WORD: Sequence[tuple[tuple[str, ...], Scene]] = (
    (("badge", "emblem", "enamel", "medal", "coin", "logo", "sticker"), badge),
    (("pattern", "seamless", "wallpaper", "textile", "tile"), pattern),
    (("breakfast", "table from above", "flat lay", "flat-lay", "brunch", "picnic"), breakfast),
    (
        (
            "beach",
            "sea",
            "seaside",
            "ocean",
            "sand",
            "shore",
            "coast",
            "horizon",
            "wave",
            "harbour",
            "harbor",
            "lagoon",
        ),
        beach,
    ),
    (
        ("bottle", "still life", "still-life", "vase", "table", "product", "perfume", "glass", "fruit"),
        still_life,
    ),
    (
        (
            "leaf",
            "leaves",
            "botanic",
            "botanical",
            "plant",
            "flower",
            "garden",
            "fern",
            "herb",
            "olive",
            "forest",
        ),
        botanical,
    ),
    (("abstract", "gradient", "geometric", "shapes", "arches"), abstract),
)


def choose(words: str, rng: random.Random) -> Scene:
    """The scene that suits the words; by chance among the quiet ones when none does."""
    for signs, scene in _BY_WORD:
        if mentions(words, signs):
            return scene
    return rng.choice((abstract, botanical, beach, still_life))
