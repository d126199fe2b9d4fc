"""Scenes: whole compositions, chosen by the words of a prompt. Pure.

Each leaves calm room where lettering may stand, and says where: `Room` is that part of the picture.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.sandbox import motifs
from flows.sandbox.canvas import Blend, Canvas
from flows.sandbox.palettes import Palette, mix
from flows.sandbox.words import mentions

_WHITE = (255, 255, 255)
Room = tuple[float, float, float, float]


@dataclass(frozen=True)
class Stage:
    """What a scene is drawn on and with. `words` are lower case; `without` are words of the negative prompt."""

    canvas: Canvas
    palette: Palette
    rng: random.Random
    words: str
    without: frozenset[str] = frozenset()

    def wants(self, thing: str) -> bool:
        """Whether the prompt names a thing and the negative prompt does not."""
        return mentions(self.words, (thing,)) and thing not in self.without


Scene = Callable[[Stage], Room]


def choose(words: str, rng: random.Random) -> Scene:
    """The scene that suits the words; by chance among the quiet ones when none does."""
    for signs, scene in _BY_WORD:
        if mentions(words, signs):
            return scene
    return rng.choice((abstract, botanical, beach, still_life))


def beach(stage: Stage) -> Room:
    """Sky, a low sun, the sea in bands, wet sand, and a bottle if one is asked for."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height, unit = canvas.width, canvas.height, canvas.unit
    wide = width > height * 1.3
    horizon = height * (rng.uniform(0.50, 0.54) if not wide else rng.uniform(0.46, 0.52))
    canvas.ground(
        Blend(mix(palette.second, palette.paper, 0.35), mix(palette.paper, palette.accent, 0.16), 90)
    )
    with_bottle = any(stage.wants(thing) for thing in ("bottle", "flask", "perfume"))
    right = rng.random() < 0.7
    if wide and with_bottle:
        sun_x = width * (0.6 if right else 0.4)
    else:
        sun_x = width * (rng.uniform(0.64, 0.78) if right else rng.uniform(0.22, 0.34))
    if "sun" not in stage.without:
        motifs.sun(
            canvas, sun_x, horizon - unit * rng.uniform(0.03, 0.09), unit * rng.uniform(0.07, 0.1), palette
        )
    far = mix(palette.main, palette.paper, 0.22)
    canvas.polygon(
        [(0, horizon), (width, horizon), (width, height), (0, height)], Blend(far, palette.main, 90)
    )
    shore = horizon + (height - horizon) * rng.uniform(0.42, 0.5)
    if "sun" not in stage.without:
        _glitter(stage, sun_x, horizon, shore)
    bands = 6
    for band in range(bands):
        share = (band + 1) / (bands + 1)
        y = horizon + (shore - horizon) * share**1.5
        top = motifs.wave(
            0, width, y, unit * 0.003 * (1 + 2.2 * share), unit * (0.3 + 0.5 * share), rng.uniform(0, 6.3)
        )
        tone = mix(palette.main, palette.ink if band % 2 else palette.second, 0.14 + 0.14 * share)
        thick = unit * (0.006 + 0.02 * share)
        canvas.polygon([*top, *((x, py + thick) for x, py in reversed(top))], tone, alpha=0.4)
    _sand(stage, shore)
    if with_bottle:
        tall = height * 0.72 if wide else min(height * 0.46, width * 0.85)
        place = width * (0.5 if height > width * 1.15 else (0.32 if right else 0.68))
        if wide:
            place = width * (0.78 if right else 0.22)
        motifs.bottle(canvas, place, height * 0.895, tall, palette, mix(palette.main, palette.ink, 0.12))
        if wide:
            left = 0.05 if right else 0.47
            return width * left, height * 0.09, width * (left + 0.48), horizon - unit * 0.06
    return width * 0.07, height * 0.07, width * 0.93, horizon - unit * 0.17


