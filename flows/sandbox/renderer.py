"""Pictures: PNGs of an exact size that depend on nothing but what is asked for. Pure, but slow."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from flows.sandbox import cutouts, lettering, palettes, scenes
from flows.sandbox.canvas import Canvas
from flows.sandbox.magic import texts_of, words_of
from flows.sandbox.ornaments import pattern
from flows.sandbox.stage import Room, Stage
from flows.sandbox.words import mentions

_FLAT_WORDS = ("flat", "vector", "minimal", "line art", "icon")
_FLAT_STYLES = {
    "design",
    "flat_art",
    "flat_vector",
    "minimal_illustration",
    "bauhaus",
    "geo_minimalist",
    "pop_art",
}


@dataclass(frozen=True)
class Picture:
    """What to draw: `width` by `height`, then enlarged `scale` times; on nothing where `transparent`."""

    prompt: str
    options: Mapping[str, Any]
    seed: int
    width: int
    height: int
    scale: int = 1
    transparent: bool = False


def render(picture: Picture, detail: Literal["rich", "plain"]) -> bytes:
    """The PNG."""
    image = _plain(picture) if detail == "plain" else _rich(picture)
    if picture.scale > 1:
        image = image.resize((image.width * picture.scale, image.height * picture.scale), Image.Resampling.BICUBIC)
    image = lettering.mark(image)
    about = PngInfo()
    about.add_text("Software", "ideoflow sandbox")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1, pnginfo=about)
    return buffer.getvalue()


def _rich(picture: Picture) -> Image.Image:
    """A composed scene that follows the words, the palette, the style and the lettering asked for."""
    words = words_of(picture.prompt).lower()
    rng = random.Random(f"{picture.seed}\x1f{picture.prompt}")
    styles = {str(picture.options.get(name, "")).lower() for name in ("style_type", "style_preset")}
    flat = bool(styles & _FLAT_STYLES) or ("realistic" not in styles and mentions(words, _FLAT_WORDS))
    palette = palettes.choose(words, picture.options, rng)
    without = frozenset(re.findall(r"[a-z]+", str(picture.options.get("negative_prompt", "")).lower()))
    canvas = Canvas(picture.width, picture.height, flat=flat, clear=picture.transparent)
    scene = cutouts.choose(words) if picture.transparent else scenes.choose(words, rng)
    room = scene(Stage(canvas, palette, rng, words, without))
    if rng.random() < 0.5:
        canvas.mirror()
        room = (canvas.width - room[2], room[1], canvas.width - room[0], room[3])
    # A pattern has to meet itself at the edges, so its light is even.
    if scene is not pattern:
        canvas.vignette(0.16 if "realistic" in styles else 0.1)
    if not flat and "grain" not in without:
        canvas.grain(2.6 if "grain" in words or "realistic" in styles else 1.2, picture.seed)
    face = lettering.GROTESK if flat or picture.seed % 3 == 0 else lettering.SERIF
    image = canvas.picture()
    _letter(image, texts_of(picture.prompt), room, palette, face)
    return image


def _letter(
    image: Image.Image,
    texts: tuple[str, ...],
    room: Room,
    palette: palettes.Palette,
    face: str,
) -> None:
    """The first text large; up to two more below it, smaller."""
    left, top, right, bottom = room
    if not texts:
        return
    if len(texts) == 1:
        lettering.letter(image, texts[0], room, palette, face)
        return
    split = top + (bottom - top) * 0.66
    lettering.letter(image, texts[0], (left, top, right, split), palette, face)
    small = texts[1:3]
    step = (bottom - split) / len(small)
    for number, text in enumerate(small):
        inset = (right - left) * 0.12
        box = (left + inset, split + step * (number + 0.12), right - inset, split + step * (number + 0.9))
        lettering.letter(image, text, box, palette, lettering.GROTESK)


def _plain(picture: Picture) -> Image.Image:
    """A few flat shapes: quick to draw, tiny to store, different for every seed and prompt."""
    rng = random.Random(f"{picture.seed}\x1f{picture.prompt}")
    image = Image.new("RGB", (picture.width, picture.height), _colour(rng))
    pen = ImageDraw.Draw(image)
    for _ in range(9):
        top, left = rng.randrange(picture.height), rng.randrange(picture.width)
        box = (left, top, left + rng.randrange(picture.width), top + rng.randrange(picture.height))
        pen.rectangle(box, fill=_colour(rng))
    if picture.transparent:
        image.putalpha(_hole(picture))
    return image


def _hole(picture: Picture) -> Image.Image:
    """An alpha channel of all three kinds: opaque in the middle, half so around it, nothing outside."""
    alpha = Image.new("L", (picture.width, picture.height))
    pen = ImageDraw.Draw(alpha)
    for share, level in ((8, 128), (5, 255)):
        x, y = picture.width * share // 20, picture.height * share // 20
        middle = picture.width // 2, picture.height // 2
        pen.ellipse((middle[0] - x, middle[1] - y, middle[0] + x, middle[1] + y), fill=level)
    return alpha


def _colour(rng: random.Random) -> palettes.Colour:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)
