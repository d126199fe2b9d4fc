"""The vendor's options: every spelling people use, and the one that goes on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from flows.ideogram.catalogue import CATALOGUE, Kind
from flows.manifest.options import RESERVED, check, find_ratio
from flows.manifest.palette import canonical_palette
from flows.manifest.slips import Slip

SPELLINGS = [
    ("ideogram-4-5", "quality", "HIGH", "high"),
    ("ideogram-4-5", "quality", " high ", "high"),
    ("ideogram-4-5", "magic_prompt", "OFF", "off"),
    ("ideogram-4-5", "size", "2048X2048", "2048x2048"),
    ("ideogram-4-5", "size", "2560 x 1440", "2560x1440"),
    ("ideogram-4-5", "size", "2560\u00d71440", "2560x1440"),
    ("ideogram-4-5", "size", "RESOLUTION_1024_1024", "1024x1024"),
    ("ideogram-4-5", "size", "Auto", "auto"),
    ("ideogram-4-5", "enable_copyright_detection", True, True),
    ("ideogram-3", "aspect_ratio", "16:9", "16x9"),
    ("ideogram-3", "aspect_ratio", "16x9", "16x9"),
    ("ideogram-3", "aspect_ratio", "16/9", "16x9"),
    ("ideogram-3", "aspect_ratio", "ASPECT_16_9", "16x9"),
    ("ideogram-3", "aspect_ratio", "aspect_10_16", "10x16"),
    ("ideogram-3", "resolution", "RESOLUTION_512_1536", "512x1536"),
    ("ideogram-3", "rendering_speed", "TURBO", "turbo"),
    ("ideogram-3", "style_type", "DESIGN", "design"),
    ("ideogram-3", "style_preset", "Art Deco", "art_deco"),
    ("ideogram-3", "style_preset", "80s-illustration", "80s_illustration"),
    ("ideogram-3", "negative_prompt", "  people ", "people"),
    ("ideogram-3", "style_codes", ["aaff5733", 12345678], ["AAFF5733", "12345678"]),
    ("ideogram-4-6", "size", "2048 X 1152", "2048x1152"),
    ("ideogram-4-6", "size", "RESOLUTION_1024_1024", "1024x1024"),
    ("ideogram-4-6", "size", "AUTO", "auto"),
    ("ideogram-4-6", "quality", "Very Low", "very_low"),
    ("ideogram-4", "resolution", "2048*2048", "2048x2048"),
    ("ideogram-4-transparent", "output_resolution", "4K", "4k"),
    ("ideogram-3-transparent", "upscale_factor", "X4", "x4"),
    ("v1/ideogram-v3", "rendering_speed", "flash", "FLASH"),
    ("v1/ideogram-v3", "style_preset", "art deco", "ART_DECO"),
    ("v1/ideogram-v3", "color_palette", "ember", {"name": "EMBER"}),
    ("v1/ideogram-v3", "aspect_ratio", "16:9", "16x9"),
    ("V_2", "aspect_ratio", "16:9", "ASPECT_16_9"),
    ("V_2", "aspect_ratio", "aspect_16_9", "ASPECT_16_9"),
    ("V_2", "resolution", "1024x1024", "RESOLUTION_1024_1024"),
    ("V_2", "magic_prompt_option", "off", "OFF"),
    ("V_2", "style_type", "render 3d", "RENDER_3D"),
    ("V_2", "style_type", "render-3d", "RENDER_3D"),
    ("V_2", "color_palette", "ember", {"name": "EMBER"}),
    ("ideogram-3", "color_palette", "EMBER", {"name": "ember"}),
    ("ideogram-3", "color_palette", {"name": "Ember"}, {"name": "ember"}),
]


@pytest.mark.parametrize(("model", "name", "written", "sent"), SPELLINGS)
def test_spellings(model: str, name: str, written: Any, sent: Any) -> None:
    """Case, separators and the other APIs' forms are understood."""
    checked = check(CATALOGUE[model], name, written)
    assert checked.slips == ()
    assert checked.value == sent
    assert type(checked.value) is type(sent)


