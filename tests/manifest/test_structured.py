"""Structured prompts: what is sent, what is the same picture, and what is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from flows.documents import parse
from flows.errors import Problem
from flows.manifest.load import Loaded
from flows.manifest.schema import build
from flows.manifest.variant import fingerprint

Load = Callable[..., Loaded]
Refused = Callable[..., tuple[Problem, ...]]

POSTER = """\
version: 1
vars: {look: soft morning light}
prompts:
  - id: a
    model: ideogram-4-5
    prompt:
      high_level_description: "A poster, {look}"
      style_description: {photo: product shot, lighting: "{look}", aesthetics: calm, medium: photograph}
      compositional_deconstruction:
        background: wet sand
        elements:
          - {type: text, text: "{lettering}", desc: "large, in {{braces}}", bbox: [50, 100, 300, 900]}
          - {type: obj, desc: a bottle, color_palette: ["#F5A623", {b: 1, a: 2}]}
    lettering: 'SUMMER "SLOWLY"'
"""


def test_it_is_sent_as_one_line_in_the_vendor_s_order(wants: Load) -> None:
    """Keys in the documented order, texts filled, quotation marks escaped, what is unknown passed through."""
    [variant] = wants(POSTER).variants
    assert variant.prompt == (
        '{"high_level_description":"A poster, soft morning light","style_description":{"aesthetics":"calm",'
        '"lighting":"soft morning light","photo":"product shot","medium":"photograph"},'
        '"compositional_deconstruction":{"background":"wet sand","elements":[{"type":"text",'
        '"bbox":[50,100,300,900],"text":"SUMMER \\"SLOWLY\\"","desc":"large, in {braces}"},{"type":"obj",'
        '"desc":"a bottle","color_palette":["#F5A623",{"a":2,"b":1}]}]}}'
    )
    assert json.loads(variant.prompt)["compositional_deconstruction"]["elements"][0]["text"] == variant.lettering


def test_the_order_in_the_file_is_not_part_of_the_picture(wants: Load) -> None:
    """Keys may be moved about, and nothing is bought again; moving elements is another picture."""
    data = parse(POSTER, "p.yaml").data
    prompt = data["prompts"][0]["prompt"]
    first = fingerprint(wants(POSTER).variants[0], "x")
    data["prompts"][0]["prompt"] = dict(reversed(prompt.items()))
    assert fingerprint(wants("# version: below\n" + json.dumps(data)).variants[0], "x") == first
    prompt["compositional_deconstruction"]["elements"].reverse()
    assert fingerprint(wants("# version: below\n" + json.dumps(data)).variants[0], "x") != first


def test_the_editor_s_schema_takes_it() -> None:
    """No red lines under what works."""
    validator = jsonschema.Draft202012Validator(build())
    assert list(validator.iter_errors(parse(POSTER, "p.yaml").data)) == []
    assert list(validator.iter_errors(parse(POSTER.replace("background", "backdrop"), "p.yaml").data))


def test_axes_fill_it_and_lettering_is_looked_for_in_its_text_elements(wants: Load, refused: Refused) -> None:
    """A matrix varies it as any prompt; words in a description are no lettering."""
    matrix = '    matrix: {language: {en: {lettering: "HI"}, de: {lettering: "TAG"}}}\n'
    texts = POSTER.replace("    lettering: 'SUMMER \"SLOWLY\"'\n", matrix)
    assert ['"text":"HI"' in one.prompt for one in wants(texts).variants] == [True, False]
    [problem] = refused(POSTER.replace('text: "{lettering}", desc: "large', 'text: HELLO, desc: "{lettering} large'))
    assert (problem.line, problem.key) == (14, "prompts[0].lettering")
    assert "no text element of a says" in problem.message


def test_words_without_lettering_are_noted(wants: Load) -> None:
    """A text element that no `lettering` speaks of cannot be checked by the audit: a warning."""
    plain = POSTER.replace("{lettering}", "HELLO").replace("    lettering: 'SUMMER \"SLOWLY\"'\n", "")
    [warning] = wants(plain).warnings
    assert 'has the text element "HELLO"' in warning.message


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "says"),
    [
        ("{look}", "{lok}", 7, "high_level_description", "nothing fills {lok}"),
        ("calm", '"{mood:>3}"', 8, "style_description.aesthetics", "take no formats"),
        ("wet sand", "", 10, "compositional_deconstruction.background", "must be a text, not nothing"),
        ("type: obj", "type: thing", 13, "compositional_deconstruction.elements[1].type", "is not one of obj, text"),
        ("desc: a bottle", "dsc: a bottle", 13, "compositional_deconstruction.elements[1].dsc", "unknown key"),
        ("[50, 100, 300, 900]", "[50, 100, 300]", 12, "compositional_deconstruction.elements[0].bbox", "not 3 numbers"),
        ("[50, 100, 300, 900]", "[0.5, 1, 3, 9]", 12, "compositional_deconstruction.elements[0].bbox", "0.5 cannot be"),
        ("[50, 100, 300, 900]", "[50, 900, 300, 100]", 12, "compositional_deconstruction.elements[0].bbox", "x_max"),
        ("[50, 100, 300, 900]", "50", 12, "compositional_deconstruction.elements[0].bbox", "four numbers, not 50"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(
    refused: Refused, old: str, new: str, line: int, key: str, says: str
) -> None:
    """Every slip inside the prompt has its own line and key."""
    found = refused(POSTER.replace(old, new, 1))
    assert any((one.line, one.key) == (line, f"prompts[0].prompt.{key}") and says in one.message for one in found), (
        "\n".join(map(str, found))
    )


def test_it_may_be_as_long_as_a_prompt_may(wants: Load, refused: Refused) -> None:
    """The vendor counts the characters of what is sent, braces and all."""
    [variant] = wants(POSTER).variants
    room = 10_000 - len(variant.prompt)
    assert len(wants(POSTER.replace("wet sand", "wet sand" + "x" * room)).variants[0].prompt) == 10_000
    [problem] = refused(POSTER.replace("wet sand", "wet sand" + "x" * (room + 1)))
    assert "10,001 characters" in problem.message


UNCHECKED = """\
version: 1
defaults: {model: ideogram-4-5, options_unchecked: {glow: 1, depth: 2}}
models:
  ideogram-4-5: {quality: low, options_unchecked: {depth: 3}}
