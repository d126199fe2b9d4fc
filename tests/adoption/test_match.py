"""Which variant a picture is: the same prompt and model, and nothing that speaks against it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.adoption.match import Catalogue, Match, judge
from flows.adoption.record import Place, Record
from flows.ideogram.catalogue import CATALOGUE
from flows.manifest.load import load
from flows.manifest.variant import Variant, fingerprint

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SUN = Record(Place("list.json"), prompt="A sun", model="ideogram-3")


def variant(options: str = "", model: str = "ideogram-3", more: str = "") -> Variant:
    """The one variant of a manifest."""
    text = f'version: 1\nprompts: [{{id: sun, prompt: "A sun", model: {model}, options: {{{options}}}{more}}}]\n'
    (found,) = load([("prompts.yaml", text.encode())], NOW, UTC).variants
    return found


def record(**said: Any) -> Record:
    return Record(Place("list.json"), **{"prompt": "A sun", "model": "ideogram-3", **said})


def fits(said: Record, wanted: Variant, how: Match, size: tuple[int, int] | None = None) -> bool:
    return bool(Catalogue([wanted], "sandbox").fits(said, size, how))


@pytest.mark.parametrize(
    ("said", "options", "prompt", "exact"),
    [
        ({}, "", True, True),
        ({"prompt": " A sun\n"}, "", True, True),
        ({"prompt": "a sun"}, "", False, False),
        ({"prompt": None}, "", False, False),
        ({"model": "V_3"}, "", True, True),
        ({"model": "ideogram-4-5"}, "", False, False),
        ({"model": "something"}, "", False, False),
        ({"model": None}, "", False, False),
        ({"seed": 7}, "", True, True),
        ({"options": {"rendering_speed": "TURBO"}}, "rendering_speed: turbo", True, True),
        ({"options": {"rendering_speed": "DEFAULT"}}, "", True, True),
        ({"options": {"rendering_speed": "TURBO"}}, "", False, False),
        ({"options": {"rendering_speed": "TURBO"}}, "rendering_speed: quality", False, False),
        ({}, "rendering_speed: turbo", True, False),
        ({"options": {"rendering_speed": "warp"}}, "", False, False),
        ({"options": {"sampler": "euler"}}, "", True, True),
        ({"negative_prompt": "people"}, "negative_prompt: people", True, True),
        ({"negative_prompt": "people"}, "negative_prompt: cars", False, False),
        ({"negative_prompt": "people"}, "", False, False),
        ({}, "negative_prompt: people", True, False),
        ({"options": {"magic_prompt": "OFF"}}, "magic_prompt: off", True, True),
        ({"options": {"magic_prompt_option": "OFF"}}, "magic_prompt: off", True, True),
    ],
)
def test_what_agrees_and_what_is_open(said: dict[str, Any], options: str, prompt: bool, exact: bool) -> None:
    """By the default rule what was not said is taken for granted; by the exact one it is not."""
    wanted = variant(options)
    assert fits(record(**said), wanted, Match.PROMPT) is prompt
    assert fits(record(**said), wanted, Match.EXACT) is exact
    assert not fits(record(**said), wanted, Match.NONE)


@pytest.mark.parametrize(
    ("said", "size", "shape", "prompt", "exact"),
    [
        ({"aspect_ratio": "9:16"}, None, "9:16", True, True),
        ({"aspect_ratio": "16:9"}, None, "9:16", False, False),
        ({"aspect_ratio": "5:8"}, None, "10:16", True, True),
        ({}, (736, 1312), "9:16", True, False),
        ({}, (1024, 1024), "9:16", False, False),
        ({}, None, "9:16", True, False),
        ({"resolution": "736x1312"}, None, "9:16", True, False),
        ({"resolution": "1024x1024"}, (736, 1312), "9:16", False, False),
    ],
)
def test_the_shape_is_the_record_s_or_the_picture_s(
    said: dict[str, Any], size: tuple[int, int] | None, shape: str, prompt: bool, exact: bool
) -> None:
    """A square picture never counts for a story, whatever the list forgot to say."""
    wanted = variant(more=f", aspect_ratio: {shape}")
    assert fits(record(**said), wanted, Match.PROMPT, size) is prompt
    assert fits(record(**said), wanted, Match.EXACT, size) is exact


def test_seeds_editions_and_brands() -> None:
    """A seed that is asked for must be the one; what is wanted anew on purpose is never there already."""
    seeded = variant(more=", seeds: [11]")
    assert fits(record(seed=11), seeded, Match.EXACT)
    assert not fits(record(seed=12), seeded, Match.PROMPT)
    assert fits(record(), seeded, Match.PROMPT)
    assert not fits(record(), seeded, Match.EXACT)
    assert not fits(record(), variant(more=", refresh: weekly"), Match.PROMPT)
    assert not fits(record(), variant(more=", edition: again"), Match.PROMPT)
    assert judge(record(brand="helio"), None, variant()) is not None


def test_our_own_record_says_which_it_is() -> None:
    """The fingerprint that ideoflow wrote beside a picture decides, whatever else is said."""
    wanted = variant("rendering_speed: turbo")
    ours = record(prompt="else", fingerprint=fingerprint(wanted, "sandbox"))
    assert fits(ours, wanted, Match.EXACT)
    assert not fits(ours, wanted, Match.NONE)


def test_of_several_the_one_that_agrees_most() -> None:
    """A record that says more is given to the variant that says the same."""
    plain, fast = variant(), variant("rendering_speed: turbo")
    both = Catalogue([plain, fast], "sandbox")
    said = record(options={"rendering_speed": "TURBO"})
    assert [fit.variant for _, fit in both.fits(said, None, Match.PROMPT)] == [fast]
    assert [fit.variant for _, fit in both.fits(record(), None, Match.EXACT)] == [plain]


@pytest.mark.parametrize("model", CATALOGUE)
def test_every_shape_of_every_model_is_told_from_every_other(model: str) -> None:
    """Pictures of the ratio that was asked for fit that variant and no other, on all models."""
    shapes = list(CATALOGUE[model].ratios)
    needed = "quality: medium" if model == "ideogram-4-6" else ""
    wanted = {shape: variant(needed, model, f", aspect_ratio: {shape}") for shape in shapes}
    for one, other in itertools.product(shapes, shapes):
        width, height = (int(side) for side in one.split(":"))
        fit = judge(record(model=model), (width * 96, height * 96), wanted[other])
        assert (fit is not None) is (one == other), (one, other)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "rendering_speed": st.sampled_from(["turbo", "default", "quality"]),
            "magic_prompt": st.sampled_from(["auto", "on", "off"]),
            "negative_prompt": st.sampled_from(["people", "cars"]),
            "aspect_ratio": st.sampled_from(["1:1", "9:16", "16:9"]),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "rendering_speed": st.sampled_from(["turbo", "default", "quality"]),
            "magic_prompt": st.sampled_from(["auto", "on", "off"]),
            "negative_prompt": st.sampled_from(["people", "cars"]),
            "aspect_ratio": st.sampled_from(["1:1", "9:16", "16:9"]),
        },
    ),
)
def test_exact_is_the_same_fingerprint(said: dict[str, str], wanted: dict[str, str]) -> None:
    """What fits exactly would have been bought under that very fingerprint; exact is never laxer than prompt."""

    def written(options: dict[str, str]) -> Variant:
        shape = f", aspect_ratio: '{options['aspect_ratio']}'" if "aspect_ratio" in options else ""
        plain = ", ".join(f"{key}: '{value}'" for key, value in options.items() if key != "aspect_ratio")
        return variant(plain, more=shape)

    of_record = record(
        aspect_ratio=said.get("aspect_ratio"),
        negative_prompt=said.get("negative_prompt"),
        options={key: value for key, value in said.items() if key in ("rendering_speed", "magic_prompt")},
    )
    same = fingerprint(written(said), "sandbox") == fingerprint(written(wanted), "sandbox")
    exact = fits(of_record, written(wanted), Match.EXACT)
    assert exact <= same
    assert exact <= fits(of_record, written(wanted), Match.PROMPT)
