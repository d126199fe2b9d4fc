"""Scenes indoors: a still life, and a breakfast table from above. Pure."""

from __future__ import annotations

import math

from flows.sandbox import motifs
from flows.sandbox.canvas import Blend
from flows.sandbox.palettes import WHITE, Colour, mix
from flows.sandbox.stage import Room, Stage


def still_life(stage: Stage) -> Room:
    """A wall, a table, a bottle or a vase with leaves, and fruit beside it."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height, unit = canvas.width, canvas.height, canvas.unit
    canvas.ground(Blend(mix(palette.soft, WHITE, 0.25), mix(palette.soft, palette.main, 0.3), 35))
    canvas.glow(width * 0.22, height * 0.18, max(width, height) * 0.7, WHITE, 0.5)
    table = height * 0.74
    if not canvas.flat:
        _window(stage, table)
    wood = Blend(mix(palette.second, palette.paper, 0.25), mix(palette.second, palette.ink, 0.22), 90)
    canvas.polygon([(0, table), (width, table), (width, height), (0, height)], wood)
    canvas.polygon(
        [(0, table), (width, table), (width, table + unit * 0.006), (0, table + unit * 0.006)],
        WHITE,
        alpha=0.35,
    )
    wide = width > height * 1.3
    x = width * (0.72 if wide else rng.uniform(0.42, 0.5))
    foot = height * 0.86
    tall = min(height * (0.6 if wide else 0.5), width * 0.95)
    motifs.bottle(canvas, x, foot, tall, palette=palette, glass=mix(palette.main, palette.second, 0.4))
    if "fruit" not in stage.without:
        radius = tall * 0.115
        for number, side in enumerate((1, -1) if rng.random() < 0.6 else (1,)):
            fruit_x = x + side * tall * (0.3 + 0.06 * number)
            _fruit(stage, fruit_x, foot + radius * 0.12 * (2 - number), radius * (1 - 0.12 * number))
    if wide:
        return width * 0.06, height * 0.14, width * 0.54, height * 0.6
    return width * 0.08, height * 0.06, width * 0.92, foot - tall - unit * 0.03


def breakfast(stage: Stage) -> Room:
    """A table from above: cloth, plates, coffee, citrus."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height, unit = canvas.width, canvas.height, canvas.unit
    canvas.ground(Blend(mix(palette.soft, palette.paper, 0.55), mix(palette.soft, palette.accent, 0.12), 60))
    stripe = unit * 0.085
    for number in range(math.ceil((width + height) / stripe / 2) + 1):
        x = number * 2 * stripe - height * 0.18
        points = [(x, 0), (x + stripe, 0), (x + stripe + height * 0.18, height), (x + height * 0.18, height)]
        canvas.polygon(points, mix(palette.second, palette.paper, 0.25), alpha=0.32)
    wide = width > height * 1.3
    across = (0.66, 0.9, 0.49, 0.86, 0.985) if wide else (0.34, 0.79, 0.80, 0.10, 0.54)
    down = (0.55, 0.25, 0.86, 0.84, 0.6) if wide else (0.64, 0.50, 0.84, 0.95, 1.0)
    scale = min(unit, max(width, height) * 0.7)
    _plate(stage, width * across[0], height * down[0], scale * 0.31)
    motifs.cup(canvas, width * across[1], height * down[1], scale * 0.19, palette)
    for number in (2, 3, 4):
        x, y, radius = width * across[number], height * down[number], scale * rng.uniform(0.1, 0.13)
        disc = [(x + radius * (0.1 + math.cos(a / 8)), y + radius * (0.14 + math.sin(a / 8))) for a in range(51)]
        canvas.shadow(disc, palette.ink, blur=radius * 0.12, alpha=0.28)
        motifs.citrus(canvas, x, y, radius, flesh=_flesh(stage, number), turn=rng.uniform(0, 6.3))
    if "leaves" not in stage.without and "leaf" not in stage.without:
        green = mix(palette.ink, (90, 150, 90), 0.6)
        for turn in (0.3, 1.2, 2.2):
            x, y = width * (0.52 if wide else 0.97), height * (0.14 if wide else 0.68)
            motifs.leaf(canvas, x, y, scale * 0.19, angle=turn + 1.1, colour=green, vein=palette.paper)
    if wide:
        return width * 0.05, height * 0.16, width * 0.44, height * 0.84
    return width * 0.08, height * 0.06, width * 0.92, height * 0.30