def still_life(stage: Stage) -> Room:
    """A wall, a table, a bottle or a vase with leaves, and fruit beside it."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height, unit = canvas.width, canvas.height, canvas.unit
    canvas.ground(Blend(mix(palette.soft, _WHITE, 0.25), mix(palette.soft, palette.main, 0.3), 35))
    canvas.glow(width * 0.22, height * 0.18, max(width, height) * 0.7, _WHITE, 0.5)
    table = height * 0.74
    if not canvas.flat:
        _window(stage, table)
    canvas.polygon([(0, table), (width, table), (width, height), (0, height)],
                   Blend(mix(palette.second, palette.paper, 0.25), mix(palette.second, palette.ink, 0.22), 90))  # fmt: skip
    canvas.polygon(
        [(0, table), (width, table), (width, table + unit * 0.006), (0, table + unit * 0.006)],
        _WHITE,
        alpha=0.35,
    )
    wide = width > height * 1.3
    x = width * (0.72 if wide else rng.uniform(0.42, 0.5))
    foot = height * 0.86
    tall = min(height * (0.6 if wide else 0.5), width * 0.95)
    motifs.bottle(canvas, x, foot, tall, palette, mix(palette.main, palette.second, 0.4))
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
        disc = [
            (x + radius * (0.1 + math.cos(a / 8)), y + radius * (0.14 + math.sin(a / 8))) for a in range(51)
        ]
        canvas.shadow(disc, palette.ink, blur=radius * 0.12, alpha=0.28)
        motifs.citrus(canvas, x, y, radius, _flesh(stage, number), rng.uniform(0, 6.3))
    if "leaves" not in stage.without and "leaf" not in stage.without:
        green = mix(palette.ink, (90, 150, 90), 0.6)
        for turn in (0.3, 1.2, 2.2):
            x, y = width * (0.52 if wide else 0.97), height * (0.14 if wide else 0.68)
            motifs.leaf(canvas, x, y, scale * 0.19, turn + 1.1, green, palette.paper)
    return (width * 0.05, height * 0.16, width * 0.44, height * 0.84) if wide else (
        width * 0.08, height * 0.06, width * 0.92, height * 0.30)  # fmt: skip


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
                motifs.leaf(canvas, x, y, cell * 0.52, lean + side, leafy, ground)
            motifs.citrus(canvas, x, y, cell * (0.31, 0.27, 0.29)[kind], flesh, lean)
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
    disc = [
        (x + radius * (0.05 + math.cos(a / 16)), y + radius * (0.08 + math.sin(a / 16))) for a in range(101)
    ]
    canvas.shadow(disc, palette.ink, blur=radius * 0.09, alpha=0.45)
    gold = mix(palette.accent, (176, 128, 58), 0.55)
    bright, dark = mix(gold, (255, 246, 220), 0.7), mix(gold, (60, 36, 10), 0.35)
    canvas.ellipse(x, y, radius, Blend(bright, dark, 55))
    canvas.ellipse(x, y, radius * 0.965, Blend(dark, bright, 55))
    canvas.ellipse(x, y, radius * 0.94, Blend(mix(palette.ink, palette.main, 0.12), palette.ink, 60))
    canvas.ring(x, y, radius * 0.8, radius * 0.022, Blend(bright, dark, 55))
    inner = radius * 0.775
    canvas.ellipse(x, y, inner, Blend(mix(palette.second, _WHITE, 0.2), palette.second, 70))
    low, rays = y + inner * 0.16, 16
    for ray in range(rays):
        a = math.pi * (ray + 0.5) / rays
        half = math.pi / rays * 0.27
        reach = [
            (x - math.cos(a + side) * inner * 1.0, low - math.sin(a + side) * inner * 1.0)
            for side in (-half, half)
        ]
        inside = [_within(point, x, y, inner) for point in reach]
        canvas.polygon([(x, low), *inside], mix(palette.paper, palette.accent, 0.25), alpha=0.85)
    canvas.ellipse(x, low, inner * 0.43, Blend(bright, dark, 55))
    canvas.ellipse(
        x,
        low,
        inner * 0.40,
        Blend(mix(palette.accent, _WHITE, 0.25), mix(palette.accent, palette.second, 0.2), 80),
    )
    phase = rng.uniform(0, 6.3)
    for number, colour in enumerate(
        (palette.main, mix(palette.main, palette.ink, 0.35), mix(palette.main, palette.ink, 0.62))
    ):
        level = low + inner * (0.05 + 0.22 * number)
        _clipped_wave(stage, x, y, inner, level, colour, mix(bright, gold, 0.4), phase + number * 1.9)
    for number in range(28):
        a = 2 * math.pi * number / 28
        canvas.ellipse(
            x + math.cos(a) * radius * 0.87, y + math.sin(a) * radius * 0.87, radius * 0.014, bright
        )
    if not canvas.flat:
        canvas.glow(x - radius * 0.42, y - radius * 0.52, radius * 0.75, _WHITE, 0.42)
    return width * 0.1, height * 0.03, width * 0.9, y - radius - unit * 0.02


def abstract(stage: Stage) -> Room:
    """Large calm shapes: discs and arches that overlap."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height, unit = canvas.width, canvas.height, canvas.unit
    canvas.ground(Blend(palette.paper, mix(palette.soft, palette.paper, 0.35), rng.choice((35, 70, 110))))
    for colour, at in (
        (palette.second, (0.82, 0.2)),
        (palette.accent, (0.12, 0.86)),
        (palette.main, (0.95, 0.9)),
    ):
        canvas.glow(width * at[0], height * at[1], unit * rng.uniform(0.5, 0.75), colour, 0.5)
    base = height * 1.0
    places = [0.2, 0.5, 0.8] if width >= height else [0.3, 0.72]
    rng.shuffle(places)
    colours = [palette.main, palette.second, palette.accent, palette.ink]
    for number, place in enumerate(places):
        span = unit * rng.uniform(0.17, 0.23)
        rise = height * rng.uniform(0.24, 0.5) if width >= height else height * rng.uniform(0.2, 0.4)
        _arch(stage, width * place, base, span, rise, colours[number])
    x = width * rng.uniform(0.3, 0.7)
    motifs.sun(canvas, x, height * rng.uniform(0.44, 0.52), unit * rng.uniform(0.09, 0.13), palette)
    return width * 0.07, height * 0.07, width * 0.93, height * 0.36


