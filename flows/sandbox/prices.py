"""What the sandbox charges, in micro-dollars per image: the public list prices of November 2026.

Deliberately its own table: an oracle must not share the price book it is used to check. Prices that nobody
publishes are made up here (`_MADE_UP`), so that every request can be billed; a real account may charge
anything for them, and the price book leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.ideogram.catalogue import Endpoint, price_tier

_BY_SPEED = {"turbo": 30_000, "default": 60_000, "quality": 100_000}
_LISTED: Mapping[str, Mapping[str, int]] = {
    "ideogram-4-6": {
        "very_low/2k": 8_000,
        "low/2k": 30_000,
        "low/4k": 60_000,
        "medium/2k": 60_000,
        "medium/4k": 120_000,
        "high/2k": 100_000,
        "high/4k": 200_000,
    },
    "ideogram-4-5": {"low": 30_000, "medium": 60_000, "high": 100_000},
    "ideogram-4": _BY_SPEED,
    "ideogram-4-transparent": {"default/2k": 60_000},
    "ideogram-3": {"turbo": 30_000, "default": 60_000, "quality": 90_000},
    "ideogram-3-transparent": {
        "turbo/x1": 40_000,
        "turbo/x2": 160_000,
        "turbo/x4": 200_000,
        "default/x1": 70_000,
        "default/x2": 190_000,
        "default/x4": 230_000,
        "quality/x1": 100_000,
        "quality/x2": 220_000,
        "quality/x4": 260_000,
    },
    "ideogram-2": {"turbo": 50_000, "default": 80_000},
    "ideogram-2a": {"turbo": 25_000, "default": 40_000},
    "v1/ideogram-v3": {"FLASH": 30_000, "TURBO": 30_000, "DEFAULT": 60_000, "QUALITY": 90_000},
    "V_2": {"default": 80_000},
    "V_2_TURBO": {"default": 50_000},
    "V_2A": {"default": 40_000},
    "V_2A_TURBO": {"default": 25_000},
    "V_1": {"default": 60_000},
    "V_1_TURBO": {"default": 20_000},
}
_MADE_UP: Mapping[str, Mapping[str, int]] = {
    "ideogram-4-transparent": {
        **{f"{speed}/2k": micros for speed, micros in _BY_SPEED.items() if speed != "default"},
        **{f"{speed}/4k": micros + 120_000 for speed, micros in _BY_SPEED.items()},
        **{f"{speed}/8k": micros + 160_000 for speed, micros in _BY_SPEED.items()},
    },
    "v1/ideogram-v3": {"BALANCED": 60_000},
}
MICROS: Mapping[str, Mapping[str, int]] = {
    model: {**tiers, **_MADE_UP.get(model, {})} for model, tiers in _LISTED.items()
}
# What the vendor itself takes where a request leaves out an option that decides: made up, too.
_LEFT_OUT = {"quality": "high"}


def price_micros(endpoint: Endpoint, options: Mapping[str, Any], images: int) -> int:
    """The price of that many images of one request."""
    return MICROS[endpoint.model][price_tier(endpoint, {**_taken(endpoint), **options})] * images


def _taken(endpoint: Endpoint) -> dict[str, str]:
    return {by.option: _LEFT_OUT[by.option] for by in endpoint.priced_by if by.otherwise is None}
