"""The catalogue: every body it makes is one the vendor documents, and its tables are consistent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from flows.ideogram import presets
from flows.ideogram.catalogue import (
    CATALOGUE,
    SEED_MAX,
    Endpoint,
    Kind,
    Option,
    find,
    price_tier,
    price_tiers,
    request_body,
    undecided,
)

ENDPOINTS = pytest.mark.parametrize("endpoint", CATALOGUE.values(), ids=CATALOGUE)

# The request bodies, written down a second time from the vendor's documentation, apart from the catalogue.
_SEED = {"type": "integer", "minimum": 0, "maximum": 2_147_483_647}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 8}
_SIZE = {"type": "string", "pattern": r"^(auto|\d{3,4}x\d{3,4})$"}
_MEMBERS = {
    "type": "object",
    "required": ["members"],
    "additionalProperties": False,
    "properties": {
        "members": {
            "type": "array",
            "minItems": 1,
            "maxItems": 8,
            "items": {
                "type": "object",
                "required": ["color_hex"],
                "additionalProperties": False,
                "properties": {
                    "color_hex": {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$"},
                    "color_weight": {"type": "number", "minimum": 0.05, "maximum": 1},
                },
            },
        }
    },
}


def _palette(names: str) -> dict[str, Any]:
    preset = {"type": "object", "required": ["name"], "properties": {"name": {"enum": names.split()}}}
    return {"oneOf": [preset | {"additionalProperties": False}, _MEMBERS]}


_V2_COMMON: dict[str, Any] = {
    "prompt": {"type": "string", "minLength": 1, "maxLength": 10_000},
    "seed": _SEED,
    "num_images": _COUNT,
    "magic_prompt": {"enum": ["auto", "on", "off"]},
    "enable_copyright_detection": {"type": "boolean"},
    "private": {"type": "boolean"},
    "async": {"const": True},
}
_PLAIN = ("prompt", "seed", "num_images", "private", "async")
_SPEEDS = {"enum": ["turbo", "default", "quality"]}
_RATIO = {"type": "string", "pattern": r"^(auto|\d{1,2}x\d{1,2})$"}
_VERSION_2 = {name: rule for name, rule in _V2_COMMON.items() if name in _PLAIN} | {
    "aspect_ratio": {"type": "string", "pattern": r"^\d{1,2}x\d{1,2}$"},
    "rendering_speed": {"enum": ["turbo", "default"]},
    "style_type": {"enum": ["auto", "general", "realistic", "design", "render_3d", "anime"]},
}
_PALETTES = "ember fresh jungle magic melon mosaic pastel ultramarine"


def _object(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _legacy(*extra: str) -> dict[str, Any]:
    known: dict[str, Any] = {
        "negative_prompt": {"type": "string"},
        "style_type": {"enum": "AUTO GENERAL REALISTIC DESIGN RENDER_3D ANIME FICTION".split()},
        "resolution": {"type": "string", "pattern": r"^RESOLUTION_\d{3,4}_\d{3,4}$"},
        "color_palette": _palette(_PALETTES.upper()),
    }
    inner = {
        "prompt": {"type": "string"},
        "model": {"enum": ["V_1", "V_1_TURBO", "V_2", "V_2_TURBO", "V_2A", "V_2A_TURBO"]},
        "seed": _SEED,
        "num_images": _COUNT,
        "aspect_ratio": {"enum": [f"ASPECT_{r}" for r in "10_16 16_10 9_16 16_9 3_2 2_3 4_3 3_4 1_1 1_3 3_1".split()]},
        "magic_prompt_option": {"enum": ["AUTO", "ON", "OFF"]},
    }
    inner |= {name: known[name] for name in extra}
    return _object(["image_request"], {"image_request": _object(["prompt", "model", "num_images"], inner)})


SCHEMAS: dict[str, dict[str, Any]] = {
    "ideogram-4-5": _object(
        ["prompt", "async"],
        _V2_COMMON | {"size": _SIZE, "quality": {"enum": ["low", "medium", "high"]}},
    ),
    "ideogram-3": _object(
        ["prompt", "async"],
        _V2_COMMON
        | {
            "aspect_ratio": {"type": "string", "pattern": r"^(auto|\d{1,2}x\d{1,2})$"},
            "resolution": {"type": "string", "pattern": r"^\d{3,4}x\d{3,4}$"},
            "rendering_speed": {"enum": ["turbo", "default", "quality"]},
            "negative_prompt": {"type": "string"},
            "style_type": {"enum": ["auto", "general", "realistic", "design", "fiction"]},
            "style_preset": {"type": "string", "pattern": "^[a-z0-9_]+$"},
            "style_codes": {
                "type": "array",
                "maxItems": 8,
                "items": {"type": "string", "pattern": "^[0-9A-Fa-f]{8}$"},
            },
            "color_palette": _palette(_PALETTES),
        },
    ),
    "ideogram-4-6": _object(
        ["prompt", "async"],
        {name: rule for name, rule in _V2_COMMON.items() if name in _PLAIN}
        | {"size": _SIZE, "quality": {"enum": ["very_low", "low", "medium", "high"]}},
    ),
    "ideogram-4": _object(
        ["prompt", "async"],
        _V2_COMMON | {"resolution": {"type": "string", "pattern": r"^\d{3,4}x\d{3,4}$"}, "rendering_speed": _SPEEDS},
    ),
    "ideogram-4-transparent": _object(
        ["prompt", "async"],
        {name: rule for name, rule in _V2_COMMON.items() if name in (*_PLAIN, "magic_prompt")}
        | {"aspect_ratio": _RATIO, "rendering_speed": _SPEEDS, "output_resolution": {"enum": ["1k", "2k", "4k", "8k"]}},
    ),
    "ideogram-3-transparent": _object(
        ["prompt", "async"],
        {name: rule for name, rule in _V2_COMMON.items() if name in (*_PLAIN, "magic_prompt")}
        | {
            "aspect_ratio": _RATIO,
            "rendering_speed": _SPEEDS,
            "upscale_factor": {"enum": ["x1", "x2", "x4"]},
            "negative_prompt": {"type": "string"},
        },
    ),
    "ideogram-2": _object(["prompt", "async"], _VERSION_2 | {"negative_prompt": {"type": "string"}}),
    "ideogram-2a": _object(["prompt", "async"], _VERSION_2),
    "v1/ideogram-v3": _object(
        ["prompt", "num_images"],
        {
            "prompt": {"type": "string"},
            "seed": _SEED,
            "num_images": _COUNT,
            "resolution": {"type": "string", "pattern": r"^\d{3,4}x\d{3,4}$"},
            "aspect_ratio": {"type": "string", "pattern": r"^\d{1,2}x\d{1,2}$"},
            "rendering_speed": {"enum": ["FLASH", "TURBO", "BALANCED", "DEFAULT", "QUALITY"]},
            "magic_prompt": {"enum": ["AUTO", "ON", "OFF"]},
            "negative_prompt": {"type": "string"},
            "style_type": {"enum": ["AUTO", "GENERAL", "REALISTIC", "DESIGN", "FICTION"]},
            "style_preset": {"type": "string", "pattern": "^[A-Z0-9_]+$"},
            "style_codes": {"type": "array", "items": {"type": "string", "pattern": "^[0-9A-Fa-f]{8}$"}},
            "color_palette": _palette(_PALETTES.upper()),
            "enable_copyright_detection": {"type": "boolean"},
        },
    ),
    "V_1": _legacy("negative_prompt"),
    "V_1_TURBO": _legacy("negative_prompt"),
    "V_2": _legacy("negative_prompt", "style_type", "resolution", "color_palette"),
    "V_2_TURBO": _legacy("negative_prompt", "style_type", "resolution", "color_palette"),
    "V_2A": _legacy("style_type"),
    "V_2A_TURBO": _legacy("style_type"),
}


def _values(option: Option) -> st.SearchStrategy[Any]:
    """Canonical values of an option, as the manifest hands them over."""
    hex_colour = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06X}")
    members = st.fixed_dictionaries(
        {"color_hex": hex_colour}, optional={"color_weight": st.floats(0.05, 1, allow_subnormal=False)}
    )
    match option.kind:
        case Kind.ENUM:
            return st.sampled_from(option.values)
        case Kind.SIZE:
            sides = st.integers(8, 128).map(lambda steps: steps * 32)
            free = st.tuples(sides, sides).filter(lambda size: max(size) <= 6 * min(size))
            return st.sampled_from(option.values) | free.map(lambda size: f"{size[0]}x{size[1]}")
        case Kind.TEXT:
            return st.text(max_size=30)
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.CODES:
            return st.lists(st.from_regex("[0-9A-F]{8}", fullmatch=True), min_size=1, max_size=option.max_length)
        case Kind.PALETTE:
            return st.sampled_from(option.values).map(lambda name: {"name": name}) | st.lists(
                members, min_size=1, max_size=option.max_length
            ).map(lambda colours: {"members": colours})


@st.composite
def _options(draw: Any, endpoint: Endpoint) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for option in endpoint.options:
        if draw(st.booleans()) and not any(name in chosen for name in option.excludes):
            chosen[option.name] = draw(_values(option))
    return chosen


def test_every_endpoint_has_a_documented_body() -> None:
    """A model added to the catalogue is added to these tests."""
    assert set(SCHEMAS) == set(CATALOGUE)


@ENDPOINTS
@given(data=st.data())
def test_every_body_is_one_that_the_vendor_documents(endpoint: Endpoint, data: st.DataObject) -> None:
    """Any legal choice of options, seed and count makes a body that the documentation allows, and no more."""
    options = data.draw(_options(endpoint))
    seed = data.draw(st.none() | st.integers(0, SEED_MAX))
    images = data.draw(st.integers(1, endpoint.max_images))
    private = data.draw(st.booleans())
    prompt = data.draw(st.text(min_size=1, max_size=50))
    made = request_body(endpoint, prompt=prompt, options=options, seed=seed, images=images, private=private)
    Draft202012Validator(SCHEMAS[endpoint.model]).validate(json.loads(json.dumps(made)))
    request = made[endpoint.wraps] if endpoint.wraps else made
    assert request["prompt"] == prompt
    assert request["num_images"] == images
    assert request.get("seed") == seed
    assert {name: request[name] for name in options} == options
    assert ("private" in request) == (endpoint.accepts_private and private)
    assert ("async" in request) == endpoint.asynchronous


@ENDPOINTS
def test_every_enum_value_of_every_option_is_documented(endpoint: Endpoint) -> None:
    """Not a sample: each value once."""
    validator = Draft202012Validator(SCHEMAS[endpoint.model])
    for option in endpoint.options:
        for value in option.values:
            shown = {"name": value} if option.kind is Kind.PALETTE else value
            validator.validate(
                request_body(endpoint, prompt="p", options={option.name: shown}, seed=None, images=1, private=True)
            )


def test_a_body_for_v2_is_spelled_out() -> None:
    """Flat, asynchronous, private."""
    made = request_body(
        CATALOGUE["ideogram-4-5"], prompt="p", options={"quality": "low"}, seed=0, images=2, private=True
    )
    assert made == {
        "prompt": "p", "quality": "low", "num_images": 2, "seed": 0, "private": True, "async": True
    }  # fmt: skip


def test_a_body_for_the_legacy_route_is_spelled_out() -> None:
    """Nested under image_request, the model inside, nothing that route does not know."""
    made = request_body(
        CATALOGUE["V_2"],
        prompt="p",
        options={"aspect_ratio": "ASPECT_16_9"},
        seed=None,
        images=1,
        private=True,
    )
    assert made == {"image_request": {"prompt": "p", "model": "V_2", "aspect_ratio": "ASPECT_16_9", "num_images": 1}}


@ENDPOINTS
def test_a_body_does_not_share_state_with_the_catalogue(endpoint: Endpoint) -> None:
    """Changing one request changes no other."""
    first = request_body(endpoint, prompt="p", options={}, seed=None, images=1, private=False)
    (first[endpoint.wraps] if endpoint.wraps else first)["prompt"] = "changed"
    again = request_body(endpoint, prompt="p", options={}, seed=None, images=1, private=False)
    assert "changed" not in json.dumps(again)


@ENDPOINTS
def test_the_tables_of_an_endpoint_agree_with_each_other(endpoint: Endpoint) -> None:
    """Ratios point at real values, exclusions are mutual, defaults and price tiers exist."""
    for ratio, (name, value) in endpoint.ratios.items():
        option = endpoint.option(name)
        assert option is not None
        size = [int(side) for side in re.findall(r"\d+", value)]
        assert value in option.values or (option.grid and not option.grid.refusal(size[0], size[1]))
        width, height = (int(number) for number in re.findall(r"\d+", value))
        wanted = [int(number) for number in ratio.split(":")]
        assert abs(width / height - wanted[0] / wanted[1]) < 0.02
    for option in endpoint.options:
        assert option.default is None or option.kind is not Kind.ENUM or option.default in option.values
        assert len(set(option.values)) == len(option.values)
        for name in option.excludes:
            other = endpoint.option(name)
            assert other is not None
            assert option.name in other.excludes
    names = [option.name for option in endpoint.options]
    assert len(set(names)) == len(names)
    assert endpoint.option("no such option") is None
    assert endpoint.asynchronous is not endpoint.synchronous
    tiers = price_tiers(endpoint)
    assert len(set(tiers)) == len(tiers)
    for by in endpoint.priced_by:
        option = endpoint.option(by.option)
        assert option is not None
        # Cheaper than charged would be wrong: what is left out is charged at the vendor's own default.
        if option.default is not None:
            assert by.otherwise == by.part(option.default)
        if by.otherwise is None:
            assert undecided(endpoint, ()) == (by.option,)
    if not undecided(endpoint, ()):
        assert price_tier(endpoint, {}) in tiers


@pytest.mark.parametrize(
    ("model", "options", "tier"),
    [
        ("ideogram-4-5", {}, "high"),
        ("ideogram-4-5", {"quality": "low"}, "low"),
        ("ideogram-3", {}, "default"),
        ("ideogram-3", {"rendering_speed": "turbo", "style_type": "design"}, "turbo"),
        ("V_2", {"style_type": "DESIGN"}, "default"),
        ("ideogram-4-6", {"quality": "low"}, "low/2k"),
        ("ideogram-4-6", {"quality": "low", "size": "auto"}, "low/2k"),
        ("ideogram-4-6", {"quality": "low", "size": "2048x2048"}, "low/2k"),
        ("ideogram-4-6", {"quality": "low", "size": "4096x1024"}, "low/2k"),
        ("ideogram-4-6", {"quality": "high", "size": "2080x2048"}, "high/4k"),
        ("ideogram-4-6", {"quality": "high", "size": "4096x4096"}, "high/4k"),
        ("ideogram-4-transparent", {}, "default/2k"),
        ("ideogram-4-transparent", {"output_resolution": "1k"}, "default/2k"),
        ("ideogram-4-transparent", {"output_resolution": "8k", "rendering_speed": "turbo"}, "turbo/8k"),
        ("ideogram-3-transparent", {}, "default/x1"),
        ("ideogram-3-transparent", {"upscale_factor": "x4", "rendering_speed": "quality"}, "quality/x4"),
        ("v1/ideogram-v3", {}, "DEFAULT"),
        ("v1/ideogram-v3", {"rendering_speed": "FLASH"}, "FLASH"),
    ],
)
def test_options_pick_the_price_tier(model: str, options: dict[str, str], tier: str) -> None:
    """The option that decides, else the vendor's default."""
    assert price_tier(CATALOGUE[model], options) == tier