def _window(stage: Stage, table: float) -> None:
    """Slanted light of a window on the wall."""
    canvas, unit = stage.canvas, stage.canvas.unit
    x, y = canvas.width * 0.12, canvas.height * 0.1
    for column in range(2):
        for row in range(2):
            left, top = x + column * unit * 0.22, y + row * unit * 0.26 + column * unit * 0.05
            right, slant = left + unit * 0.2, unit * 0.045
            foot = min(table - slant, top + unit * 0.24)
            pane = [(left, top), (right, top + slant), (right, foot + slant), (left, foot)]
            canvas.shadow(pane, WHITE, blur=unit * 0.008, alpha=0.3)


def _fruit(stage: Stage, x: float, foot: float, radius: float) -> None:
    canvas, palette = stage.canvas, stage.palette
    thrown = [(x + radius * (0.9 + 1.5 * math.cos(a / 8)), foot + radius * 0.2 * math.sin(a / 8)) for a in range(51)]
    canvas.shadow(thrown, palette.ink, blur=radius * 0.14, alpha=0.34)
    y = foot - radius * 0.95
    canvas.ellipse(x, y, radius, Blend(mix(palette.accent, WHITE, 0.3), mix(palette.accent, palette.ink, 0.3), 50))
    canvas.glow(x - radius * 0.35, y - radius * 0.4, radius * 0.55, WHITE, 0.6)
    canvas.ellipse(x + radius * 0.05, y - radius * 0.93, radius * 0.06, mix(palette.ink, palette.main, 0.4))
    motifs.leaf(
        canvas,
        x + radius * 0.05,
        y - radius * 0.95,
        radius * 0.85,
        angle=-0.45,
        colour=mix(palette.ink, (90, 150, 90), 0.6),
        vein=palette.paper,
    )


def _plate(stage: Stage, x: float, y: float, radius: float) -> None:
    canvas, palette = stage.canvas, stage.palette
    disc = [(x + radius * (0.06 + math.cos(a / 8)), y + radius * (0.09 + math.sin(a / 8))) for a in range(51)]
    canvas.shadow(disc, palette.ink, blur=radius * 0.08, alpha=0.34)
    china = mix(palette.paper, WHITE, 0.6)
    canvas.ellipse(x, y, radius, Blend(WHITE, mix(china, palette.ink, 0.08), 50))
    canvas.ring(x, y, radius * 0.96, radius * 0.02, palette.main, alpha=0.75)
    canvas.ellipse(x, y, radius * 0.7, Blend(mix(china, palette.ink, 0.07), china, 50))
    turn = stage.rng.uniform(0, 2)
    for number in range(3):
        a = turn + number * 2.1
        place = (x + radius * 0.27 * math.cos(a), y + radius * 0.27 * math.sin(a))
        disc = [
            (
                place[0] + radius * (0.02 + 0.33 * math.cos(b / 8)),
                place[1] + radius * (0.04 + 0.33 * math.sin(b / 8)),
            )
            for b in range(51)
        ]
        canvas.shadow(disc, palette.ink, blur=radius * 0.04, alpha=0.25)
        motifs.citrus(canvas, *place, radius * 0.33, flesh=_flesh(stage, number), turn=a)
    for number in range(7):
        a = turn + 0.9 + number * 2.4
        reach = radius * (0.52 if number % 2 else 0.46)
        bx, by = x + reach * math.cos(a), y + reach * math.sin(a)
        canvas.ellipse(bx, by, radius * 0.052, Blend(mix(palette.ink, (110, 80, 150), 0.5), palette.ink, 50))
        canvas.ellipse(bx - radius * 0.015, by - radius * 0.018, radius * 0.013, WHITE, alpha=0.7)


def _flesh(stage: Stage, number: int) -> Colour:
    """Warm flesh in any palette: its accent, more or less towards orange."""
    return mix(stage.palette.accent, ((255, 176, 46), (247, 212, 84), (235, 92, 60))[number % 3], 0.55)
