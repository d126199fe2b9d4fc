"""The JSON Schema for editors: current, valid, and never stricter than the loader."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from flows.documents import parse
from flows.ideogram.catalogue import CATALOGUE, Kind
from flows.manifest.load import Loaded
from flows.manifest.schema import build, schema_text

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "configs" / "prompts.schema.json"
CASES = parse(Path(__file__).with_name("broken.yaml").read_bytes(), "broken.yaml").data
VALIDATOR = jsonschema.Draft202012Validator(build())


def _complaints(data: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(data)]


def test_the_committed_schema_is_current() -> None:
    """The file in the repository is what the models say now."""
    if COMMITTED.read_text(encoding="utf-8") != schema_text():
        pytest.fail("configs/prompts.schema.json is stale: run `make generated`")


def test_the_schema_is_valid() -> None:
    """It is JSON, and a schema of the draft it names."""
    schema = json.loads(schema_text())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_shipped_manifest_fits_and_names_its_schema() -> None:
    """Editors find the schema by the first line."""
    text = (ROOT / "prompts.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "# yaml-language-server: $schema=configs/prompts.schema.json"
    assert _complaints(parse(text, "prompts.yaml").data) == []


@pytest.mark.parametrize("model", CATALOGUE)
def test_every_option_of_every_model_is_offered(model: str) -> None:
    """All values of all options pass, by the model's name and its aliases; unknown options do not."""
    endpoint = CATALOGUE[model]
    for option in endpoint.options:
        for value in option.values if option.kind is Kind.ENUM else ():
            prompt = {"id": "a", "prompt": "b", "model": model, "options": {option.name: value}}
            assert _complaints({"version": 1, "prompts": [prompt], "models": {model: {option.name: value}}}) == []
    for name in (model, *endpoint.aliases):
        assert _complaints({"version": 1, "prompts": [{"id": "a", "prompt": "b"}], "models": {name: {}}}) == []
        wrong = {"id": "a", "prompt": "b", "model": name, "options": {"qualty": "x"}}
        assert _complaints({"version": 1, "prompts": [wrong]})


LENIENT = """version: 1
defaults: {model: IDEOGRAM-4-5, campaign: 2027, tags: [1, b], aspect_ratio: 16x9}
models:
  ideogram-3.0: {rendering_speed: TURBO, magic_prompt: Off}
  v2: {magic_prompt_option: off, style_type: render 3d}
vars: {year: 2027}
prompts:
  - {id: a, prompt: "{year}", options: {size: RESOLUTION_1024_1024}}
  - {id: b, prompt: b, model: v3, options: {aspect_ratio: 16:9, color_palette: ["#fff", {color_hex: abc}]}}
  - {id: c, prompt: c, model: V_2, aspect_ratio: ASPECT_16_9, options: {color_palette: {name: Ember}}}
  - {id: d, prompt: d, model: ideogram-3, options: {style_codes: [12345678, aaff5733]}}
  - {id: g, prompt: g, model: ideogram-3, options: {style_preset: Art Deco}}
  - {id: e, prompt: "{m} {n}", matrix: {m: [x, 2], n: {a: {}, b: {count: 2}}, exclude: [{m: 2, n: a}]}}
  - {id: f, prompt: f, matrix: {model: [V_2, v3], aspect_ratio: [1:1, 16:9]}, edition: 3, notes: 1}
"""


def test_what_the_loader_understands_the_schema_does_not_refuse(wants: Callable[..., Loaded]) -> None:
    """Numbers for texts, other spellings, aliases: no red lines under what works."""
    assert wants(LENIENT).variants
    assert _complaints(parse(LENIENT, "lenient.yaml").data) == []


def test_most_of_what_is_broken_is_marked_while_typing() -> None:
    """The schema finds the slips of form in the table of broken manifests; the rest needs the loader."""
    head = "version: 1\ndefaults: {model: ideogram-4-5}\nprompts:\n"
    found = total = 0
    for case in CASES:
        try:
            data = parse(case["file"] if "file" in case else head + case["prompts"], case["name"]).data
        except Exception:  # noqa: BLE001, S112 - cases that are no YAML are not for a schema
            continue
        total += 1
        found += bool(_complaints(data))
    assert found / total > 0.55
