"""Which pixel size a request gets: what it names, else a documented size of its ratio, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flows.ideogram.catalogue import Endpoint
from flows.ideogram.presets import SIZES_V4_BY_RATIO

# What is rendered for a ratio on the models that take ratios; each is a documented resolution.
_V3 = {
    "1x3": "512x1536", "3x1": "1536x512", "1x2": "704x1408", "2x1": "1408x704", "9x16": "736x1312",
    "16x9": "1312x736", "10x16": "800x1280", "16x10": "1280x800", "2x3": "832x1248", "3x2": "1248x832",
    "3x4": "864x1152", "4x3": "1152x864", "4x5": "896x1120", "5x4": "1120x896", "1x1": "1024x1024",
}  # fmt: skip
_LEGACY = {
    "1_1": "1024x1024", "10_16": "768x1232", "16_10": "1232x768", "9_16": "768x1344", "16_9": "1344x768",
    "3_2": "1248x832", "2_3": "832x1248", "4_3": "1152x864", "3_4": "864x1152", "1_3": "512x1536",
    "3_1": "1536x512",
}  # fmt: skip
# A budget of pixels, against the 2K sizes of 4.0.
_BUDGETS = {"1k": Fraction(1, 2), "2k": Fraction(1), "4k": Fraction(2), "8k": Fraction(4)}


@dataclass(frozen=True)
class Sizing:
    """What the answer calls `resolution`, and how many times larger the delivered picture is."""

    width: int
    height: int
    scale: int = 1


def sizing_of(endpoint: Endpoint, options: Mapping[str, Any]) -> Sizing:
    """The size in pixels, and the upscale that the answer reports apart."""
    width, height = size_of(endpoint, options)
    return Sizing(width, height, int(str(options.get("upscale_factor", "x1")).removeprefix("x")))


def size_of(endpoint: Endpoint, options: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height in pixels, before any upscale that is reported apart."""
    ratio = str(options.get("aspect_ratio", "auto"))
    if endpoint.option("output_resolution") is not None:
        # This endpoint reports what it delivers, upscaled or not.
        width, height = _pixels(SIZES_V4_BY_RATIO.get(ratio.replace("x", ":"), "2048x2048"))
        budget = _BUDGETS[str(options.get("output_resolution", "2k"))]
        return int(width * budget), int(height * budget)
    for name in ("size", "resolution"):
        if name in options and options[name] != "auto":
            return _pixels(str(options[name]).removeprefix("RESOLUTION_").replace("_", "x"))
    if endpoint.option("aspect_ratio") is None:
        return _pixels("2048x2048")
    if endpoint.wraps is not None:
        return _pixels(_LEGACY.get(ratio.removeprefix("ASPECT_"), "1024x1024"))
    return _pixels(_V3.get(ratio, "1024x1024"))


def _pixels(size: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    return int(width), int(height)
