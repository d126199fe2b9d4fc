"""Inspection: whole pictures pass, everything else is told in words, and nothing raises or explodes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flows.assets.verify import inspect


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (48, 40), **options: Any) -> bytes:
    """A small real picture with some detail in it."""
    image = Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 60)
    out = io.BytesIO()
    image.convert(mode).save(out, kind, **options)
    return out.getvalue()


KINDS = {
    "PNG": ("image/png", "png"),
    "JPEG": ("image/jpeg", "jpg"),
    "WEBP": ("image/webp", "webp"),
    "GIF": ("image/gif", "gif"),
    "AVIF": ("image/avif", "avif"),
}
PNG, JPEG, WEBP = picture("PNG"), picture("JPEG"), picture("WEBP")


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_picture_has_no_flaw(kind: str) -> None:
    """Format by its bytes, real size, no flaw; the file is left at its start."""
    file = io.BytesIO(picture(kind))
    file.read(7)
    found = inspect(file, (48, 40))
    assert (found.media_type, found.extension) == KINDS[kind]
    assert (found.width, found.height, found.flaw) == (48, 40, None)
    assert file.tell() == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_decodes(mode: str) -> None:
    """With transparency, palettes and sixteen bits."""
    out = io.BytesIO()
    image = Image.new("I;16", (9, 9), 40_000) if mode == "I;16" else Image.new("RGB", (9, 9)).convert(mode)
    image.save(out, "PNG")
    found = inspect(out, (9, 9))
    assert (found.flaw, found.mode) == (None, mode)


def test_another_size_than_promised_is_a_flaw() -> None:
    """In numbers; without a promise any size will do."""
    found = inspect(io.BytesIO(PNG), (40, 48))
    assert found.flaw == "is 48x40 where 40x48 was promised"
    assert (found.width, found.height) == (48, 40)
    assert inspect(io.BytesIO(PNG), None).flaw is None


@pytest.mark.parametrize("data", [PNG, JPEG, WEBP], ids=["png", "jpeg", "webp"])
def test_a_picture_cut_off_anywhere_is_found_out(data: bytes) -> None:
    """At every single byte, down to the last one missing."""
    for length in range(len(data)):
        assert inspect(io.BytesIO(data[:length]), (48, 40)).flaw is not None, length


@settings(max_examples=300)
@given(st.integers(0, len(PNG) * 8 - 1))
def test_one_bit_changed_in_a_png_is_found_out(bit: int) -> None:
    """Wherever it is: the format has checksums, and all of them are checked."""
    data = bytearray(PNG)
    data[bit // 8] ^= 1 << bit % 8
    assert inspect(io.BytesIO(bytes(data)), (48, 40)).flaw is not None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n<!DOCTYPE html><title>Just a moment", "web page"),
        (b"<HTML>", "web page"),
        (b'{"error": "expired"}', "JSON"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format we know"),
        (b"BM" + bytes(100), "format we know"),
        (b"II*\x00" + bytes(100), "format we know"),
        (bytes(1000), "format we know"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, words: str) -> None:
    """A page, a message, another format: no media type, and a word for people."""
    found = inspect(io.BytesIO(data), None)
    assert (found.media_type, found.extension, found.width) == (None, None, None)
    assert words in (found.flaw or "")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_pixel_bomb_is_not_decoded(recwarn: pytest.WarningsRecorder) -> None:
    """A few bytes that claim 3.6 gigapixels: refused by the header, without a warning from the decoder."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    found = inspect(io.BytesIO(data), None)
    assert (found.width, found.height) == (60_000, 60_000)
    assert "60000x60000" in (found.flaw or "")
    assert list(recwarn) == []


def test_a_large_honest_picture_gives_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    """One hundred megapixels pass, where the decoder's own default would warn."""
    out = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(out, "PNG", compress_level=1)
    assert inspect(out, (10_000, 10_000)).flaw is None
    assert list(recwarn) == []


def test_every_frame_counts_and_is_decoded() -> None:
    """Damage in the second frame of an animation is damage."""
    frames = [Image.effect_noise((40, 40), 90) for _ in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert inspect(out, None).flaw is None
    data = bytearray(out.getvalue())
    middle = data.rindex(b"VP8L") + 8
    data[middle : middle + 400] = bytes(400)
    assert inspect(io.BytesIO(bytes(data)), None).flaw is not None


@given(st.sampled_from([PNG, JPEG, WEBP, picture("GIF"), picture("AVIF")]), st.data())
def test_no_bytes_make_it_raise(data: bytes, draw: Any) -> None:
    """Random damage, random joints, random tails: an inspection comes back, whatever it says."""
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 6))):
        at = draw.draw(st.integers(0, len(damaged)))
        damaged[at : at + draw.draw(st.integers(0, 9))] = draw.draw(st.binary(max_size=9))
    found = inspect(io.BytesIO(bytes(damaged)), (48, 40))
    assert found.flaw is None or found.flaw
