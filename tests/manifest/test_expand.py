"""From a manifest to its variants: names, order, merging, seeds, refresh, limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from flows.errors import InvalidInput, Problem
from flows.manifest import expand as expand_module
from flows.manifest.expand import expand
from flows.manifest.load import Loaded
from flows.manifest.names import period
from flows.manifest.source import read_manifest

Load = Callable[..., Loaded]
Refused = Callable[..., tuple[Problem, ...]]


def test_a_prompt_alone_is_one_variant(wants: Load) -> None:
    """Without a matrix the variant has the prompt's name, one image and no axes."""
    (variant,) = wants("- {id: hero, prompt: '  A bottle  '}").variants
    assert variant.name == variant.prompt_id == "hero"
    assert variant.prompt == "A bottle"
    assert (variant.count, dict(variant.axes), variant.seed, variant.edition) == (1, {}, None, None)
    assert (variant.file, variant.line) == ("1.yaml", 4)


def test_variants_are_named_by_their_axes_in_file_order(wants: Load) -> None:
    """The last axis turns fastest, and `exclude` leaves out what it names."""
    loaded = wants(
        """
- id: hero
  prompt: a bottle
  matrix:
    language: {de: {campaign: d}, en: {campaign: e}}
    format: {square: {aspect_ratio: 1:1}, story: {aspect_ratio: 9:16}}
    exclude: [{format: story, language: en}]
"""
    )
    assert [variant.name for variant in loaded.variants] == [
        "hero@language=de,format=square",
        "hero@language=de,format=story",
        "hero@language=en,format=square",
    ]
    assert dict(loaded.variants[1].axes) == {"language": "de", "format": "story"}


def test_exclude_takes_part_of_a_combination_and_the_values_of_a_list(wants: Load) -> None:
    """A row that names one axis removes all that has the label; lists may be named by their texts."""
    loaded = wants(
        """
- id: p
  prompt: "{mood} {place}"
  matrix:
    mood: [very calm, loud]
    place: [sea, town]
    exclude: [{mood: very calm, place: sea}, {place: town}]
"""
    )
    assert [variant.name for variant in loaded.variants] == ["p@mood=loud,place=sea"]


def test_list_values_become_labels_and_fill_with_their_full_text(wants: Load) -> None:
    """The label is a slug, the prompt gets every letter."""
    loaded = wants("- {id: p, prompt: 'a {fruit}', matrix: {fruit: [blood orange, 'Crème brûlée!', 2027]}}")
    assert [variant.name for variant in loaded.variants] == [
        "p@fruit=blood-orange",
        "p@fruit=Creme-brulee",
        "p@fruit=2027",
    ]
    assert [variant.prompt for variant in loaded.variants] == ["a blood orange", "a Crème brûlée!", "a 2027"]


def test_seeds_make_one_variant_each(wants: Load) -> None:
    """Seeds are a last axis of their own, with one image each, whatever the default count."""
    loaded = wants(
        """version: 1
defaults: {model: ideogram-3, count: 4}
prompts:
  - {id: pattern, prompt: "a {mood} pattern", matrix: {mood: [calm, playful]}, seeds: [11, 0]}
"""
    )
    assert [(variant.name, variant.seed, variant.count) for variant in loaded.variants] == [
        ("pattern@mood=calm,seed=11", 11, 1),
        ("pattern@mood=calm,seed=0", 0, 1),
        ("pattern@mood=playful,seed=11", 11, 1),
        ("pattern@mood=playful,seed=0", 0, 1),
    ]
    assert dict(loaded.variants[0].axes) == {"mood": "calm", "seed": "11"}


def test_a_later_count_displaces_seeds_and_the_other_way_round(wants: Load) -> None:
    """`seeds` and `count` stand for each other: the more particular layer decides which holds."""
    loaded = wants(
        """
- {id: a, prompt: x, seeds: [1, 2], matrix: {f: {few: {count: 3}, all: {campaign: c}}}}
- {id: b, prompt: y, count: 5, matrix: {f: {few: {seeds: [7]}, all: {campaign: c}}}}
"""
    )
    assert [(variant.name, variant.count) for variant in loaded.variants] == [
        ("a@f=few", 3),
        ("a@f=all,seed=1", 1),
        ("a@f=all,seed=2", 1),
        ("b@f=few,seed=7", 1),
        ("b@f=all", 5),
    ]


