"""Colours of pictures of known shares, however they are stored; and the other measures where the truth is known."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw, ImageFilter, PngImagePlugin
from skimage.color import rgb2lab

from flows.assets.colours import clusters, lab_of, scattered
from flows.assets.features import Features, extract
from flows.brand.colour import differences, labs
from flows.checks.palette import coverage
from flows.checks.policy import Palette
from flows.checks.subject import Measured

ORANGE, CREAM, SEA = (245, 166, 35), (255, 244, 224), (42, 127, 158)
CODES = ["#F5A623", "#FFF4E0"]
POINT = 0.01
LIMITS = Palette()


def encoded(image: Image.Image, kind: str = "PNG", **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def flag(size: tuple[int, int] = (600, 400), shares: tuple[float, float] = (0.23, 0.31)) -> Image.Image:
    """A field of orange, one of cream, the rest sea blue: of known shares."""
    width, height = size
    image = Image.new("RGB", size, SEA)
    draw = ImageDraw.Draw(image)
    first = round(width * shares[0])
    draw.rectangle((0, 0, first - 1, height), ORANGE)
    draw.rectangle((first, 0, first + round(width * shares[1]) - 1, height), CREAM)
    return image


def as_measured(found: Features) -> Measured:
    return Measured(
        width=found.width, height=found.height, phash=0, dhash=0, extractor=2, palette=found.palette, alpha=found.alpha
    )


def shares_of(data: bytes, codes: list[str] = CODES) -> tuple[tuple[float, ...], float]:
    """The measured share of each colour, and of strong colours that are none of them."""
    got = coverage(as_measured(extract(data)), codes, LIMITS)
    return got.by_colour, got.off_brand


TRUE = (138 / 600, 186 / 600)


@pytest.mark.parametrize(
    ("stored", "kind", "how"),
    [
        ("RGB", "PNG", {}),
        ("P", "PNG", {}),
        ("RGB", "JPEG", {"quality": 85}),
        ("RGB", "JPEG", {"quality": 60}),
        ("RGB", "WEBP", {"quality": 80}),
        ("RGB", "AVIF", {"quality": 80}),
        ("CMYK", "JPEG", {"quality": 95}),
        ("RGBA", "PNG", {}),
    ],
)
def test_shares_are_right_in_every_way_of_storing(stored: str, kind: str, how: dict[str, object]) -> None:
    """Within one percentage point of the truth."""
    image = flag().convert(stored, palette=Image.Palette.ADAPTIVE)
    by_colour, off = shares_of(encoded(image, kind, **how))
    assert by_colour == pytest.approx(TRUE, abs=POINT)
    assert off == pytest.approx(1 - sum(TRUE), abs=POINT)


def test_what_is_invisible_has_no_colour() -> None:
    """Shares are of what is seen: a transparent ground counts for nothing, half opaque pixels for half."""
    image = flag().convert("RGBA")
    ground = np.asarray(image).copy()
    ground[:, 324:, 3] = 0
    ground[200:, :138, 3] = 128
    by_colour, off = shares_of(encoded(Image.fromarray(ground)))
    orange, cream = 138 * (200 + 200 * 128 / 255), 186 * 400
    assert by_colour == pytest.approx((orange / (orange + cream), cream / (orange + cream)), abs=POINT)
    assert off == pytest.approx(0, abs=POINT)
    found = extract(encoded(Image.fromarray(ground)))
    assert found.alpha == pytest.approx((orange + cream) / (600 * 400), abs=POINT)


def test_a_palette_picture_with_a_transparent_entry_is_seen_the_same() -> None:
    """Transparency of one palette entry, as many small pictures have it."""
    image = flag().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    sea = image.getpixel((590, 5))
    by_colour, off = shares_of(encoded(image, transparency=sea))
    assert by_colour == pytest.approx((138 / 324, 186 / 324), abs=POINT)
    assert off == pytest.approx(0, abs=POINT)


def test_nothing_visible_is_no_palette() -> None:
    """And no error."""
    found = extract(encoded(Image.new("RGBA", (40, 40), (255, 0, 0, 0))))
    assert len(found.palette) == 0
    assert found.alpha == 0


@pytest.mark.parametrize("mode", ["L", "I;16", "LA"])
def test_greys_are_neutral_in_every_depth(mode: str) -> None:
    """Of two greys the shares are right, and neither is off brand."""
    grey = Image.new("L", (500, 300), 90)
    grey.paste(200, (0, 0, 150, 300))
    image = grey.convert(mode) if mode != "I;16" else Image.new("I;16", grey.size)
    if mode == "I;16":
        image.putdata([value * 257 for value in grey.tobytes()])
    found = extract(encoded(image))
    lab = found.palette[:, :3].astype(float)
    for code, share in (("#5A5A5A", 0.7), ("#C8C8C8", 0.3)):
        near = differences(lab, labs([code]))[:, 0] < 3
        assert found.palette[near, 3].sum() == pytest.approx(share, abs=POINT)
    got = coverage(as_measured(found), CODES, LIMITS)
    assert got.neutral == pytest.approx(1, abs=POINT)
    assert got.off_brand == 0


def test_sixteen_bits_of_colour() -> None:
    """A PNG with 16 bits a channel, as editors write it: made by hand, since Pillow writes none."""
    wide = np.repeat((np.asarray(flag()).astype(">u2") * 257)[None], 1, axis=0)[0]
    data = _png16(wide)
    by_colour, off = shares_of(data)
    assert by_colour == pytest.approx(TRUE, abs=POINT)
    assert off == pytest.approx(1 - sum(TRUE), abs=POINT)


def _png16(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _swapped_profile() -> bytes:
    """A real profile whose red is sRGB's blue and the other way round: written into the profile's tag table."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    tags = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    places = profile[red + 4 : red + 12], profile[blue + 4 : blue + 12]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = places[1], places[0]
    return bytes(profile)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_profile_says_what_the_numbers_mean(kind: str, mode: str) -> None:
    """Blue numbers under a profile that calls them red are red: the profile is followed, alpha kept."""
    if (kind, mode) == ("JPEG", "RGBA"):
        mode = "RGB"
    turned = Image.merge("RGB", flag().split()[::-1]).convert(mode)
    plain, off = shares_of(encoded(turned, kind))
    assert sum(plain) < 0.5  # without the profile orange is blue
    by_colour, off = shares_of(encoded(turned, kind, icc_profile=_swapped_profile()))
    assert by_colour == pytest.approx(TRUE, abs=POINT)
    assert off == pytest.approx(1 - sum(TRUE), abs=POINT)
    assert extract(encoded(turned, kind, icc_profile=_swapped_profile())).icc


