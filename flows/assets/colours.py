"""The colours of a picture: area-weighted clusters in CIELAB, of what is visible of it.

Pure arithmetic on samples. Every block of a large picture gives one pixel from a scattered place, so that fine
patterns are not met always at the same phase; the scatter is fixed, and the same bytes give the same clusters.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SAMPLES = 1 << 15
MOST = 48
# Colours nearer than this to a larger one are one colour to begin with: about what an eye tells apart in a picture.
APART = 5.0
_BITS = 4
_SHIFT = 8 - _BITS
_BLOCK = 256
# CIE 15 and IEC 61966-2-1 (sRGB): linear light to XYZ under D65, in parts of its white.
_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_XYZ /= np.array([[0.95047], [1.0], [1.08883]])


def scattered(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(height, width, channels) to (samples, channels): all pixels of a small picture, some 33,000 of a large one."""
    height, width, channels = pixels.shape
    places = _places(height, width)
    flat = pixels.reshape(-1, channels)
    if places is None:
        return flat
    if channels == 4 and flat.flags.c_contiguous:  # one number a pixel: several times as fast
        return flat.view(np.uint32).take(places).view(np.uint8).reshape(-1, 4)
    return flat[places]


@lru_cache(maxsize=16)
def _places(height: int, width: int) -> NDArray[np.int64] | None:
    step = int(np.ceil(np.sqrt(height * width / SAMPLES)))
    if step <= 1:
        return None
    scatter = np.random.default_rng(0)
    rows, columns = np.arange(0, height, step), np.arange(0, width, step)
    shape = (len(rows), len(columns))
    # Blocks at the far edges may be narrower: the place stays inside the picture.
    at = np.minimum(rows[:, None] + scatter.integers(0, step, shape), height - 1)
    across = np.minimum(columns[None, :] + scatter.integers(0, step, shape), width - 1)
    places: NDArray[np.int64] = (at * width + across).ravel()
    return places


def clusters(rgb: NDArray[np.uint8], weights: NDArray[np.uint8] | None = None) -> Floats:
    """(k, 4): L, a, b and share of each cluster, the largest first, k at most 48; none where nothing is visible.

    `rgb` is (samples, 3) in sRGB, `weights` (samples,) the opacity of each, None for all opaque.
    """
    red, green, blue = (rgb[:, channel].astype(np.intp) for channel in range(3))
    codes = ((red >> _SHIFT) << (2 * _BITS)) | ((green >> _SHIFT) << _BITS) | (blue >> _SHIFT)
    opacity = None if weights is None else weights / 255.0
    counts = np.bincount(codes, opacity, minlength=1 << (3 * _BITS))
    bins = np.flatnonzero(counts > 0)
    if not len(bins):
        return np.empty((0, 4), np.float32)
    shares = counts[bins]
    means = np.empty((len(bins), 3))
    for channel, values in enumerate((red, green, blue)):
        weighed = values if opacity is None else values * opacity
        means[:, channel] = np.bincount(codes, weighed, minlength=1 << (3 * _BITS))[bins] / shares
    return _merged(lab_of(means).astype(np.float32), shares / shares.sum())


def lab_of(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB (D65, 2 degrees) of sRGB from 0 to 255, rows of three. Without scipy, which is slow to import."""
    scaled = rgb / 255.0
    linear = np.where(scaled > 0.04045, ((scaled + 0.055) / 1.055) ** 2.4, scaled / 12.92)
    xyz = linear @ _XYZ.T
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.column_stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _merged(lab: Floats, shares: NDArray[np.float64]) -> Floats:
    """Bins to clusters: around the most frequent colours, each bin to the nearest of them, and once again."""
    centres = lab[_seeds(lab, shares)]
    weighed = [shares * lab[:, axis] for axis in range(3)]
    for _ in range(2):
        nearest = _squares(lab, centres).argmin(axis=1)
        weight = np.bincount(nearest, shares, len(centres))
        sums = np.column_stack([np.bincount(nearest, values, len(centres)) for values in weighed])
        filled = weight > 0
        centres[filled] = sums[filled] / weight[filled, None]
    found = np.column_stack([centres, weight])[filled]
    order = np.lexsort((found[:, 2], found[:, 1], found[:, 0], -found[:, 3]))
    result: Floats = found[order].astype(np.float32)
    return result


def _seeds(lab: Floats, shares: NDArray[np.float64]) -> list[int]:
    """The most frequent colours that are apart from each other, the first of them the most frequent of all."""
    order = np.argsort(-shares, kind="stable")
    seeds: list[int] = []
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        if seeds:
            block = block[_squares(lab[block], lab[seeds]).min(axis=1) >= APART**2]
        near = _squares(lab[block], lab[block]) < APART**2
        free = np.ones(len(block), np.bool_)
        while free.any():
            at = int(free.argmax())
            seeds.append(int(block[at]))
            if len(seeds) == MOST:
                return seeds
            free &= ~near[at]
            free[at] = False  # rounding may leave it a little away from itself
    return seeds


def _squares(lab: Floats, centres: Floats) -> Floats:
    """Squared distances (colours, centres), to some thousandths."""
    found: Floats = lab @ (-2 * centres.T)
    found += (centres**2).sum(axis=1)
    found += (lab**2).sum(axis=1)[:, None]
    return found
