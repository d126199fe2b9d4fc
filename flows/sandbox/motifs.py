"""Things that scenes are composed of: a bottle, a slice of citrus, a leaf, a cup, a sun, a wave. Pure."""

from __future__ import annotations

import math
from itertools import pairwise

from flows.sandbox.canvas import Blend, Canvas, Point
from flows.sandbox.palettes import WHITE, Colour, Palette, mix

# Half widths of the bottle by height from its foot, both as shares of the height.
_BOTTLE = ((0.0, 0.12), (0.025, 0.145), (0.53, 0.145), (0.75, 0.05), (0.94, 0.046), (1.0, 0.046))


def sun(canvas: Canvas, x: float, y: float, radius: float, palette: Palette) -> None:
    """A disc of light; on a flat picture with two pale rings."""
    canvas.glow(x, y, radius * 5.5, mix(palette.accent, WHITE, 0.55), 0.75)
    if canvas.flat:
        canvas.ellipse(x, y, radius * 1.75, palette.accent, alpha=0.22)
        canvas.ellipse(x, y, radius * 1.36, palette.accent, alpha=0.35)
    light = mix(palette.accent, WHITE, 0.35)
    canvas.ellipse(x, y, radius, Blend(mix(light, WHITE, 0.3), palette.accent, 90))


def wave(x0: float, x1: float, y: float, *, height: float, length: float, phase: float) -> list[Point]:
    """A gently uneven line from left to right."""
    steps = 72
    points = []
    for step in range(steps + 1):
        x = x0 + (x1 - x0) * step / steps
        swell = math.sin(2 * math.pi * x / length + phase)
        ripple = math.sin(2 * math.pi * x / (length * 0.43) + phase * 1.7)
        points.append((x, y + height * (0.7 * swell + 0.3 * ripple)))
    return points


def bottle(canvas: Canvas, x: float, foot: float, height: float, *, palette: Palette, glass: Colour) -> None:
    """A glass bottle with a label and a long shadow, lit from the upper left."""
    reach = height * 0.85
    profile = _profile(0, 1)
    silhouette = [(x - w * height, foot - h * height) for h, w in reversed(profile)]
    silhouette += [(x + w * height, foot - h * height) for h, w in profile]
    shade = mix(palette.ink, palette.main, 0.25)
    thrown = [(px + (foot - py) * reach / height, foot - (foot - py) * 0.16) for px, py in silhouette]
    canvas.shadow(thrown, shade, blur=height * 0.022, alpha=0.36)
    deep = mix(glass, palette.ink, 0.42)
    canvas.polygon(silhouette, Blend(mix(glass, WHITE, 0.42), deep, 12), alpha=0.94)
    half = 0.145 * height
    inside = [(x + w * height * 0.86, foot - h * height) for h, w in _profile(0.018, 0.66)]
    mirrored = [(2 * x - px, py) for px, py in reversed(inside)]
    canvas.polygon(
        [*mirrored, *inside],
        Blend(mix(glass, palette.accent, 0.18), mix(glass, palette.ink, 0.45), 60),
        alpha=0.55,
    )
    cap = (x - 0.062 * height, foot - height, x + 0.062 * height, foot - 0.9 * height)
    canvas.rounded(cap, 0.012 * height, Blend(mix(palette.ink, WHITE, 0.25), palette.ink, 0))
    top, bottom = foot - 0.46 * height, foot - 0.16 * height
    canvas.rounded((x - half * 0.985, top, x + half * 0.985, bottom), 0.006 * height,
                   Blend(palette.paper, mix(palette.paper, palette.ink, 0.16), 0))  # fmt: skip
    canvas.ellipse(x, (top + bottom) / 2 - 0.035 * height, 0.05 * height, palette.accent)
    for row, width in enumerate((0.07, 0.05)):
        y = bottom - (0.075 - 0.028 * row) * height
        canvas.rounded(
            (x - width * height, y, x + width * height, y + 0.008 * height),
            0.004 * height,
            palette.ink,
            alpha=0.7,
        )
    for left, right, bright in ((0.80, 0.66, 0.5), (0.58, 0.54, 0.35)):
        canvas.rounded(
            (x - half * left, foot - 0.6 * height, x - half * right, foot - 0.05 * height),
            0.012 * height,
            WHITE,
            alpha=bright,
        )
    canvas.rounded(
        (x - 0.036 * height, foot - 0.89 * height, x - 0.024 * height, foot - 0.74 * height),
        0.006 * height,
        WHITE,
        alpha=0.45,
    )


