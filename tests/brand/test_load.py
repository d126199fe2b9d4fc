"""Brand files: read as the open format says, and every slip told of at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.brand.load import load_brand
from flows.brand.model import Brand, Colour
from flows.documents import parse
from flows.errors import InvalidInput, Problem


def read(text: str) -> Brand:
    return load_brand("acme", parse(text, "acme.yml"))


def problems(text: str) -> dict[str, Problem]:
    with pytest.raises(InvalidInput) as refusal:
        read(text)
    return {problem.key: problem for problem in refusal.value.problems}


FULL = """
meta: {name: {short: Acme, full: Acme Corporation}, link: {home: "https://acme.example"}}
logo:
  images: {mark: {path: logos/mark.png, alt: a mark}, wide: logos/wide.svg}
  small: mark
  medium: {light: wide, dark: logos/night.svg}
color:
  palette: {sun: "#fa0", night: "#112233", dusk: night}
  primary: sun
  background: "#ffffff"
  foreground: dusk
  link: primary
typography:
  fonts:
    - {family: Some Sans, source: file, files: [{path: fonts/s.woff2, weight: 400, style: italic}]}
    - {family: Other, source: google, weight: [400, 700], style: normal, display: swap}
  headings: {family: Other, weight: 800, line-height: 1.1, color: primary}
  monospace-block: {family: Code, background-color: "#eee"}
defaults: {website: {navbar: true}}
"""


def test_a_file_with_everything_is_read() -> None:
    """References are followed, short codes written out, names kept."""
    brand = read(FULL)
    assert brand.name == "Acme"
    assert brand.colours == (
        Colour("sun", "#FFAA00"),
        Colour("night", "#112233"),
        Colour("background", "#FFFFFF"),
    )
    assert brand.duties == {
        "foreground": "#112233",
        "background": "#FFFFFF",
        "primary": "#FFAA00",
        "link": "#FFAA00",
    }
    assert brand.faces == {"base": "Some Sans", "headings": "Other", "monospace-block": "Code"}
    assert brand.logos == {
        "mark": "logos/mark.png",
        "wide": "logos/wide.svg",
        "small": "logos/mark.png",
        "medium-light": "logos/wide.svg",
        "medium-dark": "logos/night.svg",
    }


def test_an_empty_file_is_a_brand_without_anything() -> None:
    """All of the format is optional; the name is then the file's."""
    assert read("meta: {}") == Brand("acme", "acme")


def test_the_shipped_brand_fits_the_shipped_campaign() -> None:
    """It has a palette with duties, and the colours that the manifest asks for by hand."""
    root = Path(__file__).resolve().parents[2]
    brand = load_brand("helio", parse((root / "configs/brands/helio.yml").read_bytes(), "helio.yml"))
    codes = {colour.hex for colour in brand.colours}
    assert {"#F5A623", "#FFF4E0", "#D8572A"} <= codes
    assert {"primary", "background"} <= brand.duties.keys()
    assert "brand: helio" in (root / "prompts.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "key", "says", "remedy"),
    [
        ("color: {pallete: {}}", "color.pallete", "unknown key", "`palette`"),
        ("color: {palette: {a: red}}", "color.palette.a", "neither a colour's code", ""),
        ("color: {palette: {sun: '#fa0'}, primary: sum}", "color.primary", "neither", "`sun`"),
        ("color: {palette: {a: b, b: a}}", "color.palette.a", "b which is a", "#F5A623"),
        ("color: {palette: {a: a}}", "color.palette.a", "no code in the end", ""),
        ("color:\n  primary: #fff", "color.primary", "no value", "# begins a comment"),
        ("color: {primary: secondary, secondary: primary}", "color.primary", "neither", ""),
        ("typography: {headings: {color: nope}}", "typography.headings.color", "neither", ""),
        ("typography: {headings: {colour: x}}", "typography.headings.colour", "unknown key", "`color`"),
        ("logo: {images: {mark: m.png}, small: mrk}", "logo.small", "no image of this file", "`mark`"),
        ("lexicon: {forbid: [x]}", "lexicon", "unknown key", "configs/audit.yaml"),
        ("tolerance: 10", "tolerance", "unknown key", "configs/audit.yaml"),
        ("meta: {name: [a]}", "meta.name", "must be", ""),
    ],
)
def test_a_slip_is_told_of_at_its_place(text: str, key: str, says: str, remedy: str) -> None:
    """Where, what, and what to write instead."""
    found = problems(text)
    assert says in found[key].message, found
    assert remedy in found[key].hint, found
    assert found[key].line >= 1


def test_all_slips_are_told_of_at_once() -> None:
    """Nobody mends a file line by line."""
    assert problems("color: {palette: {a: red, b: '#12'}, primary: c}").keys() == {
        "color.palette.a",
        "color.palette.b",
        "color.primary",
    }


def test_members_are_weighed_by_duty_heaviest_first() -> None:
    """A colour with two duties weighs for both; the vendor takes at most so many."""
    brand = read("color: {primary: '#111', background: '#eee', secondary: '#111', foreground: '#222'}")
    assert brand.members(8) == (("#111111", 0.6), ("#EEEEEE", 0.25), ("#222222", 0.05))
    assert brand.members(2) == (("#111111", 0.6), ("#EEEEEE", 0.25))


def test_without_duties_all_colours_weigh_alike() -> None:
    """And no more of them than fit."""
    brand = read("color: {palette: {a: '#111', b: '#222', c: '#333', d: '#444'}}")
    assert brand.members(8) == tuple((code, 0.25) for code in ("#111111", "#222222", "#333333", "#444444"))
    assert [weight for _, weight in brand.members(2)] == [0.5, 0.5]


def test_a_brand_puts_its_palette_into_words() -> None:
    """Names as people say them, with the codes."""
    texts = read(FULL).texts()
    assert texts["brand.palette"] == "sun (#FFAA00), background (#FFFFFF) and night (#112233)"
    assert texts["brand.primary"] == texts["brand.sun"] == "sun (#FFAA00)"
    assert texts["brand.headings"] == "Other"
    assert texts["brand.name"] == "Acme"
    assert "brand.palette" not in read("meta: {}").texts()
