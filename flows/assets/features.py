"""What can be measured in a stored picture: size, digest, perceptual hashes, a thumbnail. One decode.

Knows pixels only. Importing it loads numpy and scipy (about a second), so import it where it is used; and
run it through `isolation.extract_many`, because a decoder may hang or die.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import imagehash
from PIL import Image

from flows.assets.extractor import EXTRACTOR_VERSION
from flows.assets.verify import inspect
from flows.errors import BadImage

THUMBNAIL_PX = 256


@dataclass(frozen=True)
class Features:
    """`phash` and `dhash` are 64 bits as 16 hex digits (imagehash's), of the picture on a white ground.

    `mode` is Pillow's, as stored. `thumbnail` is WebP, its longer side at most 256 px.
    """

    sha256: str
    width: int
    height: int
    mode: str
    phash: str
    dhash: str
    thumbnail: bytes
    extractor: int = EXTRACTOR_VERSION


def extract(data: bytes) -> Features:
    """Measure one picture. Raises BadImage when the bytes are not a complete picture of a known format."""
    found = inspect(io.BytesIO(data), None)
    if found.flaw is not None or found.extension is None:
        raise BadImage(f"the picture {found.flaw}")
    with Image.open(io.BytesIO(data), formats=[_PILLOW[found.extension]]) as image:
        width, height = image.size
        mode = image.mode
        flat = _on_white(image)
    phash, dhash = str(imagehash.phash(flat)), str(imagehash.dhash(flat))
    flat.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS)
    thumbnail = io.BytesIO()
    flat.save(thumbnail, "WEBP", quality=70, method=4)
    return Features(hashlib.sha256(data).hexdigest(), width, height, mode, phash, dhash, thumbnail.getvalue())


_PILLOW = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "gif": "GIF", "avif": "AVIF"}


def _on_white(image: Image.Image) -> Image.Image:
    """As RGB, transparency on white: as people see it on a page, and so that hidden colours do not count."""
    if image.mode.startswith("I"):  # 16 bits of grey: keep the upper eight, converting would clip
        return image.point(lambda value: value / 256, "L").convert("RGB")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture).convert("RGB")
    return image.convert("RGB")