def test_the_more_particular_layer_wins_field_by_field(wants: Load) -> None:
    """defaults, models, prompt, axes: each field is taken from the last that writes it; tags add up."""
    loaded = wants(
        """version: 1
brand: helio
defaults:
  model: ideogram-3
  campaign: from-defaults
  count: 2
  tags: [d]
  aspect_ratio: 1:1
  options: {magic_prompt: on, enable_copyright_detection: true, style_type: fiction}
models:
  ideogram-3: {magic_prompt: off, rendering_speed: turbo, negative_prompt: from-models}
prompts:
  - id: plain
    prompt: x
  - id: own
    prompt: y
    campaign: from-prompt
    tags: [p, d]
    options: {rendering_speed: quality, negative_prompt: from-prompt}
    matrix:
      f:
        a: {campaign: from-axis, options: {negative_prompt: from-axis}, tags: [a], brand: luna}
        b: {count: 7, aspect_ratio: 3:1}
"""
    )
    plain, a, b = loaded.variants
    assert dict(plain.options) == {
        "magic_prompt": "off",
        "enable_copyright_detection": True,
        "style_type": "fiction",
        "rendering_speed": "turbo",
        "negative_prompt": "from-models",
        "aspect_ratio": "1x1",
    }
    assert (plain.campaign, plain.count, plain.tags, plain.brand) == ("from-defaults", 2, ("d",), "helio")
    assert (a.campaign, a.count, a.tags, a.brand) == ("from-axis", 2, ("d", "p", "a"), "luna")
    assert (a.options["negative_prompt"], a.options["rendering_speed"]) == ("from-axis", "quality")
    assert (b.campaign, b.count, b.aspect_ratio) == ("from-prompt", 7, "3:1")
    assert b.options["negative_prompt"] == "from-prompt"


def test_a_later_option_displaces_what_it_excludes(wants: Load) -> None:
    """A prompt's style codes take the place of the model's usual style type, not of their neighbours."""
    loaded = wants(
        """version: 1
models: {ideogram-3: {style_type: design, rendering_speed: turbo}}
prompts:
  - {id: a, prompt: x, model: ideogram-3, options: {style_codes: [aaff5733]}}
"""
    )
    assert dict(loaded.variants[0].options) == {"rendering_speed": "turbo", "style_codes": ["AAFF5733"]}


def test_a_model_may_be_an_axis(wants: Load) -> None:
    """Each model gets its own options and its own way to say the shape."""
    loaded = wants(
        """version: 1
models: {ideogram-3: {rendering_speed: turbo}, ideogram-4-5: {quality: low}}
prompts:
  - {id: a, prompt: x, aspect_ratio: 16:9, matrix: {model: [ideogram-3, ideogram-4-5, V_2]}}
"""
    )
    assert [(variant.name, variant.model, dict(variant.options)) for variant in loaded.variants] == [
        ("a@model=ideogram-3", "ideogram-3", {"rendering_speed": "turbo", "aspect_ratio": "16x9"}),
        ("a@model=ideogram-4-5", "ideogram-4-5", {"quality": "low", "size": "2560x1440"}),
        ("a@model=V_2", "V_2", {"aspect_ratio": "ASPECT_16_9"}),
    ]


def test_a_list_named_like_a_field_sets_it(wants: Load) -> None:
    """`aspect_ratio: [...]` and `lettering: [...]` need no map."""
    loaded = wants(
        """
- {id: a, prompt: 'says "{lettering}"', matrix: {aspect_ratio: [1:1, 16:9], lettering: [Hello there, Ciao]}}
"""
    )
    assert [variant.name for variant in loaded.variants][1:3] == [
        "a@aspect_ratio=1x1,lettering=Ciao",
        "a@aspect_ratio=16x9,lettering=Hello-there",
    ]
    assert loaded.variants[3].lettering == "Ciao"
    assert loaded.variants[3].prompt == 'says "Ciao"'


