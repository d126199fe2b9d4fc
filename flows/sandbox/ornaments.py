"""Ornaments: a seamless pattern and an enamel badge. Pure."""

from __future__ import annotations

import math

from flows.sandbox import motifs
from flows.sandbox.canvas import Blend, Point
from flows.sandbox.palettes import WHITE, mix
from flows.sandbox.stage import Room, Stage


def pattern(stage: Stage) -> Room:
    """A seamless repeat: slices, leaves and dots, every second column dropped by half."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height = canvas.width, canvas.height
    night = stage.wants("playful") or rng.random() < 0.3
    ground = palette.ink if night else palette.paper
    canvas.ground(ground)
    columns = max(2, 2 * round(width / canvas.unit * 2))
    rows = max(2, round(height / (width / columns)))
    cell_x, cell_y = width / columns, height / rows
    cell = min(cell_x, cell_y)
    turn = rng.uniform(0, 6.3)
    leafy = mix(palette.soft, palette.ink, 0.1 if night else 0.35)
    # One cell beyond each edge, so that what leaves on one side comes in on the other.
    for column in range(-1, columns + 2):
        for row in range(-1, rows + 2):
            x, y = column * cell_x, (row + (0.5 if column % 2 else 0)) * cell_y
            kind = (row % rows + 2 * (column % columns)) % 3
            flesh = (palette.main, palette.second, palette.accent)[kind]
            lean = turn + kind * 1.1
            for side in (0.0, 2.5):
                motifs.leaf(canvas, x, y, cell * 0.52, angle=lean + side, colour=leafy, vein=ground)
            motifs.citrus(canvas, x, y, cell * (0.31, 0.27, 0.29)[kind], flesh=flesh, turn=lean)
            dot = palette.paper if night else palette.ink
            canvas.ellipse(x + cell_x * 0.5, y + cell_y * 0.02, cell * 0.022, dot)
            canvas.ellipse(x + cell_x * 0.5, y + cell_y * 0.12, cell * 0.012, palette.accent)
    return width * 0.18, height * 0.4, width * 0.82, height * 0.6


def badge(stage: Stage) -> Room:
    """A round enamel badge: metal rim, rays, a rising sun over waves."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height, unit = canvas.width, canvas.height, canvas.unit
    canvas.ground(Blend(mix(palette.paper, palette.soft, 0.3), mix(palette.paper, palette.soft, 0.95), 60))
    x, y, radius = width / 2, height / 2, unit * 0.39
    disc = [(x + radius * (0.05 + math.cos(a / 16)), y + radius * (0.08 + math.sin(a / 16))) for a in range(101)]
    canvas.shadow(disc, palette.ink, blur=radius * 0.09, alpha=0.45)
    gold = mix(palette.accent, (176, 128, 58), 0.55)
    bright, dark = mix(gold, (255, 246, 220), 0.7), mix(gold, (60, 36, 10), 0.35)
    canvas.ellipse(x, y, radius, Blend(bright, dark, 55))
    canvas.ellipse(x, y, radius * 0.965, Blend(dark, bright, 55))
    canvas.ellipse(x, y, radius * 0.94, Blend(mix(palette.ink, palette.main, 0.12), palette.ink, 60))
    canvas.ring(x, y, radius * 0.8, radius * 0.022, Blend(bright, dark, 55))
    inner = radius * 0.775
    canvas.ellipse(x, y, inner, Blend(mix(palette.second, WHITE, 0.2), palette.second, 70))
    low, rays = y + inner * 0.16, 16
    for ray in range(rays):
        a = math.pi * (ray + 0.5) / rays
        half = math.pi / rays * 0.27
        reach = [
            (x - math.cos(a + side) * inner * 1.0, low - math.sin(a + side) * inner * 1.0) for side in (-half, half)
        ]
        inside = [_within(point, x, y, inner) for point in reach]
        canvas.polygon([(x, low), *inside], mix(palette.paper, palette.accent, 0.25), alpha=0.85)
    canvas.ellipse(x, low, inner * 0.43, Blend(bright, dark, 55))
    canvas.ellipse(
        x,
        low,
        inner * 0.40,
        Blend(mix(palette.accent, WHITE, 0.25), mix(palette.accent, palette.second, 0.2), 80),
    )
    phase = rng.uniform(0, 6.3)
    for number, colour in enumerate(
        (palette.main, mix(palette.main, palette.ink, 0.35), mix(palette.main, palette.ink, 0.62))
    ):
        level = low + inner * (0.05 + 0.22 * number)
        crest, water = _water(x, y, inner, level=level, phase=phase + number * 1.9)
        canvas.polygon(water, colour)
        thin = inner * 0.018
        canvas.polygon([*crest, *((px, py + thin) for px, py in reversed(crest))], mix(bright, gold, 0.4))
    for number in range(28):
        a = 2 * math.pi * number / 28
        canvas.ellipse(x + math.cos(a) * radius * 0.87, y + math.sin(a) * radius * 0.87, radius * 0.014, bright)
    if not canvas.flat:
        canvas.glow(x - radius * 0.42, y - radius * 0.52, radius * 0.75, WHITE, 0.42)
    return x - inner * 0.5, low + inner * 0.52, x + inner * 0.5, low + inner * 0.72


def _water(x: float, y: float, radius: float, *, level: float, phase: float) -> tuple[list[Point], list[Point]]:
    """Water inside a circle: its wavy upper edge, and the whole of it."""
    half = math.sqrt(max(0.0, radius**2 - (level - y) ** 2))
    crest = motifs.wave(x - half, x + half, level, height=radius * 0.03, length=radius * 0.62, phase=phase)
    crest = [_within(point, x, y, radius) for point in crest]
    start, end = math.atan2(crest[-1][1] - y, crest[-1][0] - x), math.atan2(crest[0][1] - y, crest[0][0] - x)
    end += 2 * math.pi if end < start else 0
    rim = [
        (
            x + radius * math.cos(start + (end - start) * s / 40),
            y + radius * math.sin(start + (end - start) * s / 40),
        )
        for s in range(41)
    ]
    return crest, crest + rim


def _within(point: tuple[float, float], x: float, y: float, radius: float) -> tuple[float, float]:
    """The point, pulled back onto the circle if it lies outside."""
    distance = math.hypot(point[0] - x, point[1] - y)
    share = min(1.0, radius / distance) if distance else 1.0
    return x + (point[0] - x) * share, y + (point[1] - y) * share