def test_a_profile_of_srgb_changes_nothing_and_a_broken_one_is_named() -> None:
    """What cannot be used is left aside, and said."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    by_colour, _ = shares_of(encoded(flag(), icc_profile=profile))
    assert by_colour == pytest.approx(TRUE, abs=POINT)
    broken = extract(encoded(flag(), icc_profile=b"not a profile"))
    assert (broken.icc or "").startswith("unreadable")
    assert coverage(as_measured(broken), CODES, LIMITS).by_colour == pytest.approx(TRUE, abs=POINT)


@pytest.mark.parametrize("size", [(7, 3), (301, 203), (1024, 1024), (2048, 1152), (3000, 400)])
def test_shares_are_right_in_every_size(size: tuple[int, int]) -> None:
    """Also where only one pixel of each block is looked at."""
    width, _ = size
    by_colour, _ = shares_of(encoded(flag(size)))
    true = (round(width * 0.23) / width, round(width * 0.31) / width)
    assert by_colour == pytest.approx(true, abs=POINT)


@pytest.mark.parametrize("period", [2, 3, 4, 8])
def test_fine_patterns_do_not_fool_the_samples(period: int) -> None:
    """Stripes of one pixel in every so many, in a picture of which only samples are taken."""
    pixels = np.full((1600, 1600, 3), SEA, np.uint8)
    pixels[::period] = ORANGE
    by_colour, _ = shares_of(encoded(Image.fromarray(pixels)))
    assert by_colour[0] == pytest.approx(1 / period, abs=POINT)


def test_many_colours_keep_their_weight() -> None:
    """A thousand colours at random, and a tenth of one brand colour: still found."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 120, (500, 500, 3), dtype=np.uint8)
    pixels[:, 200:250] = CREAM
    by_colour, _ = shares_of(encoded(Image.fromarray(pixels)))
    assert by_colour[1] == pytest.approx(0.1, abs=POINT)


