"""The colours of a picture: area-weighted clusters in CIELAB, of what is visible of it.

Pure arithmetic on samples. Every block of a large picture gives one pixel from a scattered place, so that fine
patterns are not met always at the same phase; the scatter is fixed, and the same bytes give the same clusters.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

Floats = NDArray[np.float32]

SAMPLES = 1 << 16
MOST = 48
# Colours nearer than this to a larger one are one colour to begin with: about what an eye tells apart in a picture.
APART = 5.0
_BITS = 4
_SHIFT = 8 - _BITS


def scattered(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(height, width, channels) to (samples, channels): all pixels of a small picture, some 65,000 of a large one."""
    height, width, channels = pixels.shape
    places = _places(height, width)
    flat = pixels.reshape(-1, channels)
    return flat if places is None else flat[places]


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
    reduced = (rgb >> _SHIFT).astype(np.int32)
    codes = (reduced[:, 0] << (2 * _BITS)) | (reduced[:, 1] << _BITS) | reduced[:, 2]
    opacity = None if weights is None else weights / 255.0
    counts = np.bincount(codes, opacity, minlength=1 << (3 * _BITS))
    bins = np.flatnonzero(counts > 0)
    if not len(bins):
        return np.empty((0, 4), np.float32)
    shares = counts[bins]
    means = np.empty((len(bins), 3))
    for channel in range(3):
        values = rgb[:, channel] if opacity is None else rgb[:, channel] * opacity
        means[:, channel] = np.bincount(codes, values, minlength=1 << (3 * _BITS))[bins] / shares
    lab = rgb2lab(means[None] / 255.0)[0]
    return _merged(lab, shares / shares.sum())


def _merged(lab: NDArray[np.float64], shares: NDArray[np.float64]) -> Floats:
    """Bins to clusters: around the most frequent colours, each bin to the nearest of them, and once again."""
    left = shares.copy()
    seeds: list[int] = []
    for _ in range(MOST):
        seed = int(left.argmax())
        if left[seed] <= 0:
            break
        seeds.append(seed)
        left[_squares(lab, lab[seed : seed + 1])[:, 0] < APART**2] = 0
    centres = lab[seeds]
    for _ in range(2):
        nearest = _squares(lab, centres).argmin(axis=1)
        weight = np.bincount(nearest, shares, len(centres))
        filled = weight > 0
        sums = np.stack([np.bincount(nearest, shares * lab[:, axis], len(centres)) for axis in range(3)], axis=1)
        centres[filled] = sums[filled] / weight[filled, None]
    found = np.column_stack([centres, weight])[filled]
    order = np.lexsort((found[:, 2], found[:, 1], found[:, 0], -found[:, 3]))
    result: Floats = found[order].astype(np.float32)
    return result


def _squares(lab: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances (colours, centres). Axis by axis: a matrix product would start threads for so little."""
    total = np.zeros((len(lab), len(centres)))
    for axis in range(3):
        total += np.subtract.outer(lab[:, axis], centres[:, axis]) ** 2
    return total
