"""What a request orders, and what is refused: read without any HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.ideogram.catalogue import CATALOGUE, Endpoint, price_tiers, request_body
from flows.sandbox.orders import Invalid, Order, parse_json, read_legacy, read_v1, read_v2
from flows.sandbox.prices import MICROS, price_micros
from flows.sandbox.sizes import size_of


def _legacy(_endpoint: Endpoint, body: Any) -> Order:
    return read_legacy(body)


READERS = {"v2": read_v2, "v1": read_v1, "legacy": _legacy}
V45, V3 = CATALOGUE["ideogram-4-5"], CATALOGUE["ideogram-3"]


@pytest.mark.parametrize("endpoint", CATALOGUE.values(), ids=lambda endpoint: endpoint.model)
def test_every_ratio_of_the_catalogue_gets_a_size_of_about_that_ratio(endpoint: Any) -> None:
    """Whatever ratio the catalogue offers, the picture has it, within the vendor's steps."""
    for ratio, (field, value) in endpoint.ratios.items():
        width, height = size_of(endpoint, {field: value})
        w, h = (int(part) for part in ratio.split(":"))
        assert abs(width * h / (height * w) - 1) < 0.05, (ratio, width, height)


@pytest.mark.parametrize("endpoint", CATALOGUE.values(), ids=lambda endpoint: endpoint.model)
def test_what_the_client_writes_is_read_back(endpoint: Any) -> None:
    """A body made from the catalogue is accepted whole: nothing refused, nothing ignored."""
    for option in endpoint.options:
        for value in option.values if option.kind == "enum" else ():
            body = request_body(endpoint, prompt="A sun", options={option.name: value}, seed=7, images=3, private=True)
            order: Order = READERS[endpoint.version](endpoint, body)
            assert (order.prompt, order.seed, order.images, order.ignored) == ("A sun", 7, 3, ())
            assert order.options == {option.name: value}
            assert order.asynchronous is endpoint.asynchronous


def test_every_model_has_a_price_for_every_tier() -> None:
    """No combination of options is without a price."""
    assert set(MICROS) == set(CATALOGUE)
    assert price_micros(V45, {}, 2) == 200_000
    assert price_micros(V45, {"quality": "low"}, 1) == 30_000
    assert price_micros(V3, {"rendering_speed": "quality"}, 8) == 720_000
    assert price_micros(CATALOGUE["V_2A_TURBO"], {}, 1) == 25_000
    assert price_micros(CATALOGUE["ideogram-4-6"], {"quality": "low", "size": "4096x4096"}, 1) == 60_000
    assert price_micros(CATALOGUE["ideogram-3-transparent"], {"upscale_factor": "x4"}, 2) == 460_000
    for endpoint in CATALOGUE.values():
        assert set(price_tiers(endpoint)) == set(MICROS[endpoint.model])


