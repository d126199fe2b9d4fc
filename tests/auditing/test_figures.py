"""The colours that a brand's pictures show, together."""

from __future__ import annotations

import numpy as np
import pytest

from flows.auditing.figures import tones
from flows.brand.colour import lab_of
from flows.checks.subject import Image, Measured

RED, BLUE, GREEN = "#C01818", "#1830C0", "#18A030"


def picture(number: int, brand: str, **shares: float) -> tuple[Image, Measured]:
    """A kept picture of these colours."""
    colours = {"red": RED, "blue": BLUE, "green": GREEN}
    palette = np.array([[*lab_of(colours[name]), share] for name, share in shares.items()], np.float32)
    image = Image(image_id=f"i{number:05d}", brand=brand, sha256=f"{number:064x}")
    return image, Measured(width=10, height=10, phash=0, dhash=0, palette=palette)


@pytest.mark.parametrize("pictures", [4, 255, 1_000])
def test_every_picture_counts_alike_however_many_there_are(pictures: int) -> None:
    """A quarter of blue in one picture of two is an eighth of the brand, be it four pictures or a thousand."""
    both = [picture(n, "acme", red=0.75, blue=0.25) if n % 2 else picture(n, "acme", red=1.0) for n in range(pictures)]
    [red, blue] = tones([image for image, _ in both], {image.sha256 or "": found for image, found in both})["acme"]
    assert (red.hex, blue.hex) == (RED, BLUE)
    assert blue.share == pytest.approx(0.125, abs=0.001)
    assert red.share + blue.share == pytest.approx(1)


def test_brands_are_told_apart_and_rejected_pictures_left_out() -> None:
    """What nobody uses says nothing about a brand."""
    ours, theirs, rejected = picture(1, "acme", red=1.0), picture(2, "", green=1.0), picture(3, "acme", blue=1.0)
    images = [ours[0], theirs[0], Image(image_id="i3", brand="acme", sha256=rejected[0].sha256, verdict="rejected")]
    found = tones(images, {image.sha256 or "": measures for image, measures in (ours, theirs, rejected)})
    assert {brand: [one.hex for one in some] for brand, some in found.items()} == {"acme": [RED], "": [GREEN]}
