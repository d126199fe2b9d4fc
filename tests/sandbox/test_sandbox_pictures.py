"""Pictures: the exact size, the same for the same request, marked, and following what was asked for."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flows.ideogram import presets
from flows.ideogram.catalogue import CATALOGUE
from flows.sandbox import lettering, palettes, renderer
from flows.sandbox.gallery import Gallery
from flows.sandbox.magic import final_prompt, texts_of, words_of
from flows.sandbox.renderer import Picture, render
from flows.sandbox.sizes import size_of


def picture(
    prompt: str = "A quiet beach",
    size: tuple[int, int] = (256, 256),
    seed: int = 1,
    **options: Any,
) -> Picture:
    return Picture(prompt, options, seed, *size)


def decoded(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def pixels(png: bytes) -> Any:
    return np.asarray(decoded(png)).astype(int)


EVERY_SIZE = sorted(
    {size_of(endpoint, {field: value}) for endpoint in CATALOGUE.values() for field, value in endpoint.ratios.values()}
)


@pytest.mark.parametrize("size", EVERY_SIZE, ids=lambda size: f"{size[0]}x{size[1]}")
def test_plain_pictures_have_the_exact_size_of_every_ratio(size: tuple[int, int]) -> None:
    """Whatever ratio is asked for, the decoded picture has the very pixels that are reported."""
    assert decoded(render(picture(size=size), "plain")).size == size


@pytest.mark.slow
def test_rich_pictures_have_every_size_there_is() -> None:
    """All sizes that any model offers, drawn in full."""
    every = {*presets.RESOLUTIONS_V3, *presets.RESOLUTIONS_LEGACY, *presets.SIZES_V4_1K, *presets.SIZES_V4_2K}
    for spelled in sorted(every):
        width, height = (int(side) for side in spelled.split("x"))
        assert decoded(render(picture(size=(width, height)), "rich")).size == (width, height)


PROMPTS = {
    "beach": "A bottle on a beach",
    "still life": "Still life with fruit",
    "breakfast": "A breakfast table",
    "pattern": "A seamless citrus pattern",
    "badge": "An enamel badge",
    "botanical": "Olive leaves",
    "abstract": "Abstract shapes",
    "nothing known": "Zzyzx",
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
@pytest.mark.parametrize("size", [(320, 320), (384, 128), (128, 384)], ids=["square", "wide", "tall"])
def test_every_scene_is_drawn_in_every_shape(prompt: str, size: tuple[int, int]) -> None:
    """Scenes fit any ratio, say something (no blank sheet), and repeat themselves exactly."""
    first = render(picture(prompt, size), "rich")
    assert decoded(first).size == size
    assert decoded(first).mode == "RGB"
    assert pixels(first).std() > 8
    assert render(picture(prompt, size), "rich") == first


@pytest.mark.parametrize("detail", ["rich", "plain"])
def test_another_seed_or_prompt_is_another_picture(detail: Literal["rich", "plain"]) -> None:
    """Seed and prompt both decide; nothing else is remembered between calls."""
    drawn = [
        render(picture(), detail),
        render(picture(seed=2), detail),
        render(picture("A quiet beach at night"), detail),
    ]
    assert len(set(drawn)) == 3
    assert render(picture(), detail) == drawn[0]


@pytest.mark.parametrize("detail", ["rich", "plain"])
def test_every_picture_is_marked(detail: Literal["rich", "plain"]) -> None:
    """The corner says SANDBOX in white on dark, and the file says it in its metadata."""
    png = render(picture(size=(1024, 1024)), detail)
    assert decoded(png).info["Software"] == "ideoflow sandbox"
    corner = pixels(png)[-46:-16, -160:-16]
    assert (corner.min(axis=2) > 245).sum() > 150
    assert (corner.max(axis=2) < 160).sum() > 800


@pytest.mark.parametrize("style", ["design", "realistic"])
def test_a_seamless_pattern_meets_itself_at_the_edges(style: str) -> None:
    """Laid side by side, the step across the seam is no larger than between any neighbouring pixels."""
    drawn = pixels(render(picture("A seamless citrus pattern", (512, 512), style_type=style), "rich"))[:400]
    steps = np.abs(np.diff(drawn, axis=1)).mean(axis=(0, 2))
    across = np.abs(drawn[:, 0] - drawn[:, -1]).mean()
    assert across <= steps.max() * 1.1


HEX = {"#b4204a": (180, 32, 74), "#1f5c9e": (31, 92, 158), "#2f8f4e": (47, 143, 78)}


@pytest.mark.parametrize(("spelled", "colour"), HEX.items())
def test_a_palette_is_followed(spelled: str, colour: tuple[int, int, int]) -> None:
    """The heaviest colour asked for is in the picture, in quantity; and it is not without being asked for."""
    asked = {"members": [{"color_hex": spelled, "color_weight": 0.8}, {"color_hex": "#f8f4ec"}]}

    def share(**options: Any) -> float:
        drawn = pixels(render(picture("A seamless pattern", style_type="design", seed=3, **options), "rich"))
        return float((np.abs(drawn - np.array(colour)).max(axis=2) < 40).mean())

    assert share(color_palette=asked) > 0.03
    assert share() < share(color_palette=asked) / 2


@pytest.mark.parametrize("name", presets.PALETTE_PRESETS)
def test_every_preset_palette_is_known(name: str) -> None:
    """Presets work in the casing of either generation of the API."""
    palette = palettes._PRESETS[name]
    assert palettes.luminance(palette.paper) > 0.85
    assert palettes.luminance(palette.ink) < 0.3
    for spelled in (name, name.upper()):
        one = render(picture("Abstract", color_palette={"name": spelled}), "rich")
        assert one == render(picture("Abstract", color_palette={"name": name}), "rich")


def test_flat_styles_have_no_grain_and_realistic_ones_do() -> None:
    """Design is flat colour; realistic has light and grain: neighbouring pixels differ much more often."""

    def restless(style: str) -> float:
        drawn = pixels(render(picture(size=(512, 512), style_type=style), "rich"))[:128]
        return float((np.abs(np.diff(drawn, axis=1)).max(axis=2) > 0).mean())

    assert restless("design") < 0.1
    assert restless("realistic") > 0.7


def test_what_is_not_wanted_is_left_out() -> None:
    """A negative prompt takes the sun from the sky."""
    without = render(picture("Beach", negative_prompt="people, sun"), "rich")
    assert without != render(picture("Beach"), "rich")
    assert without != render(picture("Beach", negative_prompt="people"), "rich")


QUOTES = {
    'reads "SUMMER"': ("SUMMER",),
    "reads “SUMMER”, then “SLOWLY”": ("SUMMER", "SLOWLY"),
    "lies „SOMMER“": ("SOMMER",),
    "dit «ÉTÉ»": ("ÉTÉ",),
    "sagt »SOMMER«": ("SOMMER",),
    "it's the sailor's sea": (),
    '""': (),
    'an open " quote': (),
}


@pytest.mark.parametrize(("prompt", "texts"), QUOTES.items())
def test_lettering_is_what_stands_in_quotation_marks(prompt: str, texts: tuple[str, ...]) -> None:
    """Straight and typographic double quotes count, apostrophes do not."""
    assert texts_of(prompt) == texts


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS.keys())
def test_lettering_is_large_and_stands_out(prompt: str) -> None:
    """With lettering, a good part of the picture changes, and the change is strong in contrast."""
    canvas = decoded(render(picture(prompt, (512, 512)), "rich"))
    bare = np.asarray(canvas).astype(int)
    room = (60.0, 60.0, 452.0, 200.0)
    palette = palettes.choose(words_of(prompt).lower(), {}, random.Random(1))
    lettering.letter(canvas, "SUMMER", room, palette, lettering.SERIF)
    changed = np.abs(np.asarray(canvas).astype(int) - bare).max(axis=2) > 60
    assert changed.mean() > 0.02
    rows = np.flatnonzero(changed.any(axis=1))
    assert rows[-1] - rows[0] > 40


def test_structured_prompts_letter_their_text_elements() -> None:
    """A prompt in the vendor's JSON form is drawn by its descriptions and lettered by its text elements."""
    told = final_prompt('A beach. Lettering reads "HELIO"', "auto", structured=True, seed=1)
    assert texts_of(told) == ("HELIO",)
    assert "beach" in words_of(told)
    assert "high_level" not in words_of(told)
    assert decoded(render(picture(told), "rich")).size == (256, 256)
    for odd in (
        '{"high_level_description": 1}',
        '{"a": ',
        "{}",
        "[]",
        json.dumps({"high_level_description": "x"}),
    ):
        assert words_of(odd) == odd


