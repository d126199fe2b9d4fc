"""Subjects without a ground, for pictures with an alpha channel: one thing, soft edges, room for words. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from flows.sandbox import motifs
from flows.sandbox.ornaments import badge
from flows.sandbox.palettes import mix
from flows.sandbox.stage import Room, Stage
from flows.sandbox.words import mentions


def choose(words: str) -> Callable[[Stage], Room]:
    """The subject that the words name; a slice of fruit with leaves where they name none that is known."""
    return next((scene for signs, scene in _BY_WORD if mentions(words, signs)), _fruit)


def _bottle(stage: Stage) -> Room:
    canvas, palette = stage.canvas, stage.palette
    width, height = canvas.width, canvas.height
    tall = min(height * 0.62, width * 1.1)
    glass = mix(palette.main, palette.second, 0.4)
    motifs.bottle(canvas, width * 0.5, height * 0.94, tall, palette=palette, glass=glass)
    return width * 0.08, height * 0.04, width * 0.92, height * 0.92 - tall


def _cup(stage: Stage) -> Room:
    canvas = stage.canvas
    radius = canvas.unit * 0.3
    motifs.cup(canvas, canvas.width * 0.5, canvas.height * 0.93 - radius, radius, stage.palette)
    return canvas.width * 0.08, canvas.height * 0.04, canvas.width * 0.92, canvas.height * 0.9 - 2 * radius


def _sun(stage: Stage) -> Room:
    canvas, palette = stage.canvas, stage.palette
    x, radius = canvas.width * 0.5, canvas.unit * 0.22
    y = canvas.height * 0.95 - radius * 1.4
    for number in range(16):
        angle = 2 * math.pi * number / 16
        rays = [(angle - 0.09, 1.08), (angle, 1.4), (angle + 0.09, 1.08)]
        points = [(x + math.cos(turn) * radius * far, y + math.sin(turn) * radius * far) for turn, far in rays]
        canvas.polygon(points, palette.accent)
    motifs.sun(canvas, x, y, radius, palette)
    return canvas.width * 0.08, canvas.height * 0.04, canvas.width * 0.92, y - radius * 1.5


def _fruit(stage: Stage) -> Room:
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    x, radius = canvas.width * 0.5, canvas.unit * 0.28
    y = canvas.height * 0.93 - radius
    disc = [(x + radius * (0.08 + math.cos(a / 8)), y + radius * (0.1 + math.sin(a / 8))) for a in range(51)]
    canvas.shadow(disc, palette.ink, blur=radius * 0.1, alpha=0.3)
    green = mix(palette.soft, palette.ink, 0.35)
    for angle in (-2.3, -0.8):
        motifs.leaf(canvas, x, y - radius * 0.8, radius * 0.9, angle=angle, colour=green, vein=palette.paper)
    motifs.citrus(canvas, x, y, radius, flesh=palette.main, turn=rng.uniform(0, 6.3))
    return canvas.width * 0.08, canvas.height * 0.04, canvas.width * 0.92, y - radius * 1.7


_BY_WORD: Sequence[tuple[tuple[str, ...], Callable[[Stage], Room]]] = (
    (("badge", "emblem", "enamel", "medal", "coin", "logo", "sticker"), badge),
    (("bottle", "flask", "perfume", "product"), _bottle),
    (("cup", "coffee", "tea", "mug"), _cup),
    (("sun", "sunrise", "star"), _sun),
)
