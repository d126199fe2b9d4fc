"""Several files at once: one refusal for all, ids of their own, and what is only worth a warning."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.errors import Problem
from flows.ideogram.catalogue import price_tier
from flows.manifest.load import Loaded, load
from flows.manifest.slips import SHOWN

Load = Callable[..., Loaded]
Refused = Callable[..., tuple[Problem, ...]]

ROOT = Path(__file__).parents[2]
# List prices of November 2026 in cents; the price book is somebody else's business.
CENTS = {"low": 3, "medium": 6, "high": 10, "turbo": 3, "default": 6, "quality": 9}


def test_the_variants_of_all_files_come_in_order(wants: Load) -> None:
    """Files stand in the order given; each has its own defaults and vars."""
    one = "version: 1\ndefaults: {model: V_2}\nvars: {x: one}\nprompts: [{id: a, prompt: 'the {x}'}]"
    two = "version: 1\ndefaults: {model: V_1}\nvars: {x: two}\nprompts: [{id: b, prompt: 'the {x}'}]"
    loaded = wants(one, two)
    assert [(v.file, v.name, v.model, v.prompt) for v in loaded.variants] == [
        ("1.yaml", "a", "V_2", "the one"),
        ("2.yaml", "b", "V_1", "the two"),
    ]
    assert loaded.files == ("1.yaml", "2.yaml")


def test_problems_of_all_files_come_at_once(refused: Refused) -> None:
    """A file that is no YAML does not hide what is wrong with the next."""
    problems = refused("- {id: a, prompt: 'x", "- {id: b, prompt: y, cuont: 2}", "- {id: c, prompt: '{z}'}")
    assert [problem.file for problem in problems] == ["1.yaml", "2.yaml", "3.yaml"]


def test_ids_are_unique_over_all_files(refused: Refused) -> None:
    """The second one is reported and the first one named."""
    (problem,) = refused("- {id: hero, prompt: x}", "- {id: b, prompt: y}\n- {id: HERO, prompt: z}")
    assert (problem.file, problem.line, problem.key) == ("2.yaml", 5, "prompts[1].id")
    assert "1.yaml:4" in problem.message


@pytest.mark.parametrize(("slips", "says"), [(150, "and 50 more"), (5_000, "and many more")])
def test_a_thousand_problems_are_a_hundred_and_a_word(refused: Refused, slips: int, says: str) -> None:
    """Nobody reads a thousand lines, and looking for more of them would take long."""
    lines = (f"- {{id: p{number}, prompt: x, options: {{quality: q{number}}}}}" for number in range(slips))
    problems = refused("\n".join(lines))
    assert len(problems) == SHOWN + 1
    assert problems[0].message == says


HOSTILE = {
    "unknown keys": "- {{id: p{n}, prompt: x, zz{n}: 1, qq{n}: 2}}",
    "unknown options": "- {{id: p{n}, prompt: x, options: {{zz{n}: 1}}}}",
    "unknown models": "- {{id: p{n}, prompt: x, model: m{n}}}",
    "unknown placeholders": "- {{id: p{n}, prompt: '{{x{n}}}'}}",
    "ids taken": "- {{id: p, prompt: x{n}}}",
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_a_file_of_nothing_but_slips_is_given_up_early(refused: Refused, line: str) -> None:
    """Ten thousand slips are not looked up ten thousand times."""
    began = time.perf_counter()
    problems = refused("\n".join(line.format(n=number) for number in range(10_000)))
    assert len(problems) == SHOWN + 1
    # About a second here: reading the YAML. Looking everything up took ten times as long.
    assert time.perf_counter() - began < 10


def test_two_variants_of_one_picture_are_a_warning(wants: Load) -> None:
    """They share their images; both are named."""
    loaded = wants("- {id: a, prompt: x}\n- {id: b, prompt: x, count: 3, campaign: other}")
    (warning,) = loaded.warnings
    assert "b is the same picture as a" in warning.message
    assert (warning.line, warning.hint) == (5, "The larger count wins. To get different ones, set `edition`.")


def test_quoted_text_without_lettering_is_a_warning(wants: Load) -> None:
    """The audit could check it, if it were told."""
    (warning,) = wants("""- {id: a, prompt: 'A poster that says "HELLO"'}""").warnings
    assert '"HELLO"' in warning.message
    assert "lettering" in warning.hint


def test_lettering_written_out_in_the_prompt_is_fine(wants: Load) -> None:
    """The placeholder is a convenience; what counts is that the prompt says the words."""
    loaded = wants("""- {id: a, prompt: 'A poster that says "HELLO"', lettering: HELLO}""")
    assert (loaded.variants[0].lettering, loaded.warnings) == ("HELLO", ())


def test_a_size_that_overrules_the_ratio_is_a_warning(wants: Load) -> None:
    """`options.size` wins; where the two agree nothing needs to be said."""
    loaded = wants("- {id: a, prompt: x, aspect_ratio: 16:9, options: {size: 1024x1024}}")
    assert dict(loaded.variants[0].options) == {"size": "1024x1024"}
    assert loaded.variants[0].aspect_ratio is None
    assert "`size: 1024x1024` decides" in loaded.warnings[0].message
    agreed = wants("- {id: a, prompt: x, aspect_ratio: 16:9, options: {size: 1280x720}}")
    assert (agreed.variants[0].aspect_ratio, agreed.warnings) == ("16:9", ())


def test_a_legacy_spelling_on_a_new_model_is_a_warning(wants: Load) -> None:
    """It is understood, and the right one named."""
    loaded = wants("- {id: a, prompt: x, model: ideogram-3, options: {aspect_ratio: ASPECT_16_9}}")
    assert dict(loaded.variants[0].options) == {"aspect_ratio": "16x9"}
    assert "legacy" in loaded.warnings[0].message


def test_nothing_is_wanted_of_no_files() -> None:
    """No sources, no variants; whether that is right is for the caller to say."""
    assert load([], datetime(2026, 11, 22, tzinfo=UTC), UTC) == Loaded(())


def test_the_shipped_manifest_is_a_real_campaign() -> None:
    """About thirty images for about two dollars, on three models, without a warning."""
    source = ("prompts.yaml", (ROOT / "prompts.yaml").read_bytes())
    loaded = load([source], datetime(2026, 11, 22, tzinfo=UTC), UTC)
    variants = loaded.variants
    cents = sum(
        variant.count * (8 if variant.model == "V_2" else CENTS[price_tier(variant.endpoint, variant.options)])
        for variant in variants
    )
    assert loaded.warnings == ()
    assert 28 <= sum(variant.count for variant in variants) <= 32
    assert 150 <= cents <= 250
    assert {variant.model for variant in variants} == {"ideogram-4-5", "ideogram-3", "V_2"}
    assert len({variant.prompt_id for variant in variants}) >= 12
    assert {variant.brand for variant in variants} == {"helio"}
    hero = [variant for variant in variants if variant.prompt_id == "hero"]
    assert {variant.axes["language"] for variant in hero} == {"en", "de"}
    assert {variant.axes["format"] for variant in hero} == {"square", "story", "banner"}
    assert [variant.edition for variant in variants if variant.edition] == ["2026-W47"]