def botanical(stage: Stage) -> Room:
    """Stems with leaves before an arch of light."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height, unit = canvas.width, canvas.height, canvas.unit
    canvas.ground(Blend(palette.paper, mix(palette.paper, palette.soft, 0.75), 80))
    wide = width > height * 1.3
    middle = width * (0.7 if wide else 0.5)
    canvas.ellipse(
        middle,
        height * 0.62,
        min(unit * 0.34, width * 0.4),
        Blend(mix(palette.accent, _WHITE, 0.35), mix(palette.accent, palette.paper, 0.2), 90),
    )
    stems = 5
    green = palette.main
    for stem in range(stems):
        lean = (stem - (stems - 1) / 2) * 0.2 + rng.uniform(-0.05, 0.05)
        length = min(height * 0.62, width * 0.9) * rng.uniform(0.8, 1.0) * (1 - 0.25 * abs(lean))
        colour = mix(green, (palette.ink, palette.second, palette.soft)[stem % 3], 0.3)
        _stem(stage, middle + lean * unit * 0.25, height * 1.03, length, lean, colour)
    if wide:
        return width * 0.06, height * 0.16, width * 0.46, height * 0.8
    return width * 0.08, height * 0.06, width * 0.92, height * 0.32


def _glitter(stage: Stage, x: float, top: float, bottom: float) -> None:
    canvas, rng = stage.canvas, stage.rng
    light = mix(stage.palette.accent, _WHITE, 0.6)
    for _ in range(46):
        share = rng.random() ** 1.2
        y = top + (bottom - top) * share
        spread = canvas.unit * (0.03 + 0.13 * share)
        half = canvas.unit * (0.008 + 0.03 * share) * rng.uniform(0.5, 1.2)
        cx = x + rng.uniform(-spread, spread)
        canvas.ellipse(cx, y, half, light, ry=canvas.unit * 0.0016 * (1 + share), alpha=0.65)


def _sand(stage: Stage, shore: float) -> None:
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height, unit = canvas.width, canvas.height, canvas.unit
    phase, length = rng.uniform(0, 6.3), width * 1.15
    sand = mix(palette.soft, palette.accent, 0.1)
    layers = (
        (0.0, mix(palette.second, _WHITE, 0.35), 0.75),
        (0.022, _WHITE, 0.95),
        (0.034, mix(sand, palette.ink, 0.2), 1.0),
        (0.12, sand, 1.0),
    )
    for drop, colour, alpha in layers:
        top = motifs.wave(0, width, shore + unit * drop, unit * 0.026, length, phase + drop * 3)
        fill = Blend(colour, mix(sand, palette.ink, 0.07), 90) if drop >= 0.03 else colour
        canvas.polygon([*top, (width, height), (0, height)], fill, alpha=alpha)


def _window(stage: Stage, table: float) -> None:
    """Slanted light of a window on the wall."""
    canvas, unit = stage.canvas, stage.canvas.unit
    x, y = canvas.width * 0.12, canvas.height * 0.1
    for column in range(2):
        for row in range(2):
            left, top = x + column * unit * 0.22, y + row * unit * 0.26 + column * unit * 0.05
            pane = [(left, top), (left + unit * 0.2, top + unit * 0.045),
                    (left + unit * 0.2, min(table, top + unit * 0.285)), (left, min(table, top + unit * 0.24))]  # fmt: skip
            canvas.shadow(pane, _WHITE, blur=unit * 0.008, alpha=0.3)


def _fruit(stage: Stage, x: float, foot: float, radius: float) -> None:
    canvas, palette = stage.canvas, stage.palette
    thrown = [
        (x + radius * (0.9 + 1.5 * math.cos(a / 8)), foot + radius * 0.2 * math.sin(a / 8)) for a in range(51)
    ]
    canvas.shadow(thrown, palette.ink, blur=radius * 0.14, alpha=0.34)
    y = foot - radius * 0.95
    canvas.ellipse(
        x, y, radius, Blend(mix(palette.accent, _WHITE, 0.3), mix(palette.accent, palette.ink, 0.3), 50)
    )
    canvas.glow(x - radius * 0.35, y - radius * 0.4, radius * 0.55, _WHITE, 0.6)
    canvas.ellipse(x + radius * 0.05, y - radius * 0.93, radius * 0.06, mix(palette.ink, palette.main, 0.4))
    motifs.leaf(
        canvas,
        x + radius * 0.05,
        y - radius * 0.95,
        radius * 0.85,
        -0.45,
        mix(palette.ink, (90, 150, 90), 0.6),
        palette.paper,
    )


def _plate(stage: Stage, x: float, y: float, radius: float) -> None:
    canvas, palette = stage.canvas, stage.palette
    disc = [(x + radius * (0.06 + math.cos(a / 8)), y + radius * (0.09 + math.sin(a / 8))) for a in range(51)]
    canvas.shadow(disc, palette.ink, blur=radius * 0.08, alpha=0.34)
    china = mix(palette.paper, _WHITE, 0.6)
    canvas.ellipse(x, y, radius, Blend(_WHITE, mix(china, palette.ink, 0.08), 50))
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
        motifs.citrus(canvas, *place, radius * 0.33, _flesh(stage, number), a)
    for number in range(7):
        a = turn + 0.9 + number * 2.4
        reach = radius * (0.52 if number % 2 else 0.46)
        bx, by = x + reach * math.cos(a), y + reach * math.sin(a)
        canvas.ellipse(bx, by, radius * 0.052, Blend(mix(palette.ink, (110, 80, 150), 0.5), palette.ink, 50))
        canvas.ellipse(bx - radius * 0.015, by - radius * 0.018, radius * 0.013, _WHITE, alpha=0.7)


def _flesh(stage: Stage, number: int) -> tuple[int, int, int]:
    """Warm flesh in any palette: its accent, more or less towards orange."""
    return mix(stage.palette.accent, ((255, 176, 46), (247, 212, 84), (235, 92, 60))[number % 3], 0.55)


def _arch(
    stage: Stage, x: float, base: float, span: float, rise: float, colour: tuple[int, int, int]
) -> None:
    canvas = stage.canvas
    for band, share in enumerate((1.0, 0.72, 0.44)):
        half, top = span * share, base - rise - span * share + span
        tone = mix(colour, stage.palette.paper, (0.0, 0.32, 0.6)[band])
        points = [
            (x - half, base),
            *(
                (x - half * math.cos(a * math.pi / 40), top - half * math.sin(a * math.pi / 40))
                for a in range(41)
            ),
            (x + half, base),
        ]
        canvas.polygon(points, Blend(mix(tone, _WHITE, 0.12), mix(tone, stage.palette.ink, 0.1), 70))


def _stem(
    stage: Stage, x: float, foot: float, length: float, lean: float, colour: tuple[int, int, int]
) -> None:
    canvas, palette = stage.canvas, stage.palette
    spine = []
    for step in range(25):
        along = step / 24
        spine.append((x + math.sin(lean * 2.2 * along) * length * along * 0.7, foot - length * along))
    thin = length * 0.006
    canvas.polygon(
        [*((px - thin, py) for px, py in spine), *((px + thin, py) for px, py in reversed(spine))], colour
    )
    for step in range(6, 25, 3):
        px, py = spine[step]
        size = length * (0.26 - 0.13 * step / 24)
        for side in (-1, 1):
            motifs.leaf(
                canvas,
                px,
                py,
                size,
                -math.pi / 2 + lean * 0.8 + side * 0.85,
                mix(colour, palette.paper, 0.08 * (step % 2)),
                palette.paper,
            )
    motifs.leaf(canvas, *spine[-1], length * 0.15, -math.pi / 2 + lean, colour, palette.paper)


def _clipped_wave(
    stage: Stage, x: float, y: float, radius: float, level: float,
    colour: tuple[int, int, int], line: tuple[int, int, int], phase: float,
) -> None:  # fmt: skip
    """Water inside a circle, from a wavy level down, with a fine metal line along it."""
    half = math.sqrt(max(0.0, radius**2 - (level - y) ** 2))
    crest = motifs.wave(x - half, x + half, level, radius * 0.03, radius * 0.62, phase)
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
    stage.canvas.polygon(crest + rim, colour)
    thin = radius * 0.018
    stage.canvas.polygon([*crest, *((px, py + thin) for px, py in reversed(crest))], line)


def _within(point: tuple[float, float], x: float, y: float, radius: float) -> tuple[float, float]:
    """The point, pulled back onto the circle if it lies outside."""
    distance = math.hypot(point[0] - x, point[1] - y)
    share = min(1.0, radius / distance) if distance else 1.0
    return x + (point[0] - x) * share, y + (point[1] - y) * share


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