def test_placeholders_are_looked_up_from_the_particular_to_the_general(wants: Load) -> None:
    """Axis before the prompt's vars before the file's vars before `lettering`; a map's axis is its label."""
    loaded = wants(
        """version: 1
defaults: {model: V_2}
vars: {a: file a, b: file b, c: file c}
prompts:
  - id: p
    prompt: "{a}, {b}, {c}, {axis}, {{braces}}, {lettering}"
    vars: {a: prompt a, b: prompt b}
    lettering: HELLO
    matrix: {axis: {one: {vars: {a: axis a}}, two: {campaign: c}}}
"""
    )
    assert [variant.prompt for variant in loaded.variants] == [
        "axis a, prompt b, file c, one, {braces}, HELLO",
        "prompt a, prompt b, file c, two, {braces}, HELLO",
    ]


def test_what_is_filled_in_is_not_filled_again(wants: Load) -> None:
    """Braces that are no placeholder stay as they are in a value."""
    (variant,) = wants("- {id: p, prompt: 'a {x}', vars: {x: 'set {1, 2} and {{}}'}}").variants
    assert variant.prompt == "a set {1, 2} and {{}}"


def test_prompts_are_normalised(wants: Load) -> None:
    """The same letters in another encoding, and folded lines, are the same prompt."""
    loaded = wants('- {id: a, prompt: "cafe\\u0301"}\n- id: b\n  prompt: >\n    café\n')
    assert loaded.variants[0].prompt == loaded.variants[1].prompt == "caf\u00e9"


@pytest.mark.parametrize(
    ("refresh", "edition"), [("daily", "2026-11-22"), ("weekly", "2026-W47"), ("monthly", "2026-11")]
)
def test_refresh_is_an_edition_of_the_period(wants: Load, refresh: str, edition: str) -> None:
    """The edition names the day, the ISO week or the month of `now`."""
    (variant,) = wants(f"- {{id: a, prompt: x, refresh: {refresh}}}").variants
    assert variant.edition == edition


def test_the_period_is_read_from_the_clock_in_the_timezone() -> None:
    """At a Sunday's end in UTC a new day, week and year may have begun elsewhere."""
    now = datetime(2028, 12, 31, 23, 30, tzinfo=UTC)
    assert period("daily", now, UTC) == "2028-12-31"
    assert period("daily", now, ZoneInfo("Europe/Berlin")) == "2029-01-01"
    assert period("weekly", now, UTC) == "2028-W52"
    assert period("weekly", now, timezone(timedelta(hours=1))) == "2029-W01"
    assert period("monthly", now, ZoneInfo("Asia/Tokyo")) == "2029-01"


def test_an_edition_of_the_prompt_displaces_the_default_refresh(wants: Load) -> None:
    """`edition` and `refresh` stand for each other."""
    loaded = wants(
        """version: 1
defaults: {model: V_2, refresh: daily}
prompts: [{id: a, prompt: x, edition: 2}, {id: b, prompt: x}]
"""
    )
    assert [variant.edition for variant in loaded.variants] == ["2", "2026-11-22"]


def test_numbers_are_texts_where_texts_belong(wants: Load) -> None:
    """2027 means 2027: nobody has to quote a year."""
    text = "- {id: a, prompt: 'reads {lettering} in {year}', lettering: 2027, campaign: 2027, "
    (variant,) = wants(text + "tags: [2027], vars: {year: 1999}}").variants
    assert (variant.prompt, variant.lettering, variant.campaign, variant.tags) == (
        "reads 2027 in 1999",
        "2027",
        "2027",
        ("2027",),
    )


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ("{a: A, b: A, c: A}", "1,000,000 variants"),
        ("{a: A, b: A, c: A, d: A, e: A, f: A, g: A, h: A}", "10,000,000,000,000,000 variants"),
    ],
)
def test_a_matrix_of_a_million_is_counted_not_multiplied(refused: Refused, matrix: str, says: str) -> None:
    """The refusal comes before the first combination is made: nobody could wait for the second of these."""
    hundred = "[" + ", ".join(f"v{number}" for number in range(100)) + "]"
    names = "".join(f"{{{name}}}" for name in "abcdefgh" if f"{name}:" in matrix)
    (problem,) = refused(f'- {{id: a, prompt: "{names}", matrix: {matrix.replace("A", hundred)}}}')
    assert says in problem.message
    assert problem.key == "prompts[0].matrix"


def test_seeds_count_towards_the_limit(refused: Refused) -> None:
    """Four hundred labels with a thousand seeds each are four hundred thousand variants."""
    labels = ", ".join(f"v{number}" for number in range(400))
    seeds = ", ".join(map(str, range(1000)))
    (problem,) = refused(f'- {{id: a, prompt: "{{m}}", matrix: {{m: [{labels}]}}, seeds: [{seeds}]}}')
    assert "400,000 variants" in problem.message