@pytest.mark.parametrize("model", CATALOGUE)
def test_every_value_of_the_catalogue_is_its_own_spelling(model: str) -> None:
    """What is canonical stays as it is, in upper and in lower case."""
    endpoint = CATALOGUE[model]
    for option in endpoint.options:
        for value in option.values if option.kind is Kind.ENUM else ():
            for written in (
                value,
                value.upper(),
                value.lower(),
                value.replace("_", " "),
                value.replace("_", "-"),
            ):
                assert check(endpoint, option.name, written).value == value


@pytest.mark.parametrize("model", CATALOGUE)
def test_what_is_canonical_stays(model: str) -> None:
    """Checking what has been checked changes nothing: history can be compared with manifests."""
    for known, name, written, _ in SPELLINGS:
        if known == model:
            once = check(CATALOGUE[model], name, written).value
            assert check(CATALOGUE[model], name, once).value == once


@pytest.mark.parametrize("model", CATALOGUE)
@pytest.mark.parametrize("name", RESERVED)
def test_what_is_ours_is_never_an_option(model: str, name: str) -> None:
    """Seeds, counts and the like are refused with our own word for them."""
    (slip,) = check(CATALOGUE[model], name, 1).slips
    assert slip.key
    assert slip.hint == RESERVED[name]


@pytest.mark.parametrize("model", CATALOGUE)
def test_nothing_of_the_wrong_kind_passes(model: str) -> None:
    """No option takes a map of nonsense, nothing, or a fraction."""
    for option in CATALOGUE[model].options:
        wrong: list[Any] = [None, 0.5, {"x": 1}, [{}], [None], "\u2603", "", []]
        for value in wrong:
            checked = check(CATALOGUE[model], option.name, value)
            if option.kind is Kind.TEXT and value == "\u2603":
                continue
            assert checked.slips, (option.name, value)


@pytest.mark.parametrize(
    ("model", "ratio", "found"),
    [
        ("ideogram-4-5", "16:9", "16:9"),
        ("ideogram-3", "8:5", "16:10"),
        ("ideogram-3", "2:2", "1:1"),
        ("V_2", "5:8", "10:16"),
        ("V_2", "2:1", None),
        ("ideogram-3", "21:9", None),
    ],
)
def test_ratios_are_compared_as_shapes(model: str, ratio: str, found: str | None) -> None:
    """5:8 is 10:16; a shape that is not there is not rounded."""
    assert find_ratio(CATALOGUE[model], ratio) == found


def _palette(value: Any) -> tuple[Any, list[Slip]]:
    option = CATALOGUE["ideogram-3"].option("color_palette")
    assert option is not None
    return canonical_palette(option, value)


def test_colours_are_spelled_out_in_upper_case() -> None:
    """Three digits stand for six, and the # may be left out of a quoted text."""
    palette, slips = _palette(["#f0a", "00FF7f", {"color_hex": "#123456"}])
    assert not slips
    assert [member["color_hex"] for member in palette["members"]] == ["#FF00AA", "#00FF7F", "#123456"]


def test_weights_are_sorted_for_the_vendor() -> None:
    """Heaviest first; equal weights keep their order; all weights are fractions."""
    weighted = [("#111", 0.05), ("#222", 1), ("#333", 0.3), ("#444", 0.3)]
    palette, slips = _palette({"members": [{"color_hex": c, "color_weight": w} for c, w in weighted]})
    assert not slips
    assert [(m["color_hex"], m["color_weight"]) for m in palette["members"]] == [
        ("#222222", 1.0),
        ("#333333", 0.3),
        ("#444444", 0.3),
        ("#111111", 0.05),
    ]


@pytest.mark.parametrize("weight", [0.049, 1.01, -1, True, "0.5", None, []])
def test_weights_out_of_range(weight: Any) -> None:
    """A weight is a number from 0.05 to 1."""
    _, slips = _palette({"members": [{"color_hex": "#fff", "color_weight": weight}]})
    assert [slip.path for slip in slips] == [("members", 0, "color_weight")]
