"""Bodies for the v1 and legacy routes, held against the vendor's own OpenAPI file where it is at hand.

The file is not ours to ship; put it beside the repository, as `shared/reference/ideogram-openapi-v1.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from flows.ideogram.catalogue import CATALOGUE, Endpoint, Kind, Option, request_body

FILE = Path(__file__).parents[2].parent / "shared" / "reference" / "ideogram-openapi-v1.json"
OLDER = {model: endpoint for model, endpoint in CATALOGUE.items() if endpoint.version != "v2"}
SCHEMAS = {"v1": "GenerateImageRequestV3", "legacy": "GenerateImageRequest"}
# In the vendor's pages of mid-2026, not yet in the file of April.
NEWER = {"enable_copyright_detection"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI file, or a skip that says where it was looked for."""
    if not FILE.is_file():
        pytest.skip(f"the vendor's OpenAPI file is not at {FILE}")
    data: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return data


def _validator(document: dict[str, Any], name: str) -> Draft4Validator:
    registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT4.create_resource(document))
    return Draft4Validator({"$ref": f"urn:api#/components/schemas/{name}"}, registry=registry)


def _values(option: Option) -> Iterator[Any]:
    match option.kind:
        case Kind.ENUM:
            yield from option.values
        case Kind.PALETTE:
            yield from ({"name": name} for name in option.values)
            yield {"members": [{"color_hex": "#F5A623", "color_weight": 0.75}, {"color_hex": "#FFFFFF"}]}
        case Kind.CODES:
            yield ["AAFF5733", "0133FF57"]
        case Kind.BOOLEAN:
            yield from (True, False)
        case _:
            yield "people, lettering"


@pytest.mark.parametrize("endpoint", OLDER.values(), ids=OLDER)
def test_every_body_is_valid_by_the_vendor_s_own_file(endpoint: Endpoint, document: dict[str, Any]) -> None:
    """Each value of each option, with and without a seed and several images, fits the schema of the route."""
    assert endpoint.path in document["paths"]
    validator = _validator(document, SCHEMAS[endpoint.version])
    for option in endpoint.options:
        for value in _values(option):
            for seed, images in ((None, 1), (2**31 - 1, 8)):
                options = {option.name: value}
                body = request_body(endpoint, prompt="p", options=options, seed=seed, images=images, private=True)
                validator.validate(json.loads(json.dumps(body)))
    with pytest.raises(Exception, match=r"less than|greater than"):
        validator.validate(request_body(endpoint, prompt="p", options={}, seed=-1, images=9, private=False))


@pytest.mark.parametrize("endpoint", OLDER.values(), ids=OLDER)
def test_no_field_is_sent_that_the_file_does_not_know(endpoint: Endpoint, document: dict[str, Any]) -> None:
    """The API would ignore it in silence."""
    name = "ImageRequest" if endpoint.wraps else SCHEMAS[endpoint.version]
    known = set(document["components"]["schemas"][name]["properties"]) | NEWER
    body = request_body(endpoint, prompt="p", options={}, seed=1, images=1, private=True)
    sent = set(body[endpoint.wraps] if endpoint.wraps else body)
    assert sent | {option.name for option in endpoint.options} <= known


def test_the_vocabularies_are_those_of_the_file(document: dict[str, Any]) -> None:
    """Values that the file has and we have not are left out on purpose, each by name."""
    schemas = document["components"]["schemas"]
    v3, v2 = CATALOGUE["v1/ideogram-v3"], CATALOGUE["V_2"]
    left_out = {"CUSTOM", "STYLIZED"}
    for endpoint, option, name in (
        (v3, "resolution", "ResolutionV3"),
        (v3, "aspect_ratio", "AspectRatioV3"),
        (v3, "rendering_speed", "RenderingSpeed"),
        (v3, "style_preset", "StylePresetV3"),
        (v3, "style_type", "StyleTypeV3"),
        (v3, "color_palette", "ColorPalettePresetName"),
        (v2, "resolution", "Resolution"),
        (v2, "aspect_ratio", "AspectRatio"),
        (v2, "style_type", "StyleType"),
    ):
        found = endpoint.option(option)
        assert found is not None
        assert set(found.values) == set(schemas[name]["enum"]) - left_out
        if found.default is not None and "default" in schemas[name]:
            assert found.default == schemas[name]["default"]
