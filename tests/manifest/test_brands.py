"""A brand in a manifest: its palette asked for, its words in prompts, and every way in which that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flows.brand.load import load_brand
from flows.brand.model import Brand
from flows.documents import parse
from flows.errors import InvalidInput, Problem
from flows.manifest.load import Loaded, load
from flows.manifest.variant import fingerprint

FILES = {
    "acme": "meta: {name: Acme}\ncolor: {palette: {sun: '#fa0', snow: '#fff'}, primary: sun, background: snow}\n",
    "nova": "color: {palette: {moss: '#363'}}\n",
    "grey": "meta: {name: Grey}\n",
    "torn": "color: {primary: red}\n",
}


def brands(key: str) -> Brand | None:
    return load_brand(key, parse(FILES[key], f"configs/brands/{key}.yml")) if key in FILES else None


def read(prompts: str, brand: str | None = "acme", model: str = "ideogram-3") -> Loaded:
    head = f"version: 1\ndefaults: {{model: {model}}}\n" + (f"brand: {brand}\n" if brand else "")
    return load([("m.yaml", f"{head}prompts:\n{prompts}\n".encode())], datetime(2026, 11, 22, tzinfo=UTC), UTC, brands)


def refused(prompts: str, brand: str | None = "acme", model: str = "ideogram-3") -> list[Problem]:
    with pytest.raises(InvalidInput) as refusal:
        read(prompts, brand, model)
    return list(refusal.value.problems)


def test_the_palette_of_the_brand_is_members_with_weights() -> None:
    """Heaviest first, as the vendor wants them."""
    (variant,) = read("  - {id: a, prompt: x, options: {color_palette: brand}}").variants
    assert variant.options["color_palette"] == {
        "members": [
            {"color_hex": "#FFAA00", "color_weight": 0.4},
            {"color_hex": "#FFFFFF", "color_weight": 0.25},
        ]
    }


def test_it_is_the_same_picture_as_one_with_the_colours_written_out() -> None:
    """A brand file is a way to write colours, nothing that moves a fingerprint of its own."""
    members = "[{color_hex: '#FFAA00', color_weight: 0.4}, {color_hex: '#FFFFFF', color_weight: 0.25}]"
    prints = {
        fingerprint(read(f"  - {{id: a, prompt: x, options: {{color_palette: {value}}}}}").variants[0], "sandbox")
        for value in ("brand", "Brand", f"{{members: {members}}}", members)
    }
    assert len(prints) == 1


def test_each_label_may_be_of_another_brand() -> None:
    """Palette and words follow it."""
    loaded = read(
        "  - {id: a, prompt: 'in {brand.palette}', options: {color_palette: brand},"
        " matrix: {house: {one: {brand: acme}, two: {brand: nova}}}}",
        None,
    )
    assert [variant.prompt for variant in loaded.variants] == [
        "in sun (#FFAA00) and snow (#FFFFFF)",
        "in moss (#336633)",
    ]
    assert [variant.options["color_palette"]["members"][0]["color_hex"] for variant in loaded.variants] == [
        "#FFAA00",
        "#336633",
    ]


def test_words_of_the_brand_fill_prompts_of_any_form() -> None:
    """Also a structured prompt; what the manifest says itself comes first."""
    loaded = read(
        "  - {id: a, prompt: '{brand.name} in {brand.primary}'}\n"
        "  - {id: b, prompt: 'x {brand.name}', vars: {brand.name: ACME}}\n"
        "  - id: c\n    model: ideogram-4-5\n    options: {quality: low}\n    prompt:\n"
        "      high_level_description: for {brand.name}\n"
        "      compositional_deconstruction: {background: plain, elements: [{type: obj, desc: a cup}]}\n"
    )
    assert loaded.variants[0].prompt == "Acme in sun (#FFAA00)"
    assert loaded.variants[1].prompt == "x ACME"
    assert "for Acme" in loaded.variants[2].prompt


def test_a_model_without_palettes_is_told_of_the_clause() -> None:
    """The error names what to write instead."""
    (problem,) = refused("  - {id: a, prompt: x, options: {color_palette: brand, quality: low}}", model="ideogram-4-5")
    assert problem.key == "prompts[0].options.color_palette"
    assert "takes no palette" in problem.message
    assert "{brand.palette}" in problem.hint
    assert "ideogram-3" in problem.hint


@pytest.mark.parametrize(
    ("prompt", "brand", "key", "says", "remedy"),
    [
        ("{id: a, prompt: x, options: {color_palette: brand}}", None, "options.color_palette", "no brand", "`brand`"),
        ("{id: a, prompt: x, options: {color_palette: brand}}", "none", "options.color_palette", "none.yml", "Write"),
        (
            "{id: a, prompt: x, options: {color_palette: brand}}",
            "grey",
            "options.color_palette",
            "no colours",
            "palette",
        ),
        ("{id: a, prompt: 'x {brand.palete}'}", "acme", "prompt", "{brand.palete}", "`brand.palette`"),
        ("{id: a, prompt: 'x {brand.palette}'}", None, "prompt", "{brand.palette}", "`brand`"),
        ("{id: a, prompt: 'x {brand.palette}'}", "none", "prompt", "{brand.palette}", "configs/brands/none.yml"),
    ],
)
def test_what_no_brand_fills_is_refused(prompt: str, brand: str | None, key: str, says: str, remedy: str) -> None:
    """Once, at its place, with what to do."""
    (problem,) = refused(f"  - {prompt}", brand)
    assert problem.key == f"prompts[0].{key}"
    assert says in problem.message
    assert remedy in problem.hint


def test_a_broken_brand_file_is_told_of_at_its_own_place_once() -> None:
    """However many prompts need it; and beside what else is wrong."""
    found = refused(
        "  - {id: a, prompt: 'x {brand.palette}', options: {color_palette: brand}}\n"
        "  - {id: b, prompt: 'x {brand.palette}', options: {style_tpye: design}}\n",
        "torn",
    )
    assert [(problem.file, problem.key) for problem in found] == [
        ("configs/brands/torn.yml", "color.primary"),
        ("m.yaml", "prompts[1].options.style_tpye"),
    ]


def test_a_brand_that_nothing_asks_of_needs_no_file() -> None:
    """The name alone is a label."""
    assert len(read("  - {id: a, prompt: x}", "none").variants) == 1
    assert len(read("  - {id: a, prompt: x}", "torn").variants) == 1
