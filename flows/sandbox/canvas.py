"""Drawing with soft edges: shapes at twice the resolution, gradients and shadows from small maps. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from flows.sandbox.palettes import Colour, mix

Point = tuple[float, float]
_MAP = 96


@dataclass(frozen=True)
class Blend:
    """A gradient from one colour to another; `angle` 0 runs to the right, 90 downwards."""

    start: Colour
    end: Colour
    angle: float = 90.0


Fill = Colour | Blend


class Canvas:
    """A picture being drawn. Lengths are pixels; `unit` is the shorter side. `flat` turns gradients off.

    A `clear` one has no ground: `cover` says how much of each pixel has been painted over. It begins black,
    so that its colours are, all along, those of the shapes times their cover.
    """

    def __init__(self, width: int, height: int, *, flat: bool, clear: bool = False) -> None:
        self.width = width
        self.height = height
        self.unit = min(width, height)
        self.flat = flat
        self.image = Image.new("RGB", (width, height))
        self.cover = Image.new("L", (width, height)) if clear else None

    def picture(self) -> Image.Image:
        """What has been drawn: RGB, or RGBA where there is no ground."""
        if self.cover is None:
            return self.image
        cover = np.asarray(self.cover).astype(np.uint16)[..., None]
        pixels = np.asarray(self.image).astype(np.uint16)
        straight = np.minimum(pixels * 255 // np.maximum(cover, 1), 255)
        return Image.fromarray(np.concatenate([straight, cover], axis=2).astype(np.uint8))

    def ground(self, fill: Fill) -> None:
        """Fills the whole picture; nothing on a clear one."""
        if self.cover is not None:
            return
        self.image.paste(self._paint(fill, (self.width, self.height)))

    def ellipse(self, x: float, y: float, rx: float, fill: Fill, *, ry: float | None = None, alpha: float = 1) -> None:
        """A filled ellipse around a point."""
        tall = rx if ry is None else ry

        def draw(pen: ImageDraw.ImageDraw, at: Callable[[float, float], Point]) -> None:
            pen.ellipse((*at(x - rx, y - tall), *at(x + rx, y + tall)), fill=255)

        self._shape((x - rx, y - tall, x + rx, y + tall), draw, fill, alpha)

    def ring(self, x: float, y: float, radius: float, thickness: float, fill: Fill, *, alpha: float = 1) -> None:
        """A circle's line, `thickness` inwards."""
        inner = radius - thickness

        def draw(pen: ImageDraw.ImageDraw, at: Callable[[float, float], Point]) -> None:
            pen.ellipse((*at(x - radius, y - radius), *at(x + radius, y + radius)), fill=255)
            pen.ellipse((*at(x - inner, y - inner), *at(x + inner, y + inner)), fill=0)

        self._shape((x - radius, y - radius, x + radius, y + radius), draw, fill, alpha)

    def polygon(self, points: Sequence[Point], fill: Fill, *, alpha: float = 1) -> None:
        """A filled polygon."""

        def draw(pen: ImageDraw.ImageDraw, at: Callable[[float, float], Point]) -> None:
            pen.polygon([at(x, y) for x, y in points], fill=255)

        self._shape(_bounds(points), draw, fill, alpha)

    def rounded(self, box: tuple[float, float, float, float], radius: float, fill: Fill, *, alpha: float = 1) -> None:
        """A rectangle with round corners."""

        def draw(pen: ImageDraw.ImageDraw, at: Callable[[float, float], Point]) -> None:
            pen.rounded_rectangle((*at(box[0], box[1]), *at(box[2], box[3])), radius * 2, fill=255)

        self._shape(box, draw, fill, alpha)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Light that fades from a point; nothing on a flat picture."""
        if self.flat:
            return
        grid = np.linspace(-1, 1, _MAP, dtype=np.float32)
        distance = np.sqrt(grid[None, :] ** 2 + grid[:, None] ** 2)
        falloff = np.clip(1 - distance, 0, 1) ** 2 * 255 * strength
        size = max(2, round(radius * 2))
        mask = Image.fromarray(falloff.astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
        place = (round(x - radius), round(y - radius))
        if self.cover is not None:
            # Light falls on what is there, and on nothing else.
            painted = self.cover.crop((*place, place[0] + size, place[1] + size))
            mask = ImageChops.multiply(mask, painted)
        self._paste(mask, place, colour)

    def shadow(self, points: Sequence[Point], colour: Colour, *, blur: float, alpha: float) -> None:
        """A polygon's soft shadow; hard-edged and light on a flat picture."""
        if self.flat:
            self.polygon(points, colour, alpha=alpha * 0.55)
            return
        left, top, right, bottom = _bounds(points)
        box = (left - 2 * blur, top - 2 * blur, right + 2 * blur, bottom + 2 * blur)
        width, height = max(2, round(box[2] - box[0])), max(2, round(box[3] - box[1]))
        scale = min(1.0, 6 / max(blur, 6))
        small = Image.new("L", (max(2, round(width * scale)), max(2, round(height * scale))))
        ImageDraw.Draw(small).polygon(
            [((x - box[0]) * scale, (y - box[1]) * scale) for x, y in points], fill=round(255 * alpha)
        )
        small = small.filter(ImageFilter.GaussianBlur(blur * scale))
        mask = small.resize((width, height), Image.Resampling.BICUBIC)
        place = (round(box[0]), round(box[1]))
        self._paste(mask, place, colour)
        if self.cover is not None:
            self.cover.paste(255, (*place, place[0] + mask.width, place[1] + mask.height), mask)

    def mirror(self) -> None:
        """Turns left into right."""
        self.image = self.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self.cover is not None:
            self.cover = self.cover.transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    def grain(self, amount: float, seed: int) -> None:
        """Film grain of so many levels; none on a clear picture, which is no photograph."""
        if amount <= 0 or self.cover is not None:
            return
        side = 256
        noise = np.random.default_rng(seed).normal(0, amount, (side, side)).round().astype(np.int16)
        rows, columns = -(-self.height // side), -(-self.width // side)
        sheet = np.tile(noise, (rows, columns))[: self.height, : self.width, None]
        pixels = np.asarray(self.image).astype(np.int16)
        pixels += sheet
        np.clip(pixels, 0, 255, out=pixels)
        self.image = Image.fromarray(pixels.astype(np.uint8))

    def vignette(self, strength: float) -> None:
        """Lets the corners fall off; nothing on a flat picture."""
        if self.flat:
            return
        grid = np.linspace(-1, 1, _MAP, dtype=np.float32)
        distance = grid[None, :] ** 2 + grid[:, None] ** 2
        light = (255 * (1 - strength * np.clip(distance - 0.5, 0, None) / 1.5)).astype(np.uint8)
        falloff = Image.fromarray(light).resize(self.image.size, Image.Resampling.BICUBIC)
        self.image = ImageChops.multiply(self.image, Image.merge("RGB", (falloff, falloff, falloff)))

    def _shape(
        self,
        box: tuple[float, float, float, float],
        draw: Callable[[ImageDraw.ImageDraw, Callable[[float, float], Point]], None],
        fill: Fill,
        alpha: float,
    ) -> None:
        """Draws a mask at twice the resolution, only where it is seen, and paints through it."""
        left, top = max(0, math.floor(box[0]) - 1), max(0, math.floor(box[1]) - 1)
        right, bottom = min(self.width, math.ceil(box[2]) + 1), min(self.height, math.ceil(box[3]) + 1)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", ((right - left) * 2, (bottom - top) * 2))
        draw(ImageDraw.Draw(mask), lambda x, y: ((x - left) * 2, (y - top) * 2))
        mask = mask.reduce(2)
        if alpha < 1:
            mask = mask.point([round(level * alpha) for level in range(256)])
        if isinstance(fill, Blend) and not self.flat:
            self.image.paste(self._paint(fill, mask.size), (left, top), mask)
        else:
            self.image.paste(_flat(fill), (left, top, right, bottom), mask)
        if self.cover is not None:
            self.cover.paste(255, (left, top, right, bottom), mask)

    def _paste(self, mask: Image.Image, place: tuple[int, int], colour: Colour) -> None:
        box = (place[0], place[1], place[0] + mask.width, place[1] + mask.height)
        self.image.paste(colour, box, mask)

    def _paint(self, fill: Fill, size: tuple[int, int]) -> Image.Image:
        if not isinstance(fill, Blend) or self.flat:
            return Image.new("RGB", size, _flat(fill))
        radians = math.radians(fill.angle)
        grid = np.linspace(-0.5, 0.5, _MAP, dtype=np.float32)
        along = grid[None, :] * math.cos(radians) + grid[:, None] * math.sin(radians)
        share = (along - along.min()) / (along.max() - along.min())
        start, end = np.array(fill.start, np.float32), np.array(fill.end, np.float32)
        pixels = start + (end - start) * share[..., None]
        return Image.fromarray(pixels.round().astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)


def _flat(fill: Fill) -> Colour:
    return mix(fill.start, fill.end, 0.5) if isinstance(fill, Blend) else fill


def _bounds(points: Sequence[Point]) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