@settings(deadline=None, max_examples=25)
@given(
    st.text(min_size=1, max_size=60).filter(str.strip),
    st.text(max_size=80),
    st.sampled_from([(64, 192), (192, 64), (128, 128)]),
    st.integers(0, 2**31 - 1),
)
def test_any_prompt_can_be_drawn(words: str, quoted: str, size: tuple[int, int], seed: int) -> None:
    """No text, however strange, keeps a picture from being drawn at its size."""
    assert decoded(render(picture(f'{words} "{quoted}"', size, seed), "rich")).size == size


def test_the_gallery_draws_each_picture_once_and_stays_within_bounds() -> None:
    """Twenty who ask for one picture get one drawing; what is kept never exceeds the bound."""
    drawn: list[str] = []

    class Counting(Gallery):
        """A gallery that notes what it draws."""

        def draw(self, picture: Picture) -> bytes:
            drawn.append(picture.prompt)
            return super().draw(picture)

    async def visit() -> int:
        gallery = Counting("plain", cache_bytes=30_000)
        try:
            asked = [gallery.png("one", picture("one")) for _ in range(20)]
            assert len(set(await asyncio.gather(*asked))) == 1
            for number in range(40):
                await gallery.png(str(number), picture(str(number)))
            return gallery.kept_bytes
        finally:
            gallery.close()

    assert 0 < asyncio.run(visit()) <= 30_000
    assert drawn.count("one") == 1


def test_options_of_any_model_are_drawable() -> None:
    """Every style and preset that the catalogue allows leads to a picture."""
    seen: dict[str, Mapping[str, Any]] = {}
    for endpoint in CATALOGUE.values():
        for option in endpoint.options:
            if option.name in ("style_type", "style_preset"):
                seen.update({value: {option.name: value} for value in option.values})
    for options in seen.values():
        assert renderer.render(Picture("Beach", options, 1, 48, 48), "rich")
