"""Whether this is the picture that was promised: known format, complete, decodable, of the right size.

Knows formats and pixels. It looks only at the bytes: a file name or a Content-Type proves nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

MAX_PIXELS = 120_000_000
"""All frames together; 8K upscales have 67 million."""


@dataclass(frozen=True)
class Inspection:
    """What the bytes are. `flaw` is None for a complete picture of the expected size, else in words.

    `media_type` and `extension` are None when this is no picture we know; `width`, `height` and `mode`
    (Pillow's) when its header cannot be read.
    """

    media_type: str | None
    extension: str | None
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    flaw: str | None = None


class _Flaw(Exception):
    """What is wrong, in words."""


@dataclass(frozen=True)
class _Format:
    media_type: str
    extension: str
    opener: Callable[[BinaryIO], ImageFile]


_PNG = _Format("image/png", "png", PngImageFile)
_JPEG = _Format("image/jpeg", "jpg", JpegImageFile)
_WEBP = _Format("image/webp", "webp", WebPImageFile)
_GIF = _Format("image/gif", "gif", GifImageFile)
_AVIF = _Format("image/avif", "avif", AvifImageFile)


def inspect(file: BinaryIO, expected: tuple[int, int] | None) -> Inspection:
    """Look at the whole of a seekable file. `expected` is (width, height) in pixels, None to accept any.

    Never raises for what the file holds; at most some 120 million pixels are decoded. Takes about 0.1 s for
    four million pixels of PNG.
    """
    return decoded(file, expected)[0]


def decoded(
    file: BinaryIO, expected: tuple[int, int] | None, *, least: int | None = None
) -> tuple[Inspection, ImageFile | None]:
    """As `inspect`, with the picture itself (its first frame, loaded) where it is whole: one decode serves both.

    With `least`, a JPEG comes at a half, a quarter or an eighth of its size, whichever still has so many pixels at
    its longer side: all of its data is read as ever, and less is computed from it.
    """
    file.seek(0)
    head = file.read(32)
    known = _recognise(head)
    if known is None:
        return Inspection(None, None, flaw=_what_else(head)), None
    image: ImageFile | None = None
    size: tuple[int, int] | None = None
    mode: str | None = None
    flaw = None
    try:
        if known is _PNG:
            _check_png_chunks(file)
        file.seek(0)
        # The plugin itself rather than Image.open: only this one decoder runs, and the limit on pixels is
        # ours, without Pillow's process-wide setting and its warning.
        with known.opener(file) as image:
            size, mode = image.size, image.mode
            if least is not None and known is _JPEG:
                part = max(1, max(size) // least)
                image.draft(None, (size[0] // part, size[1] // part))
            _decode(image)
        if expected is not None and size != expected:
            flaw = f"is {size[0]}x{size[1]} where {expected[0]}x{expected[1]} was promised"
    except _Flaw as found:
        flaw = str(found)
    except Exception as error:  # noqa: BLE001 - decoders raise whatever they like at bad bytes
        flaw = f"cannot be decoded: {str(error) or type(error).__name__}"
    finally:
        file.seek(0)
    width, height = size or (None, None)
    return Inspection(known.media_type, known.extension, width, height, mode, flaw), image if flaw is None else None


def _recognise(head: bytes) -> _Format | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _PNG
    if head.startswith(b"\xff\xd8\xff"):
        return _JPEG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _GIF
    if head[4:8] == b"ftyp" and head[8:12] in {b"avif", b"avis"}:
        return _AVIF
    return None


def _what_else(head: bytes) -> str:
    text = head.lstrip().lower()
    if not head:
        return "is empty"
    if text.startswith((b"<!doctype", b"<html")):
        return "is a web page, not a picture"
    if text.startswith((b"{", b"[")):
        return "is JSON, not a picture"
    return "is not a picture of a format we know"


def _decode(image: ImageFile) -> None:
    """Decode every frame, or raise."""
    width, height = image.size
    frames = getattr(image, "n_frames", 1)
    if width * height * frames > MAX_PIXELS:
        raise _Flaw(f"has {width}x{height} pixels in {frames} frame(s), more than {MAX_PIXELS:,} in all")
    for frame in range(frames):
        image.seek(frame)
        image.load()
    if frames > 1:
        image.seek(0)
        image.load()


def _check_png_chunks(file: BinaryIO) -> None:
    """Every chunk's checksum up to the end mark.

    Pillow stops reading when it has all rows, so that damage behind them, or a missing end, goes unseen.
    """
    file.seek(8)
    while True:
        header = file.read(8)
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        checksum = zlib.crc32(kind)
        while len(header) == 8 and length > 0:
            piece = file.read(min(length, 65_536))
            if not piece:
                break
            checksum = zlib.crc32(piece, checksum)
            length -= len(piece)
        stored = file.read(4)
        if len(header) < 8 or length or len(stored) < 4:
            raise _Flaw("is cut off")
        if int.from_bytes(stored, "big") != checksum:
            raise _Flaw(f"is damaged (checksum of {kind.decode('latin-1')!r})")
        if kind == b"IEND":
            return