def test_the_limit_is_that_of_a_file(refused: Refused) -> None:
    """Several prompts add up; the one that is too many is named."""
    seeds = ", ".join(map(str, range(1000)))
    labels = ", ".join(f"v{number}" for number in range(60))
    one = f'prompt: "{{m}}", matrix: {{m: [{labels}]}}, seeds: [{seeds}]'
    (problem,) = refused(f"- {{id: a, {one}}}\n- {{id: b, {one}}}")
    assert problem.key == "prompts[1].matrix"
    assert problem.line == 5


def test_the_text_of_all_variants_is_bounded(refused: Refused) -> None:
    """Long prompts times many variants would fill the memory: refused on the way."""
    seeds_of = ", ".join(f"v{number}" for number in range(6_000))
    (problem,) = refused(f'- {{id: a, prompt: "{"x" * 9_900} {{m}}", matrix: {{m: [{seeds_of}]}}}}')
    assert f"more than {expand_module.MAX_TEXT // 1_000_000} MB" in problem.message


def test_many_excludes_are_looked_up_not_searched(wants: Load) -> None:
    """Thousands of rows of one shape are one look-up for each combination."""
    labels = [f"v{number}" for number in range(120)]
    rows = ", ".join(f"{{a: {a}, b: {b}}}" for a in labels for b in labels if a != b)
    axis = "[" + ", ".join(labels) + "]"
    loaded = wants(f'- {{id: p, prompt: "{{a}}{{b}}", matrix: {{a: {axis}, b: {axis}, exclude: [{rows}]}}}}')
    assert [variant.name for variant in loaded.variants][:2] == ["p@a=v0,b=v0", "p@a=v1,b=v1"]
    assert len(loaded.variants) == 120


def test_one_slip_spoils_a_thousand_variants_and_is_said_once(refused: Refused) -> None:
    """Complaints belong to places in the file, not to variants."""
    labels = ", ".join(f"v{number}" for number in range(1_000))
    problems = refused(
        f'- {{id: a, prompt: "{{m}}", matrix: {{m: [{labels}]}}, options: {{quality: x}}, lettering: Q}}'
    )
    assert [problem.key for problem in problems] == ["prompts[0].options.quality", "prompts[0].lettering"]


def test_a_long_prompt_is_refused_by_the_length_it_has_when_filled(refused: Refused) -> None:
    """Each model has its own limit."""
    text = f'- {{id: a, prompt: "{{x}} {{x}}", vars: {{x: {"y" * 5_001}}}}}'
    (problem,) = refused(text)
    assert "10,003 characters; ideogram-4-5 takes at most 10,000" in problem.message


def test_expand_raises_for_a_manifest_with_problems() -> None:
    """`expand` alone gives variants or InvalidInput, never some of both."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    manifest, problems = read_manifest("f.yaml", "version: 1\nprompts: [{id: a, prompt: x, model: V_2, z: 1}]")
    assert manifest is not None
    assert problems
    with pytest.raises(InvalidInput) as refusal:
        expand(manifest, now, UTC)
    assert refusal.value.problems == problems
    manifest, _ = read_manifest("f.yaml", "version: 1\nprompts: [{id: a, prompt: x, model: V_2}]")
    assert manifest is not None
    assert [variant.name for variant in expand(manifest, now, UTC)] == ["a"]


def test_expanding_is_pure(wants: Load) -> None:
    """The same text and the same instant give the same variants, in the same order."""
    text = "- {id: a, prompt: '{m}', matrix: {m: [x, y, z]}, seeds: [3, 1, 2], refresh: daily}"
    assert wants(text).variants == wants(text).variants


def test_a_retention_class_comes_from_defaults_prompt_or_axis(wants: Load) -> None:
    """The most particular wins, as with any other key."""
    loaded = wants(
        """\
version: 1
defaults: {model: V_2, retention: work}
prompts:
  - {id: a, prompt: x}
  - {id: b, prompt: x, retention: masters, matrix: {kind: {draft: {retention: scrap}, final: {}}}}
"""
    )
    assert [variant.retention for variant in loaded.variants] == ["work", "scrap", "masters"]
