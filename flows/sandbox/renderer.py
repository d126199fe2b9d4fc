"""Pictures: PNGs of an exact size that depend on nothing but what is asked for. Pure, but slow."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image, ImageDraw, ImageFont


@dataclass(frozen=True)
class Picture:
    """What to draw."""

    prompt: str
    options: Mapping[str, Any]
    seed: int
    width: int
    height: int


def render(picture: Picture, detail: Literal["rich", "plain"]) -> bytes:
    """The PNG."""
    return _plain(picture)


def _plain(picture: Picture) -> bytes:
    """A few flat stripes: quick to draw, tiny to store, different for every seed and prompt."""
    rng = random.Random(f"{picture.seed}\x1f{picture.prompt}")
    image = Image.new("RGB", (picture.width, picture.height), _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(9):
        top, left = rng.randrange(picture.height), rng.randrange(picture.width)
        box = (left, top, left + rng.randrange(picture.width), top + rng.randrange(picture.height))
        draw.rectangle(box, fill=_colour(rng))
    font = ImageFont.load_default(size=max(14, min(picture.width, picture.height) // 40))
    draw.text(
        (12, picture.height - 12),
        "SANDBOX",
        font=font,
        fill="white",
        anchor="ls",
        stroke_width=2,
        stroke_fill="black",
    )
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)
