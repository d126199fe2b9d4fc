"""What the sandbox charges, in micro-dollars per image: the public list prices of November 2026.

Deliberately its own table: an oracle must not share the price book it is used to check.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.ideogram.catalogue import Endpoint, price_tier

MICROS: Mapping[str, Mapping[str, int]] = {
    "ideogram-4-5": {"low": 30_000, "medium": 60_000, "high": 100_000},
    "ideogram-3": {"turbo": 30_000, "default": 60_000, "quality": 90_000},
    "V_2": {"default": 80_000},
    "V_2_TURBO": {"default": 50_000},
    "V_2A": {"default": 40_000},
    "V_2A_TURBO": {"default": 25_000},
    "V_1": {"default": 60_000},
    "V_1_TURBO": {"default": 20_000},
}


def price_micros(endpoint: Endpoint, options: Mapping[str, Any], images: int) -> int:
    """The price of that many images of one request."""
    return MICROS[endpoint.model][price_tier(endpoint, options)] * images