def citrus(canvas: Canvas, x: float, y: float, radius: float, *, flesh: Colour, turn: float) -> None:
    """A slice seen from above: rind, pith and segments."""
    pith = mix(flesh, (255, 250, 235), 0.82)
    canvas.ellipse(x, y, radius, Blend(mix(flesh, WHITE, 0.1), mix(flesh, (120, 60, 0), 0.12), 60))
    canvas.ellipse(x, y, radius * 0.9, pith)
    count = 9
    for number in range(count):
        middle = turn + 2 * math.pi * number / count
        half = math.pi / count * 0.86
        outer, inner = radius * 0.82, radius * 0.13
        rim = [_polar(x, y, outer, middle - half + 2 * half * step / 10) for step in range(11)]
        corner = [_polar(x, y, inner, middle)]
        canvas.polygon(rim + corner, Blend(mix(flesh, WHITE, 0.22), flesh, math.degrees(middle)))
    canvas.ellipse(x, y, radius * 0.07, pith)


def leaf(canvas: Canvas, x: float, y: float, length: float, *, angle: float, colour: Colour, vein: Colour) -> None:
    """A leaf that grows from a point at an angle, lighter on one side of its rib."""
    sides = []
    for sign in (1, -1):
        side = []
        for step in range(25):
            along = step / 24
            width = 0.2 * length * math.sin(math.pi * along**0.85) * sign
            bend = 0.1 * length * along * along
            side.append(_turned(x, y, along * length, width + bend, angle))
        sides.append(side)
    rib = [_turned(x, y, step / 24 * length, 0.1 * length * (step / 24) ** 2, angle) for step in range(25)]
    canvas.polygon(sides[0] + sides[1][::-1], colour)
    canvas.polygon(sides[1] + rib[::-1], mix(colour, WHITE, 0.14))
    thin = max(1.0, length * 0.006)
    canvas.polygon([*rib, *((px + thin, py + thin) for px, py in reversed(rib))], vein, alpha=0.6)


def cup(canvas: Canvas, x: float, y: float, radius: float, palette: Palette) -> None:
    """A cup of coffee on its saucer, seen from above."""
    disc = [_polar(x + radius * 0.18, y + radius * 0.24, radius * 1.02, step * math.pi / 24) for step in range(48)]
    canvas.shadow(disc, palette.ink, blur=radius * 0.12, alpha=0.3)
    china = mix(palette.paper, WHITE, 0.5)
    canvas.ellipse(x, y, radius, Blend(china, mix(china, palette.ink, 0.1), 45))
    canvas.ring(x, y, radius * 0.95, radius * 0.03, palette.main, alpha=0.8)
    corners = ((0.5, 0.09), (0.92, 0.09), (0.92, -0.09), (0.5, -0.09))
    handle = [_turned(x, y, radius * along, radius * across, -0.7) for along, across in corners]
    canvas.polygon(handle, mix(china, palette.ink, 0.06))
    canvas.ellipse(x, y, radius * 0.62, Blend(WHITE, mix(china, palette.ink, 0.14), 45))
    coffee = (92, 56, 36)
    canvas.ellipse(x, y, radius * 0.53, Blend(mix(coffee, (0, 0, 0), 0.25), mix(coffee, (205, 150, 95), 0.45), 60))
    canvas.ellipse(x - radius * 0.12, y - radius * 0.1, radius * 0.2, (222, 184, 135), alpha=0.35)


def _polar(x: float, y: float, radius: float, angle: float) -> Point:
    return x + radius * math.cos(angle), y + radius * math.sin(angle)


def _turned(x: float, y: float, along: float, across: float, angle: float) -> Point:
    cos, sin = math.cos(angle), math.sin(angle)
    return x + along * cos - across * sin, y + along * sin + across * cos


def _profile(low: float, high: float) -> list[Point]:
    """The bottle's half widths between two heights, eased from one measure to the next."""
    points = []
    for (h0, w0), (h1, w1) in pairwise(_BOTTLE):
        for step in range(13):
            t = step / 12
            height = h0 + (h1 - h0) * t
            if low <= height <= high:
                points.append((height, w0 + (w1 - w0) * t * t * (3 - 2 * t)))
    return points
