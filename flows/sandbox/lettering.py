"""Lettering: what a prompt wants to be readable, and setting it large in a real typeface."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import font_hanken_grotesk
import font_source_serif_pro
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from flows.sandbox.palettes import Colour, Palette, luminance

_QUOTED = re.compile(r'"([^"]{1,200})"|[“„]([^“”„]{1,200})[”“]|«([^«»]{1,200})»|»([^«»]{1,200})«')
SERIF = str(Path(font_source_serif_pro.__file__).parent / "files" / "SourceSerifPro-Bold.otf")
GROTESK = str(Path(font_hanken_grotesk.__file__).parent / "files" / "HankenGrotesk-Bold.otf")
_LABEL = "SANDBOX"


def quoted(prompt: str) -> tuple[str, ...]:
    """Everything between double quotation marks, straight or typographic, in order."""
    found = ("".join(groups).strip() for groups in _QUOTED.findall(prompt))
    return tuple(text for text in found if text)


def letter(image: Image.Image, text: str, room: tuple[float, float, float, float], palette: Palette, face: str) -> None:
    """Sets a text into its room as large as it goes, in whichever of ink and paper stands out there."""
    width, height = room[2] - room[0], room[3] - room[1]
    if width < 24 or height < 12:
        return
    lines, size = _fit(text, width, height, face)
    font, leading = _font(face, size), size * 1.08
    colour = _readable(image, room, palette)
    pen = ImageDraw.Draw(image)
    y = room[1] + (height - leading * len(lines)) / 2 + leading / 2
    for line in lines:
        pen.text(((room[0] + room[2]) / 2, y), line, font=font, fill=colour, anchor="mm")
        y += leading


def mark(image: Image.Image) -> Image.Image:
    """The corner label that says where a picture comes from."""
    size = max(11, round(min(image.size) * 0.0165))
    font = _font(GROTESK, size)
    wide = sum(font.getlength(char) for char in _LABEL) + size * 0.16 * (len(_LABEL) - 1)
    pad_x, pad_y, inset = size * 0.75, size * 0.5, size * 1.1
    right, bottom = image.width - inset, image.height - inset
    box = (right - wide - 2 * pad_x, bottom - size - 2 * pad_y, right, bottom)
    crop = tuple(round(edge) for edge in (box[0], box[1], box[2], box[3]))
    patch = image.crop((crop[0], crop[1], crop[2], crop[3]))
    veil = Image.new("L", (patch.width * 2, patch.height * 2))
    ImageDraw.Draw(veil).rounded_rectangle((0, 0, veil.width - 1, veil.height - 1), patch.height, fill=150)
    patch.paste((18, 20, 24, 255)[: len(image.mode)], (0, 0), veil.reduce(2))
    pen = ImageDraw.Draw(patch)
    x = pad_x
    for char in _LABEL:
        pen.text((x, patch.height / 2), char, font=font, fill=(255, 255, 255), anchor="lm")
        x += font.getlength(char) + size * 0.16
    image.paste(patch, (crop[0], crop[1]))
    return image


@lru_cache(maxsize=64)
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(face, size)


def _fit(text: str, width: float, height: float, face: str) -> tuple[list[str], int]:
    """The way of breaking a text into up to four lines that allows the largest type."""
    words = text.split()
    best: tuple[int, list[str]] = (0, [text])
    probe = _font(face, 100)
    for count in range(1, min(4, len(words)) + 1):
        lines = _break(words, count, probe)
        widest = max(probe.getlength(line) for line in lines) or 1
        size = int(min(width / widest * 100, height / (1.08 * len(lines)), width * 0.19))
        if size > best[0]:
            best = (size, lines)
    return best[1], max(8, best[0])


def _break(words: list[str], count: int, probe: ImageFont.FreeTypeFont) -> list[str]:
    """Words in `count` lines of about one length."""
    total = probe.getlength(" ".join(words))
    lines: list[list[str]] = [[]]
    for word in words:
        here = probe.getlength(" ".join([*lines[-1], word]))
        if lines[-1] and len(lines) < count and here > total / count * 1.12:
            lines.append([])
        lines[-1].append(word)
    return [" ".join(line) for line in lines]


def _readable(image: Image.Image, room: tuple[float, float, float, float], palette: Palette) -> Colour:
    """Ink or paper, whichever is further from what lies underneath."""
    box = (round(room[0]), round(room[1]), round(room[2]), round(room[3]))
    part = image.crop(box).resize((24, 24))
    if part.mode == "RGBA":
        # Nobody knows what it will lie on; most pages are white.
        part = Image.alpha_composite(Image.new("RGBA", part.size, "white"), part).convert("RGB")
    behind = np.asarray(part).reshape(-1, 3).mean(axis=0)
    red, green, blue = (int(value) for value in behind)
    light = luminance((red, green, blue))
    return max((palette.ink, palette.paper), key=lambda colour: abs(luminance(colour) - light))