def test_lab_is_that_of_the_textbook() -> None:
    """As scikit-image computes it, for every corner of sRGB, its greys, and colours in between."""
    steps = np.arange(0, 256, 17, dtype=float)
    rgb = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    assert np.abs(lab_of(rgb) - rgb2lab(rgb / 255)).max() < 1e-6


def test_a_large_jpeg_has_the_shares_of_the_whole() -> None:
    """Though only a part of its pixels is computed."""
    by_colour, off = shares_of(encoded(flag((2400, 1600)), "JPEG", quality=85))
    assert by_colour == pytest.approx((0.23, 0.31), abs=POINT)
    assert off == pytest.approx(0.46, abs=POINT)


def test_clusters_are_ordered_whole_and_repeatable() -> None:
    """The largest first, shares add up to one, at most 48, the same again."""
    pixels = np.random.default_rng(3).integers(0, 255, (400, 400, 3), dtype=np.uint8)
    found = clusters(scattered(pixels))
    assert found.shape == (48, 4)
    assert found[:, 3].sum() == pytest.approx(1, abs=1e-5)
    assert (np.diff(found[:, 3]) <= 0).all()
    assert np.array_equal(found, clusters(scattered(pixels)))


def test_sharpness_contrast_and_brightness_say_what_they_mean() -> None:
    """A blurred picture is less sharp, a flat one has no contrast, a dark one is dark."""
    pixels = np.random.default_rng(1).integers(0, 255, (400, 400), dtype=np.uint8)
    sharp = Image.fromarray(pixels).resize((512, 512), Image.Resampling.NEAREST)
    blurred = extract(encoded(sharp.filter(ImageFilter.GaussianBlur(3))))
    assert extract(encoded(sharp)).sharpness > 20 * blurred.sharpness
    flat = extract(encoded(Image.new("RGB", (300, 300), (10, 10, 10))))
    assert (flat.sharpness, flat.contrast, flat.brightness) == (0, 0, 10)
    assert extract(encoded(Image.new("RGB", (2, 2)))).sharpness == 0


def test_what_travels_in_the_file_is_listed() -> None:
    """Texts, EXIF, the digital source type, content credentials; cut short, and JSON."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Software", "painter 3")
    texts.add_text("Comment", "x" * 1000)
    texts.add_itxt(
        "XML:com.adobe.xmp",
        '<x:xmpmeta><rdf:Description Iptc4xmpExt:DigitalSourceType="'
        'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/></x:xmpmeta>',
    )
    exif = Image.Exif()
    exif[0x010F] = "A Maker"
    found = extract(encoded(flag(), pnginfo=texts, exif=exif)).embedded
    assert found["text"]["Software"] == "painter 3"
    assert len(found["text"]["Comment"]) == 200
    assert found["exif"] == {"Make": "A Maker"}
    assert found["xmp"] is True
    assert found["source_type"] == "trainedAlgorithmicMedia"
    assert json.loads(json.dumps(found)) == found
    assert extract(encoded(flag())).embedded == {}


def test_content_credentials_are_noticed(tmp_path: Path) -> None:
    """By the label of their box, wherever the format puts it."""
    data = encoded(flag(), "JPEG")
    box = b"\x00\x00\x00\x20jumb\x00\x00\x00\x18jumdc2pa"
    segment = b"\xff\xeb" + (len(box) + 2).to_bytes(2, "big") + box
    assert extract(data[:2] + segment + data[2:]).embedded["c2pa"] is True