def test_a_price_that_nobody_can_tell_is_no_price() -> None:
    """Where an option decides and its default is not known, leaving it out has no tier."""
    with pytest.raises(ValueError, match="quality"):
        price_tier(CATALOGUE["ideogram-4-6"], {"size": "auto"})
    assert "very_low/4k" not in price_tiers(CATALOGUE["ideogram-4-6"])


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_a_size_off_the_grid_has_a_near_one_on_it(width: int, height: int) -> None:
    """The size that is suggested can be made, and one that can be made suggests itself."""
    option = CATALOGUE["ideogram-4-6"].option("size")
    assert option is not None
    assert option.grid is not None
    near = [int(side) for side in option.grid.near(width, height).split("x")]
    assert option.grid.refusal(near[0], near[1]) == ""
    if not option.grid.refusal(width, height):
        assert near == [width, height]


@ENDPOINTS
def test_a_model_is_found_by_its_name_and_aliases_in_any_case(endpoint: Endpoint) -> None:
    """And every name means one model only."""
    for name in (endpoint.model, *endpoint.aliases):
        assert find(name) is endpoint
        assert find(f" {name.upper()} ") is endpoint
        assert find(name.lower()) is endpoint


def test_unknown_models_are_not_found() -> None:
    """No guessing here; suggestions are the manifest's business."""
    assert find("ideogram-9") is None
    assert find("") is None


def test_the_vocabularies_have_their_documented_sizes() -> None:
    """69 and 78 resolutions, 62 styles, 36 sizes; nothing twice."""
    sizes = (*presets.SIZES_V4_2K, *presets.SIZES_V4_1K)
    for values, count in (
        (presets.RESOLUTIONS_V3, 69),
        (presets.RESOLUTIONS_LEGACY, 78),
        (presets.STYLE_PRESETS_V3, 62),
        (presets.PALETTE_PRESETS, 8),
        (presets.RATIOS_V3, 15),
        (presets.RATIOS_LEGACY, 11),
        (sizes, 36),
    ):
        assert len(values) == len(set(values)) == count
    assert set(presets.SIZES_V4_BY_RATIO.values()) <= set(sizes)
