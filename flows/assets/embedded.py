"""What travels inside a picture's file beside its pixels: texts, EXIF, XMP, content credentials, colour profile.

Knows file formats' metadata; judges nothing. Values are cut short: they are shown to people, and may be hostile.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from PIL import ExifTags, ImageCms
from PIL.Image import Image

_LONGEST = 200
_MOST = 40
_SOURCE_TYPE = re.compile(rb"DigitalSourceType[^>]{0,40}?[>\"'][^\"'<]*?/(\w+)\s*[\"'<]")
_BINARY = {"exif", "xmp", "icc_profile", "photoshop", "XML:com.adobe.xmp", "Raw profile type exif"}


def embedded(data: bytes, image: Image) -> dict[str, Any]:
    """As JSON: ``text`` and ``exif`` by name, ``xmp`` and ``c2pa`` as true, ``source_type`` by IPTC's word."""
    found: dict[str, Any] = {}
    texts = {
        str(name)[:_LONGEST]: _short(value)
        for name, value in list(image.info.items())[:_MOST]
        if isinstance(name, str) and name not in _BINARY and isinstance(value, str)
    }
    if texts:
        found["text"] = texts
    exif = _exif(image)
    if exif:
        found["exif"] = exif
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if xmp:
        found["xmp"] = True
        raw = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
        kind = _SOURCE_TYPE.search(raw)
        if kind:
            found["source_type"] = kind[1].decode("ascii", "replace")[:_LONGEST]
    # Content credentials are a JUMBF box labelled c2pa, in a chunk or segment that depends on the format.
    if _credentials(data):
        found["c2pa"] = True
    return found


def _credentials(data: bytes) -> bool:
    """Whether there is such a box. In a PNG only beside the pixels, which are nearly all of it."""
    if not data.startswith(b"\x89PNG"):
        return b"c2pa" in data and b"jumb" in data
    at = 8
    while at + 8 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] != b"IDAT" and b"c2pa" in (chunk := data[at:end]) and b"jumb" in chunk:
            return True
        at = end
    return False


def _exif(image: Image) -> dict[str, str]:
    try:
        tags = image.getexif()
        return {ExifTags.TAGS.get(tag, str(tag)): _short(value) for tag, value in list(tags.items())[:_MOST]}
    except Exception:  # noqa: BLE001  a broken EXIF block breaks in many ways, and says nothing about the picture
        return {}


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value) if isinstance(value, bytes) else str(value)
    return text.replace("\x00", "")[:_LONGEST]


def profile(image: Image) -> tuple[ImageCms.ImageCmsProfile | None, str | None]:
    """The embedded colour profile and its name; (None, None) without one, (None, why) where it is broken."""
    raw = image.info.get("icc_profile")
    if not raw:
        return None, None
    try:
        found = ImageCms.ImageCmsProfile(BytesIO(raw))
        return found, (ImageCms.getProfileDescription(found).strip() or "unnamed")[:_LONGEST]
    except (OSError, ImageCms.PyCMSError) as error:
        return None, f"unreadable: {error}"[:_LONGEST]
