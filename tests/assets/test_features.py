"""Features: right for every mode, stable, and extracted where a broken decoder can do no harm."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageDraw

from flows.assets.features import Features, extract
from flows.assets.hashes import dhash, phash
from flows.assets.isolation import extract_many
from flows.errors import BadImage


def encode(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def scene(size: tuple[int, int] = (640, 400)) -> Image.Image:
    """Sky, sun, sea and a bottle: large shapes, as pictures have them."""
    width, height = size
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 0.6, height * 0.1, width * 0.8, height * 0.45), "gold")
    draw.rectangle((0, height * 0.7, width, height), "navy")
    draw.rectangle((width * 0.15, height * 0.3, width * 0.3, height * 0.9), "darkgreen")
    return image


def test_the_hashes_are_those_that_anyone_can_compute_again() -> None:
    """Of an opaque picture: imagehash's own of the reduced picture, in 16 hex digits; and its size."""
    data = encode(scene())
    found = extract(data)
    assert found.phash == str(imagehash.phash(scene().reduce(2)))
    assert found.dhash == str(imagehash.dhash(scene().reduce(2)))
    assert len(found.phash) == len(found.dhash) == 16
    assert (found.width, found.height, found.mode) == (640, 400, "RGB")


def test_hashes_are_bit_for_bit_those_of_imagehash() -> None:
    """Of noise, of smooth shapes and of one colour, whatever the sides."""
    noise = np.random.default_rng(11)
    for number in range(40):
        cells = noise.integers(0, 255, (3 + number, 4 + number), dtype=np.uint8)
        grey = Image.fromarray(cells).resize((90 + 7 * number, 80 + 5 * number), Image.Resampling.BICUBIC)
        assert phash(grey) == str(imagehash.phash(grey))
        assert dhash(grey) == str(imagehash.dhash(grey))
    flat = Image.new("L", (300, 200), 77)
    assert (phash(flat), dhash(flat)) == (str(imagehash.phash(flat)), str(imagehash.dhash(flat)))


def test_a_large_jpeg_is_measured_from_a_part_and_still_read_to_its_end() -> None:
    """Its size is the true one, it hashes as the same picture in PNG does, and one that is cut off is found out."""
    large = scene((2048, 1280))
    whole = encode(large, "JPEG")
    found, other = extract(whole), extract(encode(large))
    assert (found.width, found.height, found.mode) == (2048, 1280, "RGB")
    assert imagehash.hex_to_hash(found.phash) - imagehash.hex_to_hash(other.phash) <= 2
    with pytest.raises(BadImage, match="cannot be decoded"):
        extract(whole[: len(whole) * 9 // 10])


def test_the_thumbnail_is_small_and_shows_the_picture() -> None:
    """WebP, longer side 256, the same proportions, a few kilobytes, nearly the same hash."""
    found = extract(encode(scene((2048, 1280))))
    with Image.open(io.BytesIO(found.thumbnail)) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("WEBP", (256, 160))
        distance = imagehash.phash(thumbnail) - imagehash.hex_to_hash(found.phash)
    assert distance <= 6
    assert len(found.thumbnail) < 30_000


def test_a_small_picture_is_not_enlarged() -> None:
    """A thumbnail is never larger than the picture."""
    with Image.open(io.BytesIO(extract(encode(scene((50, 20)))).thumbnail)) as thumbnail:
        assert thumbnail.size == (50, 20)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_the_same_scene_hashes_alike_in_every_mode(mode: str) -> None:
    """Palettes, greys, sixteen bits: what people see counts, not how it is stored."""
    grey = scene().convert("L")
    image = grey.convert("RGB").convert(mode) if mode != "I;16" else Image.new("I;16", grey.size)
    if mode == "I;16":
        image.putdata([value * 257 for value in grey.tobytes()])
    found = extract(encode(image))
    assert found.mode == mode
    assert imagehash.phash(grey) - imagehash.hex_to_hash(found.phash) <= 2


def test_hidden_colours_under_transparency_do_not_count() -> None:
    """Fully transparent pixels are white, whatever colour they carry."""
    one, other = Image.new("RGBA", (64, 64), (255, 0, 0, 0)), Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    for image in (one, other):
        image.paste((10, 120, 30, 255), (8, 8, 30, 50))
    assert extract(encode(one)).phash == extract(encode(other)).phash


@pytest.mark.parametrize("data", [b"", b"<html>", encode(scene())[:-40]])
def test_what_is_no_whole_picture_is_a_bad_image(data: bytes) -> None:
    """The reason says what it is instead."""
    with pytest.raises(BadImage, match="the picture"):
        extract(data)


def test_many_pictures_come_back_by_their_keys() -> None:
    """From two children, good and bad ones mixed; each key once."""
    pictures = [(f"p{n}", encode(scene((64 + n, 64)))) for n in range(6)] + [("bad", b"<html>")]
    found = dict(extract_many(pictures, workers=2, timeout_s=60))
    assert found == {key: extract(data) for key, data in pictures[:6]} | {
        "bad": "the picture is a web page, not a picture"
    }


def test_nothing_to_do_starts_nothing() -> None:
    """No child for no picture."""
    assert list(extract_many([], workers=2, timeout_s=1)) == []


HOSTILE = """
import os, signal
def extract(data):
    word = data.decode()
    if word == "hang":
        while True: pass
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "exit":
        os._exit(3)
    return word.upper()
"""


def test_a_decoder_that_hangs_or_dies_costs_its_own_picture_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are measured, and each victim has a reason."""
    (tmp_path / "hostile_decoder.py").write_text(HOSTILE)
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["a", "hang", "b", "crash", "c", "exit", "d", "crash", "e"]
    pictures = [(f"{n}-{word}", word.encode()) for n, word in enumerate(words)]
    found = dict(extract_many(pictures, workers=2, timeout_s=0.5, extractor="hostile_decoder:extract"))
    assert found == {
        "0-a": "A",
        "1-hang": "measuring it took longer than 0.5 s",
        "2-b": "B",
        "3-crash": "measuring it killed the decoder (SIGSEGV)",
        "4-c": "C",
        "5-exit": "measuring it killed the decoder (exit code 3)",
        "6-d": "D",
        "7-crash": "measuring it killed the decoder (SIGSEGV)",
        "8-e": "E",
    }


def test_pictures_are_read_only_as_fast_as_they_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand pictures are never in memory at once; stopping early stops the children."""
    (tmp_path / "hostile_decoder.py").write_text(HOSTILE)
    monkeypatch.syspath_prepend(str(tmp_path))
    read = 0

    def pictures() -> Iterator[tuple[str, bytes]]:
        nonlocal read
        while True:
            read += 1
            yield str(read), b"x"

    results = extract_many(pictures(), workers=2, timeout_s=5, extractor="hostile_decoder:extract")
    got = [next(results) for _ in range(20)]
    assert {value for _, value in got} == {"X"}
    assert read <= 23
    results.close()  # type: ignore[attr-defined]


def test_naming_and_verification_load_no_numpy() -> None:
    """Only the module of features pays for numpy and scipy."""
    code = (
        "import sys, flows.assets.naming, flows.assets.verify, flows.assets.isolation;"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'scipy', 'imagehash')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_features_are_plain_values() -> None:
    """Equal when measured twice: nothing depends on time or chance."""
    data = encode(scene((128, 96)), "JPEG")
    first = extract(data)
    assert isinstance(first, Features)
    assert first == extract(data)
