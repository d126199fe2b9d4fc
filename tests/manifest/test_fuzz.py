"""Whatever a manifest holds: variants, or InvalidInput with places. Never another exception."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.errors import InvalidInput
from flows.ideogram.catalogue import CATALOGUE, Kind, undecided
from flows.manifest.load import Loaded, load
from flows.manifest.schema import build
from flows.manifest.variant import fingerprint

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHIPPED = (Path(__file__).parents[2] / "prompts.yaml").read_text(encoding="utf-8")
VALIDATOR = jsonschema.Draft202012Validator(build())

# A loaded machine is no reason to fail.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_WORDS = """
    version brand defaults models vars prompts id prompt model aspect_ratio matrix exclude count
    seeds options lettering tags campaign edition refresh notes quality size magic_prompt style_type
    options_unchecked high_level_description compositional_deconstruction background elements type text desc bbox
    style_codes color_palette members name color_hex color_weight negative_prompt rendering_speed
    resolution daily weekly on off auto ember 16:9 1:1 ASPECT_1_1 1024x1024 {look} {mood} {{ }} look
    mood hero #fff #F5A623 V_2 ideogram-3 ideogram-4-5
""".split()
_keys = st.sampled_from(_WORDS) | st.text(max_size=4)
_scalars = (
    st.sampled_from([*_WORDS, *CATALOGUE])
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)  # JSON has none, and YAML spells them otherwise
    | st.text(max_size=8)
    | st.sampled_from([0, 1, 2, -1, 2**31, 10**20, 1e-9, "", " ", "\n", "\u2028", "\u0000", "\U0001f34b", "e\u0301"])
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=8,
)
_overrides = st.dictionaries(
    st.sampled_from(["model", "aspect_ratio", "count", "seeds", "options", "lettering", "tags", "vars", "refresh"]),
    _values,
    max_size=4,
)
_axis = st.lists(_scalars, max_size=4) | st.dictionaries(_keys, _overrides | _values, max_size=3)
_options = st.dictionaries(
    st.sampled_from(sorted({option.name for endpoint in CATALOGUE.values() for option in endpoint.options})),
    _values | st.sampled_from(sorted({v for e in CATALOGUE.values() for option in e.options for v in option.values})),
    max_size=4,
)
_prompts = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["a", "b", "c"]) | _scalars,
        "prompt": st.sampled_from(["x", "a {look}"]) | _scalars,
    },
    optional={
        "model": st.sampled_from(list(CATALOGUE)) | _values,
        "matrix": st.dictionaries(_keys, _axis, max_size=3) | _values,
        "options": _options | _values,
        "aspect_ratio": st.sampled_from(["1:1", "16x9", "2:1"]) | _values,
        "seeds": st.lists(st.integers(0, 9), max_size=3) | _values,
        "count": st.integers(1, 5) | _values,
        "vars": st.dictionaries(_keys, _scalars, max_size=2) | _values,
        "lettering": _values,
        "edition": _values,
        "refresh": st.sampled_from(["daily", "weekly"]) | _values,
        "tags": _values,
    },
)
_manifests = st.fixed_dictionaries(
    {"version": st.just(1) | _scalars, "prompts": st.lists(_prompts | _values, max_size=3) | _values},
    optional={
        "defaults": _overrides | _values,
        "models": st.dictionaries(st.sampled_from(list(CATALOGUE)) | _keys, _options | _values, max_size=2),
        "vars": st.dictionaries(_keys, _scalars, max_size=2) | _values,
        "brand": _values,
    },
)


@st.composite
def _sound_options(draw: st.DrawFn, model: str) -> dict[str, Any]:
    """Options that the model takes, in one of their spellings."""
    options: dict[str, Any] = {}
    for option in CATALOGUE[model].options:
        needed = option.name in undecided(CATALOGUE[model], options)
        if (needed or not draw(st.integers(0, 3))) and not set(option.excludes) & set(options):
            match option.kind:
                case Kind.ENUM:
                    value: Any = draw(st.sampled_from(option.values))
                    options[option.name] = value.upper() if draw(st.booleans()) else value
                case Kind.SIZE:
                    options[option.name] = draw(st.sampled_from([*option.values, "2048x2048", "256 X 1536"]))
                case Kind.PALETTE:
                    colours = st.lists(st.sampled_from(["#fff", "F5A623", {"color_hex": "#000"}]), min_size=1)
                    preset = st.sampled_from(option.values)
                    options[option.name] = draw(preset | colours.filter(lambda found: len(found) <= 8))
                case Kind.CODES:
                    options[option.name] = ["AAFF5733"]
                case Kind.BOOLEAN:
                    options[option.name] = draw(st.booleans())
                case Kind.TEXT:
                    options[option.name] = "people"
    return options


_STRUCTURED = {
    "high_level_description": "a bottle",
    "compositional_deconstruction": {
        "background": "sand",
        "elements": [{"type": "obj", "desc": "a bottle", "bbox": [0, 0, 500, 1000]}],
    },
}


def _say(prompt: dict[str, Any], words: str, kind: str = "obj") -> None:
    """Add words with placeholders to a prompt, whatever its form."""
    if isinstance(prompt["prompt"], str):
        prompt["prompt"] += words
    else:
        element = {"type": kind, "desc": words} | ({"text": words} if kind == "text" else {})
        prompt["prompt"]["compositional_deconstruction"]["elements"].append(element)


@st.composite
def _sound_manifests(draw: st.DrawFn) -> dict[str, Any]:
    """Manifests that should load, using much of what can be written."""
    prompts = []
    for number in range(draw(st.integers(1, 3))):
        model = draw(st.sampled_from(list(CATALOGUE)))
        prompt: dict[str, Any] = {"id": f"p{number}", "prompt": "a bottle", "model": model}
        prompt["options"] = draw(_sound_options(model))
        if CATALOGUE[model].json_prompts and draw(st.booleans()):
            prompt["prompt"] = copy.deepcopy(_STRUCTURED)
        if draw(st.booleans()):
            prompt["options_unchecked"] = {
                "new_field": draw(st.sampled_from([1, 0.5, True, "x", ["a", 2], {"b": {"c": None}}]))
            }
        if not {"aspect_ratio", "resolution", "size"} & set(prompt["options"]) and draw(st.booleans()):
            prompt["aspect_ratio"] = draw(st.sampled_from(list(CATALOGUE[model].ratios)))
        matrix: dict[str, Any] = {}
        if draw(st.booleans()):
            matrix["mood"] = draw(st.lists(st.sampled_from(["calm", "Wild", "2 x", 7]), min_size=1, unique=True))
            _say(prompt, ", {mood}")
        if draw(st.booleans()):
            matrix["place"] = {"sea": {"campaign": "s"}, "town": {"tags": ["t"], "edition": 4}, "any": {}}
            matrix["exclude"] = [{"place": "any"}]
        if matrix:
            prompt["matrix"] = matrix
        if draw(st.booleans()):
            prompt |= {"lettering": draw(st.sampled_from(["HI", 2027])), "vars": {"how": "loudly"}}
            _say(prompt, ' says "{lettering}" {how}', "text")
        name, value = draw(st.sampled_from([("count", 3), ("seeds", [4, 5]), ("notes", "n"), ("refresh", "daily")]))
        prompt[name] = value
        prompts.append(prompt)
    return {"version": 1, "brand": "helio", "defaults": {"campaign": "x", "tags": ["d"]}, "prompts": prompts}


@st.composite
def _spoilt_manifests(draw: st.DrawFn) -> dict[str, Any]:
    """A sound manifest with one or two places replaced by anything."""
    manifest = draw(_sound_manifests())
    for _ in range(draw(st.integers(1, 2))):
        here: Any = manifest
        while True:
            steps = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not steps:
                break
            step = draw(st.sampled_from(steps))
            inner = here[step]
            if not isinstance(inner, dict | list) or not draw(st.integers(0, 3)):
                here[step] = draw(_values)
                break
            here = inner
    return manifest


def _judge(text: str | bytes) -> Loaded | None:
    """What must hold for every manifest; returns what was loaded, None where it was refused."""
    source = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    try:
        loaded = load([("f.yaml", source)], NOW, UTC)
    except InvalidInput as refusal:
        problems = refusal.problems
    else:
        for variant in loaded.variants:
            assert variant.prompt.strip()
            assert 1 <= variant.count <= 10_000
            assert len(fingerprint(variant, "sandbox")) == 64
        assert len({variant.name for variant in loaded.variants}) == len(loaded.variants)
        return loaded
    assert problems
    for problem in problems:
        assert problem.message
        assert "\n" not in problem.message
        assert "Traceback" not in str(problem)
    return None


@settings(UNHURRIED)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_random_text(text: str | bytes) -> None:
    """Noise is refused in order."""
    _judge(text)


@settings(UNHURRIED, max_examples=200)
@given(_manifests)
def test_random_structures(data: Any) -> None:
    """Anything that JSON can say in the shape of a manifest, or nearly; what loads fits the schema too."""
    if _judge(json.dumps(data, ensure_ascii=False)) is not None:
        assert list(VALIDATOR.iter_errors(data)) == []


@settings(UNHURRIED, max_examples=150)
@given(_sound_manifests())
def test_sound_manifests_load(data: Any) -> None:
    """What is written by the rules is taken, by the schema too."""
    assert _judge(json.dumps(data)) is not None
    assert list(VALIDATOR.iter_errors(data)) == []


@settings(UNHURRIED, max_examples=250)
@given(_spoilt_manifests())
def test_spoilt_manifests(data: Any) -> None:
    """One or two wrong values in a sound manifest; where it still loads, the schema agrees."""
    if _judge(json.dumps(data, ensure_ascii=False)) is not None:
        assert list(VALIDATOR.iter_errors(data)) == []


@settings(UNHURRIED, max_examples=150)
@given(st.data())
def test_random_mutations_of_the_shipped_manifest(data: st.DataObject) -> None:
    """Lines lost, doubled, moved and overwritten: as people's edits go wrong."""
    lines = SHIPPED.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["delete", "double", "indent", "cut", "insert", "swap"])):
            case "delete":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "indent":
                lines[at] = " " * data.draw(st.integers(0, 6)) + lines[at].lstrip()
            case "cut":
                lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
            case "insert":
                column = data.draw(st.integers(0, len(lines[at])))
                sign = data.draw(st.sampled_from([*"{}[],:#&*!|>'\"%@`\t \u00e9", "null", "1e9", "<<: "]))
                lines[at] = lines[at][:column] + sign + lines[at][column:]
            case _:
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
        if not lines:
            return
    _judge("\n".join(lines) + "\n")


@pytest.mark.slow
@settings(UNHURRIED, max_examples=4_000)
@given(_manifests | _spoilt_manifests())
def test_many_random_structures(data: Any) -> None:
    """The same as above, for minutes."""
    if _judge(json.dumps(data, ensure_ascii=False)) is not None:
        assert list(VALIDATOR.iter_errors(data)) == []
