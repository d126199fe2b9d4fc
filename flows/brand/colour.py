"""The mathematics of colour differences: sRGB codes to CIELAB, CIEDE2000, and shares of a palette.

CIEDE2000 after Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary
test data, and mathematical observations" (2005), as scikit-image computes it. White is D65, the observer 2 degrees.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

Floats = NDArray[np.float64]
_ciede2000: Any = deltaE_ciede2000  # it has no types


@lru_cache(maxsize=4096)
def lab_of(hex_code: str) -> tuple[float, float, float]:
    """CIELAB of ``#RRGGBB``."""
    rgb = np.array([[[int(hex_code[at : at + 2], 16) / 255 for at in (1, 3, 5)]]])
    lightness, green_red, blue_yellow = rgb2lab(rgb)[0, 0]
    return float(lightness), float(green_red), float(blue_yellow)


def hex_of(lab: Sequence[float]) -> str:
    """The nearest ``#RRGGBB`` of a colour in CIELAB; colours outside sRGB are clipped."""
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        # It warns of what it clips on the way, which is what is wanted.
        warnings.simplefilter("ignore", UserWarning)
        rgb = np.clip(lab2rgb(np.array([[lab]], dtype=float)), 0, 1)[0, 0]
    return "#" + "".join(f"{round(float(channel) * 255):02X}" for channel in rgb)


def labs(hex_codes: Sequence[str]) -> Floats:
    """(n, 3): CIELAB of each."""
    return np.array([lab_of(code) for code in hex_codes], dtype=float).reshape(-1, 3)


def differences(one: NDArray[np.floating], other: NDArray[np.floating]) -> Floats:
    """CIEDE2000 of each colour of `one` (n, 3) to each of `other` (m, 3): (n, m)."""
    if not len(one) or not len(other):
        return np.zeros((len(one), len(other)))
    found: Floats = _ciede2000(one[:, None, :].astype(float), other[None, :, :].astype(float))
    return found


def chroma(lab: NDArray[np.floating]) -> Floats:
    """How far from grey each colour (n, 3) is."""
    found: Floats = np.hypot(lab[:, 1], lab[:, 2]).astype(float)
    return found
