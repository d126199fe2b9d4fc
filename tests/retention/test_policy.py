"""The policy file: what it may say, what it is told when it is wrong, and what it says in English."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from flows.errors import InvalidInput
from flows.retention.paragraph import paragraph
from flows.retention.policy import load_policy

ROOT = Path(__file__).resolve().parents[2]


def refused(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as refusal:
        load_policy(text, "retention.yaml")
    return [str(problem) for problem in refusal.value.problems]


def test_the_shipped_policy_is_off_and_says_the_classic_rule() -> None:
    """As a user first meets it."""
    policy = load_policy((ROOT / "configs/retention.yaml").read_bytes(), "configs/retention.yaml")
    assert (policy.enabled, policy.grace, policy.max_fraction) == (False, timedelta(days=7), 0.3)
    assert paragraph(policy) == (
        "The policy is switched off (enabled: false). Were it on: "
        "Pictures tagged master are kept for ever (masters). "
        "Pictures bought from sandbox are kept while they are younger than 7 days (trials). "
        "All other pictures are kept while they are younger than 30 days (everything). "
        "Whatever a rule says, these stay: pictures on hold, approved ones, those dated in the future, sources of a "
        "kept picture, and the newest picture of every prompt. "
        "What goes is trashed first and can be restored for 7 days; then its file is deleted, its record stays. "
        "A run that would trash more than 30% of a brand is refused."
    )


def test_every_rule_has_its_words() -> None:
    """In the order of the file, with what is named by manifests only."""
    text = """\
version: 1
enabled: true
grace: 12h
max_fraction: 1
classes:
  social:
    match: [{campaign: [social-*, ads], brand: helio}, {model: V_2}, {prompt: hero}]
    keep_last: 3
    keep_daily: 1
    keep_weekly: 8
    keep_monthly: 12
    max_total: 1.5TB
    max_images: 1000
    allow_empty: true
  named: {keep_last: 1}
"""
    assert paragraph(load_policy(text, "x")) == (
        "Pictures of the brand helio and of the campaign social-* or ads, made with V_2 or of the prompt hero are "
        "kept while they are among the last 3 of their variant, the newest of the last day that has any of their "
        "variant, the newest of each of the last 8 weeks that has any of their variant, the newest of each of the last "
        "12 months that has any of their variant, within the newest 1.5 TB of the class or among the newest 1,000 "
        "pictures of the class (social). Pictures whose prompt says `retention: named` are kept while they are the "
        "last of their variant (named). Every other picture is kept. Whatever a rule says, these stay: pictures on "
        "hold, approved ones, those dated in the future, sources of a kept picture, and the newest picture of every "
        "prompt (not in social). What goes is trashed first and can be restored for 12 hours; then its file is "
        "deleted, its record stays. A run that would trash more than 100% of a brand is refused."
    )


def test_no_classes_keep_everything() -> None:
    """And say so."""
    assert "everything is kept" in paragraph(load_policy("version: 1\n", "x"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("classes: {}", "`version` is missing"),
        ("version: 2", "retention.yaml:1:10: version: 2 is not one of 1"),
        ("version: 1\ngrace: 7", "retention.yaml:2:8: grace: has no unit\n    Write 7d for days, or 12h, 8w, 2y."),
        ("version: 1\ngrace: 6m", "retention.yaml:2:8: grace: is not a span of time"),
        ("version: 1\ngrace: 900y", "retention.yaml:2:8: grace: is more than a hundred years"),
        ("version: 1\nmax_fraction: 30", "retention.yaml:2:15: max_fraction: must be at most 1.0, not 30"),
        ("version: 1\nmax_fraction: 0", "retention.yaml:2:15: max_fraction: must be more than 0.0, not 0"),
        ("version: 1\nclases: {}", "retention.yaml:2:1: clases: unknown key `clases`\n    Did you mean `classes`?"),
        (
            "version: 1\nclasses:\n  a: {match: all, older_than: 30d}",
            "    Rules say what is kept: keep_within: 30d removes what is older.",
        ),
        (
            "version: 1\nclasses:\n  a: {match: all, keep_last: 0}",
            "retention.yaml:3:30: classes.a.keep_last: must be at least 1, not 0",
        ),
        (
            "version: 1\nclasses:\n  a: {match: all, max_total: 50}",
            "retention.yaml:3:30: classes.a.max_total: has no unit\n    Write 50GB, or a smaller unit.",
        ),
        ("version: 1\nclasses:\n  a: {match: all, max_total: 0GB}", "classes.a.max_total: is not a size"),
        ("version: 1\nclasses:\n  a: {match: every, keep_last: 1}", "classes.a.match: says nothing to match"),
        ("version: 1\nclasses:\n  a: {match: [], keep_last: 1}", "classes.a.match: says nothing to match"),
        ("version: 1\nclasses:\n  a: {match: {}, keep_last: 1}", "classes.a.match: an empty match says nothing"),
        ("version: 1\nclasses:\n  a: {match: {tag: []}, keep_last: 1}", "must not be empty"),
        ("version: 1\nclasses:\n  a: {match: {tag: ' x'}, keep_last: 1}", "must be a name or a pattern"),
        ("version: 1\nclasses:\n  a: {match: {bran: x}, keep_last: 1}", "Did you mean `brand`?"),
        ("version: 1\nclasses:\n  a: {match: all}", "retention.yaml:3:3: classes.a: the class a keeps nothing"),
        ("version: 1\nclasses:\n  a: {match: all, forever: false}", "classes.a: the class a keeps nothing"),
        (
            "version: 1\nclasses:\n  a: {match: all, keep_last: 1}\n  b: {match: {tag: x}, keep_last: 1}",
            "retention.yaml:4:3: classes.b: never reached: a before it matches everything",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(text: str, said: str) -> None:
    """Nothing is guessed in a file that deletes."""
    found = refused(text)
    assert any(said in problem for problem in found), found


def test_all_mistakes_are_told_at_once() -> None:
    """One look, one correction."""
    assert len(refused("version: 1\ngrace: 7\nmax_fraction: 3\nclasses:\n  a: {keep_lst: 1}\n")) == 3


def test_a_class_after_all_may_be_there_for_manifests() -> None:
    """It is reached by its name."""
    text = "version: 1\nclasses:\n  a: {match: all, keep_last: 1}\n  b: {forever: true}\n"
    assert [one.name for one in load_policy(text, "x").classes] == ["a", "b"]


def test_keeping_nothing_can_be_meant() -> None:
    """`keep_within: 0d` is the way to say so; a fraction of each brand still guards it."""
    (one,) = load_policy("version: 1\nclasses: {a: {match: all, keep_within: 0d}}\n", "x").classes
    assert one.keep_within == timedelta()