BAD_V2: list[tuple[str, dict[str, Any]]] = [
    ("no prompt", {}),
    ("null prompt", {"prompt": None}),
    ("blank prompt", {"prompt": "  \n"}),
    ("prompt of a number", {"prompt": 3}),
    ("prompt too long", {"prompt": "x" * 10_001}),
    ("half a character", {"prompt": "\ud800"}),
    ("no images", {"prompt": "x", "num_images": 0}),
    ("nine images", {"prompt": "x", "num_images": 9}),
    ("images as text", {"prompt": "x", "num_images": "1"}),
    ("images as truth", {"prompt": "x", "num_images": True}),
    ("half an image", {"prompt": "x", "num_images": 1.5}),
    ("negative seed", {"prompt": "x", "seed": -1}),
    ("seed too large", {"prompt": "x", "seed": 2**31}),
    ("wrong enum", {"prompt": "x", "style_type": "cubist"}),
    ("upper case enum", {"prompt": "x", "rendering_speed": "TURBO"}),
    ("enum as list", {"prompt": "x", "style_type": ["design"]}),
    ("ratio with a colon", {"prompt": "x", "aspect_ratio": "16:9"}),
    ("ratio and resolution", {"prompt": "x", "aspect_ratio": "1x1", "resolution": "1024x1024"}),
    ("style codes and type", {"prompt": "x", "style_codes": ["AAAA1111"], "style_type": "design"}),
    ("preset and style codes", {"prompt": "x", "style_codes": ["AAAA1111"], "style_preset": "bauhaus"}),
    ("code of nine", {"prompt": "x", "style_codes": ["AAAA11111"]}),
    ("palette as text", {"prompt": "x", "color_palette": "ember"}),
    ("palette without anything", {"prompt": "x", "color_palette": {}}),
    ("palette of both", {"prompt": "x", "color_palette": {"name": "ember", "members": []}}),
    ("palette unknown", {"prompt": "x", "color_palette": {"name": "EMBER"}}),
    ("palette name as list", {"prompt": "x", "color_palette": {"name": []}}),
    ("palette of none", {"prompt": "x", "color_palette": {"members": []}}),
    ("palette of nine", {"prompt": "x", "color_palette": {"members": [{"color_hex": "#fff"}] * 9}}),
    ("colour without hash", {"prompt": "x", "color_palette": {"members": [{"color_hex": "ffffff"}]}}),
    ("weight", {"prompt": "x", "color_palette": {"members": [{"color_hex": "#fff", "color_weight": 0.01}]}}),
    ("async as text", {"prompt": "x", "async": "true"}),
    ("copyright as text", {"prompt": "x", "enable_copyright_detection": "yes"}),
    ("negative prompt as list", {"prompt": "x", "negative_prompt": []}),
]


@pytest.mark.parametrize("body", [body for _, body in BAD_V2], ids=[name for name, _ in BAD_V2])
def test_what_the_vendor_refuses_is_refused(body: dict[str, Any]) -> None:
    """A body that breaks the documented shape is a 400 with words."""
    with pytest.raises(Invalid, match=r"\w+"):
        read_v2(V3, body)


@pytest.mark.parametrize("body", [None, [], "x", {}, {"image_request": []}, {"prompt": "x"}])
def test_legacy_wants_an_image_request(body: Any) -> None:
    """The legacy route reads nothing but what is nested under ``image_request``."""
    with pytest.raises(Invalid):
        read_legacy(body)


def test_legacy_defaults_to_v2_and_knows_no_other_version() -> None:
    """A body without a model is V_2; a v2 or later model is not one of this route's."""
    assert read_legacy({"image_request": {"prompt": "x"}}).endpoint.model == "V_2"
    for model in ("ideogram-4-5", "V_3", "v_2", None, 2):
        with pytest.raises(Invalid):
            read_legacy({"image_request": {"prompt": "x", "model": model}})


def test_unknown_fields_are_handed_back_with_their_depth() -> None:
    """Fields that nobody knows are ignored at every depth, and named."""
    body = {
        "prompt": "x",
        "sedd": 1,
        "color_palette": {"members": [{"color_hex": "#fff", "weight": 1}], "note": ""},
    }
    assert read_v2(V3, body).ignored == ("sedd", "color_palette.note", "color_palette.members.weight")
    legacy = {"image_request": {"prompt": "x", "model": "V_2A", "negative_prompt": "y"}, "prompt": "z"}
    assert read_legacy(legacy).ignored == ("prompt", "negative_prompt")


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_invalid(raw: bytes) -> None:
    """Broken, deep or non-standard JSON is refused, never a crash."""
    with pytest.raises(Invalid):
        parse_json(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([option.name for option in V3.options] + ["prompt", "seed", "num_images", "async"])


# Generation is slow only while Hypothesis builds its table of characters, once per machine.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(NAMES, JSON), st.booleans())
def test_any_json_is_either_an_order_or_invalid(body: dict[str, Any], legacy: bool) -> None:
    """Whatever arrives, reading it gives an order within the documented bounds or a refusal."""
    try:
        order = read_legacy({"image_request": body}) if legacy else read_v2(V3, body)
    except Invalid:
        return
    assert 1 <= order.images <= 8
    assert order.prompt.strip()