prompts:
  - id: a
    prompt: x
    options_unchecked: {grain: {amount: [1, 2.5]}}
    matrix:
      size:
        s: {}
        m: {options_unchecked: {glow: 4}}
"""


def _options(loaded: Loaded) -> list[dict[str, Any]]:
    return [dict(variant.options) for variant in loaded.variants]


def test_what_is_not_checked_is_sent_with_a_warning(wants: Load) -> None:
    """From all layers, the later winning; one warning for each place; part of the picture."""
    loaded = wants(UNCHECKED)
    grain = {"amount": [1, 2.5]}
    assert _options(loaded) == [
        {"quality": "low", "glow": 1, "depth": 3, "grain": grain},
        {"quality": "low", "glow": 4, "depth": 3, "grain": grain},
    ]
    assert len({fingerprint(variant, "x") for variant in loaded.variants}) == 2
    keys = [warning.key for warning in loaded.warnings]
    assert sorted(keys) == [
        "defaults.options_unchecked.glow",
        "models.ideogram-4-5.options_unchecked.depth",
        "prompts[0].matrix.size.m.options_unchecked.glow",
        "prompts[0].options_unchecked.grain",
    ]
    assert all("unchecked" in warning.message and "price" in warning.hint for warning in loaded.warnings)


def test_learning_an_option_later_moves_no_picture(wants: Load) -> None:
    """Unchecked today, an option of a later release: the same fingerprint, so nothing is bought again."""
    one, other = ("version: 1\nprompts: [{id: a, prompt: x, model: %s, %s}]\n",) * 2
    known = wants(one % ("ideogram-4-transparent", "options: {output_resolution: 2k}")).variants[0]
    assert known.options == {"output_resolution": "2k"}
    unknown = wants(other % ("ideogram-4-5", "options_unchecked: {output_resolution: 2k}")).variants[0]
    assert unknown.options == known.options


def test_two_axes_may_not_set_the_same_unchecked_field(refused: Refused) -> None:
    """As with options that are checked: which of them should win cannot be guessed."""
    axis = "{x: {options_unchecked: {glow: 1}}}"
    [problem] = refused(f"  - {{id: a, prompt: x, matrix: {{m: {axis}, n: {axis}}}}}\n")
    assert "`options_unchecked.glow` is set by two axes" in problem.message
