"""What can be measured in a stored picture: size, likeness, colours, sharpness, a thumbnail. One decode.

Knows pixels only. Importing it loads numpy, so import it where it is used; and run it through
`isolation.extract_many`, because a decoder may hang or die. What is dear (profiles, transparency, hashes, the
thumbnail) is done on a sample or on the reduced picture, never on every pixel.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from flows.assets.colours import Floats, clusters, scattered
from flows.assets.embedded import embedded, profile
from flows.assets.extractor import EXTRACTOR_VERSION
from flows.assets.hashes import dhash, phash
from flows.assets.verify import decoded
from flows.errors import BadImage

THUMBNAIL_PX = 256
LEAST_PX = 512
_SRGB = ImageCms.createProfile("sRGB")
_REDUCIBLE = {"L", "LA", "RGB", "RGBA", "CMYK"}


@dataclass(frozen=True)
class Features:
    """What one picture measures.

    `phash` and `dhash` are 64 bits as 16 hex digits (imagehash's), of the picture on a white ground, which is first
    reduced by the largest whole factor (Pillow's `reduce`) that leaves its longer side at 256 px or more. A JPEG is
    decoded at half, a quarter or an eighth of its size where that leaves 512 px or more. `mode` is Pillow's, as
    stored. `thumbnail` is WebP, its longer side at most 256 px. `palette` is (k, 4): L, a, b (CIELAB, D65) and
    share of the visible area, the largest first. `alpha` is the visible share, 1.0 for opaque ones. `icc` is the name
    of the embedded profile. `sharpness` is the variance of the Laplacian, `contrast` the standard deviation and
    `brightness` the mean of the lightness (0 to 255), all of the same reduced picture. `embedded` is what else
    travels in the file.
    """

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
    found, image = decoded(io.BytesIO(data), None, least=LEAST_PX)
    if image is None:
        raise BadImage(f"the picture {found.flaw}")
    icc, icc_name = profile(image)
    picture = _reducible(image)
    rgb, opacity = _sampled(picture, icc)
    small = _on_white(_in_srgb(picture.reduce(max(1, max(picture.size) // THUMBNAIL_PX)), icc))
    grey = small.convert("L")
    seen = np.asarray(grey, np.float32)
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS)
    thumbnail = io.BytesIO()
    small.save(thumbnail, "WEBP", quality=70, method=0)
    return Features(
        width=found.width or 0,  # a whole picture has them all
        height=found.height or 0,
        mode=found.mode or "",
        phash=phash(grey),
        dhash=dhash(grey),
        thumbnail=thumbnail.getvalue(),
        palette=clusters(rgb, opacity),
        alpha=1.0 if opacity is None else round(float(opacity.mean()) / 255, 6),
        icc=icc_name,
        sharpness=_sharpness(seen),
        contrast=round(float(seen.std()), 3),
        brightness=round(float(seen.mean()), 3),
        embedded=embedded(data, image),
    )


def _reducible(image: Image.Image) -> Image.Image:
    """In a mode that can be averaged and sampled, with a channel for what is transparent."""
    picture: Image.Image = image
    transparent = picture.has_transparency_data
    if picture.mode.startswith("I"):  # 16 bits of grey: keep the upper eight, converting would clip
        picture = picture.point(lambda value: value / 256, "L")
    if picture.mode not in _REDUCIBLE or (transparent and "A" not in picture.getbands()):
        picture = picture.convert("RGBA" if transparent else "RGB")
    return picture


def _sampled(
    picture: Image.Image, icc: ImageCms.ImageCmsProfile | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """(samples, 3) in sRGB from all over the picture, and the opacity of each where something is transparent."""
    if icc is None and picture.mode in {"RGB", "RGBA"}:
        # As Pillow holds it, four bytes a pixel: a plain copy, while three would have to be picked out.
        held = np.frombuffer(picture.tobytes("raw", "RGBX" if picture.mode == "RGB" else "RGBA"), np.uint8)
        pixels = scattered(held.reshape(picture.height, picture.width, 4))
    else:
        whole = np.asarray(picture)
        samples = scattered(whole.reshape(picture.height, picture.width, -1))
        strip = np.squeeze(samples[None], axis=2) if picture.mode == "L" else samples[None]
        turned = _in_srgb(Image.fromarray(strip, picture.mode), icc)
        pixels = np.asarray(turned)[0]
    return pixels[:, :3], pixels[:, 3] if "A" in picture.getbands() else None


def _in_srgb(picture: Image.Image, icc: ImageCms.ImageCmsProfile | None) -> Image.Image:
    """As RGB, or RGBA where something is transparent, in sRGB where a profile says what else it was."""
    target = "RGBA" if "A" in picture.getbands() else "RGB"
    if icc is not None:
        picture = _through(picture, icc)
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
