"""Perceptual hashes of a grey picture: 64 bits as 16 hex digits, bit for bit those of the package imagehash.

Their own few lines here because that package loads scipy, which takes a measuring process longer to import than
thirty pictures to measure. The tests hold both against each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

_SIDE, _LOW = 32, 8
# The first eight basis functions of the discrete cosine transform (type II) over 32 places.
_COSINES = np.cos(np.pi * np.outer(np.arange(_LOW), 2 * np.arange(_SIDE) + 1) / (2 * _SIDE))


def phash(grey: Image) -> str:
    """Which of the 64 lowest frequencies are stronger than their median."""
    pixels = np.asarray(grey.resize((_SIDE, _SIDE), Resampling.LANCZOS), np.float64)
    # Rounded, so that what is nought by the mathematics is nought: a flat picture has one hash, not noise.
    low = np.round(_COSINES @ pixels @ _COSINES.T, 6)
    return _hex(low > np.median(low))


def dhash(grey: Image) -> str:
    """Where it gets brighter from left to right, on a grid of nine by eight."""
    pixels = np.asarray(grey.resize((_LOW + 1, _LOW), Resampling.LANCZOS))
    return _hex(pixels[:, 1:] > pixels[:, :-1])


def _hex(bits: NDArray[np.bool_]) -> str:
    return np.packbits(bits).tobytes().hex()
