"""What a scene is drawn on and with. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from flows.sandbox.canvas import Canvas
from flows.sandbox.palettes import Palette
from flows.sandbox.words import mentions

# The part of a picture that a scene leaves calm for lettering: left, top, right, bottom.
Room = tuple[float, float, float, float]


@dataclass(frozen=True)
class Stage:
    """Canvas, colours and chance; `words` in lower case, and `without`, the negative prompt's."""

    canvas: Canvas
    palette: Palette
    rng: random.Random
    words: str
    without: frozenset[str] = frozenset()

    def wants(self, thing: str) -> bool:
        """Whether the prompt names a thing and the negative prompt does not."""
        return mentions(self.words, (thing,)) and thing not in self.without
