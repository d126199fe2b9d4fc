"""Scenes out of doors, and of light alone: beach, stems, arches. Pure."""

from __future__ import annotations

import math

from flows.sandbox import motifs
from flows.sandbox.canvas import Blend, Point
from flows.sandbox.palettes import WHITE, Colour, mix
from flows.sandbox.stage import Room, Stage


def beach(stage: Stage) -> Room:
    """Sky, a low sun, the sea in bands, wet sand, and a bottle if one is asked for."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    width, height, unit = canvas.width, canvas.height, canvas.unit
    wide = width > height * 1.3
    horizon = height * (rng.uniform(0.50, 0.54) if not wide else rng.uniform(0.46, 0.52))
    canvas.ground(Blend(mix(palette.second, palette.paper, 0.35), mix(palette.paper, palette.accent, 0.16), 90))
    with_bottle = any(stage.wants(thing) for thing in ("bottle", "flask", "perfume"))
    right = rng.random() < 0.7
    if wide and with_bottle:
        sun_x = width * (0.6 if right else 0.4)
    else:
        sun_x = width * (rng.uniform(0.64, 0.78) if right else rng.uniform(0.22, 0.34))
    if "sun" not in stage.without:
        motifs.sun(canvas, sun_x, horizon - unit * rng.uniform(0.03, 0.09), unit * rng.uniform(0.07, 0.1), palette)
    far = mix(palette.main, palette.paper, 0.22)
    canvas.polygon([(0, horizon), (width, horizon), (width, height), (0, height)], Blend(far, palette.main, 90))
    shore = horizon + (height - horizon) * rng.uniform(0.42, 0.5)
    if "sun" not in stage.without:
        _glitter(stage, sun_x, horizon, shore)
    bands = 6
    for band in range(bands):
        share = (band + 1) / (bands + 1)
        y = horizon + (shore - horizon) * share**1.5
        top = motifs.wave(
            0,
            width,
            y,
            height=unit * 0.003 * (1 + 2.2 * share),
            length=unit * (0.3 + 0.5 * share),
            phase=rng.uniform(0, 6.3),
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
        motifs.bottle(canvas, place, height * 0.895, tall, palette=palette, glass=mix(palette.main, palette.ink, 0.12))
        if wide:
            left = 0.05 if right else 0.47
            return width * left, height * 0.09, width * (left + 0.48), horizon - unit * 0.06
    return width * 0.07, height * 0.07, width * 0.93, horizon - unit * 0.17


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
        Blend(mix(palette.accent, WHITE, 0.35), mix(palette.accent, palette.paper, 0.2), 90),
    )
    stems = 5
    green = palette.main
    for stem in range(stems):
        lean = (stem - (stems - 1) / 2) * 0.2 + rng.uniform(-0.05, 0.05)
        length = min(height * 0.62, width * 0.9) * rng.uniform(0.8, 1.0) * (1 - 0.25 * abs(lean))
        colour = mix(green, (palette.ink, palette.second, palette.soft)[stem % 3], 0.3)
        _stem(stage, (middle + lean * unit * 0.25, height * 1.03), length, lean, colour)
    if wide:
        return width * 0.06, height * 0.16, width * 0.46, height * 0.8
    return width * 0.08, height * 0.06, width * 0.92, height * 0.32


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
        _arch(stage, (width * place, base), span, rise, colours[number])
    x = width * rng.uniform(0.3, 0.7)
    motifs.sun(canvas, x, height * rng.uniform(0.44, 0.52), unit * rng.uniform(0.09, 0.13), palette)
    return width * 0.07, height * 0.07, width * 0.93, height * 0.36


def _glitter(stage: Stage, x: float, top: float, bottom: float) -> None:
    canvas, rng = stage.canvas, stage.rng
    light = mix(stage.palette.accent, WHITE, 0.6)
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
        (0.0, mix(palette.second, WHITE, 0.35), 0.75),
        (0.022, WHITE, 0.95),
        (0.034, mix(sand, palette.ink, 0.2), 1.0),
        (0.12, sand, 1.0),
    )
    for drop, colour, alpha in layers:
        top = motifs.wave(0, width, shore + unit * drop, height=unit * 0.026, length=length, phase=phase + drop * 3)
        fill = Blend(colour, mix(sand, palette.ink, 0.07), 90) if drop >= 0.03 else colour
        canvas.polygon([*top, (width, height), (0, height)], fill, alpha=alpha)


def _arch(stage: Stage, foot: Point, span: float, rise: float, colour: Colour) -> None:
    canvas, (x, base) = stage.canvas, foot
    for band, share in enumerate((1.0, 0.72, 0.44)):
        half, top = span * share, base - rise - span * share + span
        tone = mix(colour, stage.palette.paper, (0.0, 0.32, 0.6)[band])
        points = [
            (x - half, base),
            *((x - half * math.cos(a * math.pi / 40), top - half * math.sin(a * math.pi / 40)) for a in range(41)),
            (x + half, base),
        ]
        canvas.polygon(points, Blend(mix(tone, WHITE, 0.12), mix(tone, stage.palette.ink, 0.1), 70))


def _stem(stage: Stage, root: Point, length: float, lean: float, colour: Colour) -> None:
    canvas, palette, (x, foot) = stage.canvas, stage.palette, root
    spine = []
    for step in range(25):
        along = step / 24
        spine.append((x + math.sin(lean * 2.2 * along) * length * along * 0.7, foot - length * along))
    thin = length * 0.006
    canvas.polygon([*((px - thin, py) for px, py in spine), *((px + thin, py) for px, py in reversed(spine))], colour)
    for step in range(6, 25, 3):
        px, py = spine[step]
        size = length * (0.26 - 0.13 * step / 24)
        for side in (-1, 1):
            motifs.leaf(
                canvas,
                px,
                py,
                size,
                angle=-math.pi / 2 + lean * 0.8 + side * 0.85,
                colour=mix(colour, palette.paper, 0.08 * (step % 2)),
                vein=palette.paper,
            )
    motifs.leaf(canvas, *spine[-1], length * 0.15, angle=-math.pi / 2 + lean, colour=colour, vein=palette.paper)
