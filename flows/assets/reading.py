"""What can be read in a picture: lines of text with their boxes, by the OCR engine of the extra ``ocr``.

Knows pixels and the engine; knows nothing of what a picture was to say. Importing it loads nothing; the engine and
its models (they come with the package, nothing is fetched) are loaded with the first picture. Run it through
`isolation.extract_many`.
"""

from __future__ import annotations

import importlib.metadata
import io
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, TypedDict

from PIL import Image

from flows.assets.verify import decoded
from flows.errors import BadImage, Refused

EXTRACTOR = "flows.assets.reading:extract"
READING_VERSION = 2
"""Part of the engine's name. Raise it when the same engine would be asked differently."""
# Letters much higher than a hundred pixels are read one by one, and wrong; it takes a third of the time, too.
_LONGEST_PX = 1280


class Line(TypedDict):
    """A line of text; sides of its box as shares of the picture, `score` from 0 to 1."""

    text: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


def engine() -> str:
    """The engine's name with its versions, as readings carry it; Refused where none is installed."""
    missing = [name for name in ("rapidocr", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise Refused(f"{' and '.join(missing)} not installed: lettering is read with the extra `ocr` (ideoflow[ocr])")
    version = importlib.metadata.version
    return f"rapidocr {version('rapidocr')}, onnxruntime {version('onnxruntime')}, reading {READING_VERSION}"


def extract(data: bytes) -> list[Line]:
    """The lines in reading order. Raises BadImage when the bytes are not a complete picture of a known format."""
    import numpy as np  # noqa: PLC0415  the module is asked for `engine` by those who read nothing

    found, image = decoded(io.BytesIO(data), None)
    if image is None:
        raise BadImage(f"the picture {found.flaw}")
    picture = _on_white(image)
    picture.thumbnail((_LONGEST_PX, _LONGEST_PX), Image.Resampling.LANCZOS)
    width, height = picture.size
    # The engine takes blue, green, red.
    read = _engine()(np.ascontiguousarray(np.asarray(picture)[:, :, ::-1]))
    if read.txts is None:
        return []
    lines = []
    for text, score, corners in zip(read.txts, read.scores, read.boxes, strict=True):
        across, down = corners[:, 0] / width, corners[:, 1] / height
        sides = [float(min(1.0, max(0.0, side))) for side in (across.min(), down.min(), across.max(), down.max())]
        lines.append(Line(text=text, score=float(score), left=sides[0], top=sides[1], right=sides[2], bottom=sides[3]))
    return lines


@lru_cache(maxsize=1)
def _engine() -> Any:
    from rapidocr import RapidOCR  # noqa: PLC0415  an optional dependency, and half a gigabyte of memory

    return RapidOCR(params={"Global.log_level": "critical"})


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey: keep the upper eight, converting would clip
        return image.point(lambda value: value / 256, "L").convert("RGB")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return image.convert("RGB")
