"""Which pixel size a request gets: what it names, else a documented size of its ratio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.ideogram.catalogue import Endpoint

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


def size_of(endpoint: Endpoint, options: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height in pixels."""
    if endpoint.option("size") is not None:
        size = str(options.get("size", "auto"))
        return _pixels("2048x2048" if size == "auto" else size)
    if "resolution" in options:
        return _pixels(str(options["resolution"]).removeprefix("RESOLUTION_").replace("_", "x"))
    ratio = str(options.get("aspect_ratio", "auto"))
    if endpoint.wraps is not None:
        return _pixels(_LEGACY.get(ratio.removeprefix("ASPECT_"), "1024x1024"))
    return _pixels(_V3.get(ratio, "1024x1024"))


def _pixels(size: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    return int(width), int(height)
