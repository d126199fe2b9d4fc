"""What can be measured in a stored picture: size, digest, likeness, colours, sharpness, a thumbnail. One decode.

Knows pixels only. Importing it loads numpy and scipy (about a second), so import it where it is used; and
run it through `isolation.extract_many`, because a decoder may hang or die.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from flows.assets.colours import Floats, clusters, scattered
from flows.assets.embedded import embedded, profile
from flows.assets.extractor import EXTRACTOR_VERSION
from flows.assets.verify import decoded
from flows.errors import BadImage

THUMBNAIL_PX = 256
_SEEN_PX = 512
_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True)
class Features:
    """What one picture measures.

    `phash` and `dhash` are 64 bits as 16 hex digits (imagehash's), of the picture on a white ground, which is first
    reduced by the whole factor (Pillow's `reduce`) that brings its longer side nearest to 512 px. `mode` is Pillow's,
    as stored. `thumbnail` is WebP, its longer side at most 256 px. `palette` is (k, 4): L, a, b (CIELAB, D65) and
    share of the visible area, the largest first. `alpha` is the visible share, 1.0 for opaque ones. `icc` is the name
    of the embedded profile. `sharpness` is the variance of the Laplacian, `contrast` the standard deviation and
    `brightness` the mean of the lightness (0 to 255), all of the same reduced picture. `embedded` is what else
    travels in the file.
    """

    sha256: str
    width: int
    height: int
    mode: str
    phash: str
    dhash: str
    thumbnail: bytes
    palette: Floats = field(compare=False)
    alpha: float
    icc: str | None
    sharpness: float
    contrast: float
    brightness: float
    embedded: dict[str, Any]
    extractor: int = EXTRACTOR_VERSION


def extract(data: bytes) -> Features:
    """Measure one picture. Raises BadImage when the bytes are not a complete picture of a known format."""
    found, image = decoded(io.BytesIO(data), None)
    if image is None:
        raise BadImage(f"the picture {found.flaw}")
    icc, icc_name = profile(image)
    mode, (width, height) = image.mode, image.size
    picture = _in_srgb(image, icc)
    pixels = scattered(np.asarray(picture))
    opacity = pixels[:, 3] if picture.mode == "RGBA" else None
    palette = clusters(pixels[:, :3], opacity)
    flat = _on_white(picture)
    factor = max(1, round(max(flat.size) / _SEEN_PX))
    small = flat.reduce(factor) if factor > 1 else flat
    grey = small.convert("L")
    seen = np.asarray(grey, np.float32)
    phash, dhash = str(imagehash.phash(grey)), str(imagehash.dhash(grey))
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS)
    thumbnail = io.BytesIO()
    small.save(thumbnail, "WEBP", quality=70, method=1)
    return Features(
        sha256=hashlib.sha256(data).hexdigest(),
        width=width,
        height=height,
        mode=mode,
        phash=phash,
        dhash=dhash,
        thumbnail=thumbnail.getvalue(),
        palette=palette,
        alpha=1.0 if opacity is None else round(float(opacity.mean()) / 255, 6),
        icc=icc_name,
        sharpness=_sharpness(seen),
        contrast=round(float(seen.std()), 3),
        brightness=round(float(seen.mean()), 3),
        embedded=embedded(data, image),
    )


def _in_srgb(image: Image.Image, icc: ImageCms.ImageCmsProfile | None) -> Image.Image:
    """As RGB, or RGBA where something is transparent, in sRGB where a profile says what else it was."""
    picture: Image.Image = image
    if picture.mode.startswith("I"):  # 16 bits of grey: keep the upper eight, converting would clip
        picture = picture.point(lambda value: value / 256, "L")
    transparent = picture.has_transparency_data
    if picture.mode == "P" or (icc is None and picture.mode not in ("RGB", "RGBA")):
        picture = picture.convert("RGBA" if transparent else "RGB")
    if icc is not None:
        picture = _through(picture, icc)
    target = "RGBA" if transparent else "RGB"
    return picture if picture.mode == target else picture.convert(target)


def _through(picture: Image.Image, icc: ImageCms.ImageCmsProfile) -> Image.Image:
    """The colours that the profile means; as they stand where the profile is for other data than these."""
    alpha = picture.getchannel("A") if "A" in picture.getbands() else None
    opaque = picture.convert({"LA": "L", "RGBA": "RGB"}[picture.mode]) if alpha else picture
    try:
        turned = ImageCms.profileToProfile(opaque, icc, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, ValueError):
        return picture
    assert turned is not None  # noqa: S101  only with inPlace
    if alpha is not None:
        turned.putalpha(alpha)
    return turned


def _on_white(picture: Image.Image) -> Image.Image:
    """As RGB, transparency on white: as people see it on a page, and so that hidden colours do not count."""
    if picture.mode == "RGBA":
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture


def _sharpness(seen: NDArray[np.float32]) -> float:
    """The variance of the Laplacian: small where nothing has an edge."""
    if min(seen.shape) < 3:
        return 0.0
    centre = seen[1:-1, 1:-1]
    laplacian = seen[:-2, 1:-1] + seen[2:, 1:-1] + seen[1:-1, :-2] + seen[1:-1, 2:] - 4 * centre
    return round(float(laplacian.var()), 3)
