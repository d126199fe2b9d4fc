"""Every row of `docs/models.md`: what the manifest makes of it, the sandbox takes, whole, and delivers as promised."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from flows.ideogram.answers import Delivered, read_poll, read_submission
from flows.ideogram.catalogue import CATALOGUE, Endpoint, Kind, Option, price_tier, request_body, undecided
from flows.ids import sha256
from flows.manifest.load import load
from flows.manifest.variant import Variant
from flows.reproduction.repetition import magic_prompt
from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import IdeogramSandbox, running
from flows.sandbox.orders import Invalid, Order, read_legacy, read_v1, read_v2
from flows.sandbox.prices import MICROS, price_micros
from flows.sandbox.renderer import Picture, render

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENDPOINTS = pytest.mark.parametrize("endpoint", CATALOGUE.values(), ids=CATALOGUE)
STRUCTURED = {
    "high_level_description": "A poster",
    "compositional_deconstruction": {"background": "sand", "elements": [{"type": "text", "text": "HI", "desc": "x"}]},
}


def _values(option: Option) -> Iterator[Any]:
    match option.kind:
        case Kind.ENUM:
            yield from option.values
        case Kind.SIZE:
            yield from (*option.values, "256x256", "4096x4096", "2048 x 2048", "256x1536")
        case Kind.PALETTE:
            yield from (*option.values, ["#F5A623", "#fff"], {"members": [{"color_hex": "#FFF4E0", "color_weight": 1}]})
        case Kind.CODES:
            yield from (["AAFF5733"], ["aaff5733"] * 8)
        case Kind.BOOLEAN:
            yield from (True, False)
        case Kind.TEXT:
            yield from ("people", "x" * (option.max_length or 10))


def _rows(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    """One thing at a time: each value of each option, each ratio, a seed, and the longest prompt."""
    needed = {
        name: option.values[-1] for name in undecided(endpoint, ()) if (option := endpoint.option(name)) is not None
    }
    for option in endpoint.options:
        for value in _values(option):
            yield {"options": {**needed, option.name: value}}
    for ratio in endpoint.ratios:
        yield {"options": needed, "aspect_ratio": ratio}
    yield {"options": needed, "seeds": [0, 2**31 - 1]}
    yield {"options": needed, "prompt": "x" * endpoint.max_prompt}
    yield {"options": needed, "options_unchecked": {"not_known_yet": [1]}}
    if endpoint.json_prompts:
        yield {"options": needed, "prompt": STRUCTURED}


def _variants(endpoint: Endpoint) -> list[Variant]:
    prompts = [
        {"id": f"p{number}", "prompt": "A bottle", "model": endpoint.model, "edition": str(number)} | row
        for number, row in enumerate(_rows(endpoint))
    ]
    text = json.dumps({"version": 1, "prompts": prompts})
    return list(load([("rows.yaml", text.encode())], NOW, UTC).variants)


def _order(endpoint: Endpoint, body: dict[str, Any]) -> Order:
    match endpoint.version:
        case "v2":
            return read_v2(endpoint, body)
        case "v1":
            return read_v1(endpoint, body)
        case _:
            return read_legacy(body)


@ENDPOINTS
def test_every_row_is_accepted_as_it_was_meant(endpoint: Endpoint) -> None:
    """Manifest to body to order: no option refused, none ignored, none changed, and each has a size and a price."""
    variants = _variants(endpoint)
    assert len(variants) > sum(len(option.values) for option in endpoint.options if option.kind is Kind.ENUM)
    for variant in variants:
        options = dict(variant.options)
        body = request_body(endpoint, prompt=variant.prompt, options=options, seed=variant.seed, images=2, private=True)
        order = _order(endpoint, json.loads(json.dumps(body)))
        assert order.ignored == tuple(name for name in options if name == "not_known_yet")
        assert {**order.options, **{name: options[name] for name in order.ignored}} == options
        assert (order.endpoint, order.prompt, order.seed, order.images) == (endpoint, variant.prompt, variant.seed, 2)
        assert order.sizing.width * order.sizing.height >= 256 * 256
        if variant.aspect_ratio:
            width, height = (int(part) for part in variant.aspect_ratio.split(":"))
            assert abs(order.sizing.width * height / (order.sizing.height * width) - 1) < 0.05
        assert price_micros(endpoint, options, 2) == 2 * MICROS[endpoint.model][price_tier(endpoint, options)]


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("ideogram-4-6", {"quality": "low", "size": "1000x1000"}),
        ("ideogram-4-6", {"quality": "low", "size": "4096x512"}),
        ("ideogram-4-6", {"quality": "very_low", "size": "4096x4096"}),
        ("ideogram-4", {"rendering_speed": "flash"}),
        ("ideogram-4-transparent", {"output_resolution": "16k"}),
        ("ideogram-3-transparent", {"upscale_factor": "x8"}),
        ("ideogram-2", {"rendering_speed": "quality"}),
        ("v1/ideogram-v3", {"rendering_speed": "turbo"}),
        ("v1/ideogram-v3", {"resolution": "1024x1024", "aspect_ratio": "1x1"}),
        ("v1/ideogram-v3", {"style_codes": ["AAFF5733"], "style_type": "GENERAL"}),
        ("v1/ideogram-v3", {"color_palette": {"name": "ember"}}),
    ],
)
def test_what_a_model_does_not_take_is_refused(model: str, options: dict[str, Any]) -> None:
    """Sizes off the grid, speeds of other models, exclusions: 400, as the vendor would answer."""
    endpoint = CATALOGUE[model]
    body = request_body(endpoint, prompt="p", options=options, seed=None, images=1, private=False)
    with pytest.raises(Invalid, match=r"\w"):
        _order(endpoint, body)


def _buy(
    api: httpx.Client,
    endpoint: Endpoint,
    options: dict[str, Any],
    prompt: str = "Enamel badge",
    seed: int | None = 3,
    images: int = 1,
) -> Delivered:
    """Submit, and poll until it is done."""
    body = request_body(endpoint, prompt=prompt, options=options, seed=seed, images=images, private=True)
    response = api.post(endpoint.path, json=body)
    assert response.status_code == 200, response.text
    answer = read_submission(endpoint, response.status_code, response.content)
    if isinstance(answer, Delivered):
        return answer
    while True:
        poll = api.get(f"/v2/generations/{response.json()['generation_id']}")
        told = read_poll(poll.status_code, poll.content)
        if isinstance(told, Delivered):
            return told


SMALL: dict[str, dict[str, Any]] = {
    "ideogram-4-6": {"quality": "very_low", "size": "256x512"},
    "ideogram-4-5": {"size": "832x1248"},
    "ideogram-4": {"resolution": "512x1536"},
    "ideogram-4-transparent": {"output_resolution": "1k", "aspect_ratio": "9x16"},
    "ideogram-3-transparent": {"upscale_factor": "x2", "aspect_ratio": "1x3"},
}


@ENDPOINTS
def test_every_model_is_sold_over_http(endpoint: Endpoint, quick: IdeogramSandbox, api: httpx.Client) -> None:
    """The picture has the promised size, an alpha channel exactly where the model has one, and its price is billed."""
    options = SMALL.get(endpoint.model, {})
    [image] = _buy(api, endpoint, options).images
    assert image.url is not None
    with Image.open(io.BytesIO(api.get(image.url).content)) as picture:
        picture.load()
        assert f"{picture.width}x{picture.height}" == (image.upscaled_resolution or image.resolution)
        assert picture.mode == ("RGBA" if endpoint.transparent else "RGB")
        if endpoint.transparent:
            levels = set(np.unique(np.asarray(picture)[..., 3]).tolist())
            assert {0, 255} <= levels
            assert levels - {0, 255}
    [entry] = quick.ledger()["requests"]
    assert (entry["model"], entry["path"]) == (endpoint.model, endpoint.path)
    assert entry["micros"] == price_micros(endpoint, options, 1)


def _pixels(api: httpx.Client, url: str | None) -> tuple[str, tuple[int, int], str]:
    """Mode, size, and a digest of the pixels."""
    assert url is not None
    with Image.open(io.BytesIO(api.get(url).content)) as picture:
        return picture.mode, picture.size, sha256(picture.tobytes())


PROMPTS = ('Flat enamel badge, lettering "SUMMER, SLOWLY"', "A glass bottle on wet sand")


@ENDPOINTS
def test_the_answer_sent_again_is_the_same_picture(endpoint: Endpoint, api: httpx.Client) -> None:
    """Final prompt, magic prompt off and the seed give the identical pixels, of each image of a request.

    Where magic prompt cannot be turned off, a prompt in prose is reworded again; one in JSON is left alone.
    """
    options, magic = SMALL.get(endpoint.model, {}), magic_prompt(endpoint)
    exact = {**options, magic.name: next(one for one in magic.values if one.lower() == "off")} if magic else options
    for prompt in PROMPTS:
        first = _buy(api, endpoint, options, prompt, seed=None, images=2).images
        for image in first:
            assert image.prompt != prompt, "it was reworded"
            [again] = _buy(api, endpoint, exact, image.prompt or "", image.seed).images
            same = _pixels(api, again.url) == _pixels(api, image.url)
            assert same == (again.prompt == image.prompt)
            assert same or not (magic or endpoint.json_prompts)
        assert _pixels(api, first[0].url) != _pixels(api, first[1].url)


@pytest.mark.parametrize("model", ["ideogram-4-5", "V_2"])
def test_pictures_in_full_are_the_same_too(model: str, tmp_path: Path) -> None:
    """What a person gets to see: scenes, light and lettering, not only the plain shapes of quick tests."""
    config = SandboxConfig(tmp_path / "state", latency_s=(0, 0))
    endpoint = CATALOGUE[model]
    magic = magic_prompt(endpoint)
    assert magic is not None
    off = next(one for one in magic.values if one.lower() == "off")
    small = {"ideogram-4-5": {"size": "832x1248"}, "V_2": {"aspect_ratio": "ASPECT_1_3"}}[model]
    with (
        running(config) as sandbox,
        httpx.Client(base_url=sandbox.base_url, headers={"Api-Key": "sandbox"}, timeout=60) as api,
    ):
        [image] = _buy(api, endpoint, small, PROMPTS[0], seed=None).images
        [again] = _buy(api, endpoint, {**small, magic.name: off}, image.prompt or "", image.seed).images
        assert _pixels(api, again.url) == _pixels(api, image.url)


def test_an_upscale_reports_both_sizes(api: httpx.Client) -> None:
    """3.0 tells the size before and after; 4.0 only what it delivers."""
    [image] = _buy(api, CATALOGUE["ideogram-3-transparent"], {"upscale_factor": "x4", "aspect_ratio": "1x3"}).images
    assert (image.resolution, image.upscaled_resolution) == ("512x1536", "2048x6144")
    [image] = _buy(api, CATALOGUE["ideogram-3-transparent"], {"aspect_ratio": "1x3"}).images
    assert (image.resolution, image.upscaled_resolution) == ("512x1536", None)
    [image] = _buy(api, CATALOGUE["ideogram-4-transparent"], {"output_resolution": "4k"}).images
    assert (image.resolution, image.upscaled_resolution) == ("4096x4096", None)


def test_v1_answers_as_documented(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """``created`` and ``data`` with the style asked for, a successor announced, and no id that could be polled."""
    body = {"prompt": "x", "rendering_speed": "TURBO", "style_type": "DESIGN", "num_images": 2, "sedd": 1}
    response = api.post("/v1/ideogram-v3/generate", json=body)
    told = response.json()
    assert set(told) == {"created", "data", "notice"}
    assert [item["style_type"] for item in told["data"]] == ["DESIGN", "DESIGN"]
    assert "/v2/image/generate/ideogram-3>" in response.headers["link"]
    assert quick.stats()["ignored_fields"] == {"sedd": 1}
    [entry] = quick.ledger()["requests"]
    assert entry["micros"] == 60_000
    assert api.get(f"/v2/generations/{entry['generation_id']}").status_code == 404
    for unsafe in ({"prompt": "unsafe-prompt"}, {"prompt": "x", "num_images": 9}):
        assert api.post("/v1/ideogram-v3/generate", json=unsafe).status_code in (400, 422)


@pytest.mark.parametrize("words", ["badge", "a glass bottle", "a cup of coffee", "the sun", "lemon", "nothing known"])
@pytest.mark.parametrize("flat", [True, False])
def test_a_cut_out_has_a_subject_and_nothing_around_it(words: str, flat: bool) -> None:
    """The corners are empty, the middle is not, edges are soft, and lettering is there to be read."""
    options = {"style_type": "design"} if flat else {}
    bare, lettered = (
        np.asarray(Image.open(io.BytesIO(render(Picture(text, options, 5, 320, 400, transparent=True), "rich"))))
        for text in (words, f'{words} "HELLO"')
    )
    alpha = bare[..., 3]
    assert alpha[:8, :8].max() == alpha[:8, -8:].max() == 0
    assert 0.03 < (alpha == 255).mean() < 0.8
    assert ((alpha > 0) & (alpha < 255)).any()
    assert (lettered[..., 3] == 255).sum() > (alpha == 255).sum() or words == "badge"
