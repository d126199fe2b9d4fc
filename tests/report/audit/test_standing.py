"""Scores, and what changed since the last audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flows.checks.finding import Finding, Ran, Severity, Skipped
from flows.checks.subject import Image
from flows.report.audit.model import Audit, Score, Since
from flows.report.audit.standing import by_brand, by_image, changes, counts, overall
from flows.report.audit.wording import facts, gate, lead, verdict, worst


def test_the_score_counts_pictures_in_use_without_error_or_warning(audit: Audit) -> None:
    """Notes do not count, accepted findings neither; trashed and withheld pictures are not in use."""
    assert overall(audit) == Score(None, 5, 1)
    assert overall(audit).value == 20
    assert by_brand(audit) == (Score("helio", 4, 1), Score("nord", 1, 0))


@pytest.mark.parametrize(
    ("pictures", "clean", "value"),
    [(0, 0, None), (1000, 999, 99), (1000, 1, 1), (1000, 0, 0), (1000, 1000, 100), (3, 2, 66)],
)
def test_only_the_whole_is_a_hundred_and_only_none_is_nought(pictures: int, clean: int, value: int | None) -> None:
    """Rounding never says that all is well, or that nothing is."""
    assert Score("x", pictures, clean).value == value


def test_pictures_without_a_brand_come_last(audit: Audit) -> None:
    """Under no name of their own."""
    images = (replace(audit.images[0], brand=None), *audit.images[1:])
    assert [score.brand for score in by_brand(replace(audit, images=images))] == ["helio", "nord", None]


def test_findings_are_new_still_there_gone_unseen_or_accepted(audit: Audit) -> None:
    """Each exactly once, those of a check that did not look among the unseen."""
    changed = changes(audit)
    assert {since: [one.code for one in findings] for since, findings in changed.items()} == {
        Since.NEW: ["lettering.misspelt", "metadata.wrong", "palette.asked_missing", "duplicates.near"],
        Since.STILL: ["palette.low_coverage"],
        Since.GONE: ["integrity.missing"],
        Since.UNSEEN: ["delivery.withheld"],
        Since.ACCEPTED: ["integrity.orphaned"],
    }


def test_what_a_crashed_check_had_found_is_not_gone(audit: Audit, found: Callable[..., Finding]) -> None:
    """It could not look either."""
    crash = Ran("integrity", 0, (found("integrity.crashed", Severity.ERROR, None, "ValueError"),))
    verdicts = (*audit.verdicts[:4], crash, audit.verdicts[5])
    changed = changes(replace(audit, verdicts=verdicts))
    assert [one.code for one in changed[Since.UNSEEN]] == ["integrity.missing", "delivery.withheld"]
    assert changed[Since.GONE] == ()


def test_an_accepted_finding_is_neither_gone_nor_counted(audit: Audit) -> None:
    """It is what a person decided."""
    accepted = replace(audit, accepted=audit.accepted | {one.finding_id for one in audit.before})
    changed = changes(accepted)
    assert changed[Since.GONE] == changed[Since.UNSEEN] == changed[Since.STILL] == ()
    assert "palette.low_coverage" in {one.code for one in changed[Since.ACCEPTED]}


def test_a_finding_told_twice_counts_once(audit: Audit) -> None:
    """Two checks may say the same."""
    again = replace(audit, verdicts=(*audit.verdicts, audit.verdicts[0]))
    assert again.findings == audit.findings
    assert counts(again.findings) == {Severity.ERROR: 1, Severity.WARNING: 3, Severity.NOTE: 1}


def test_a_pair_is_told_at_both_pictures(audit: Audit) -> None:
    """Whichever one looks at."""
    found_at = by_image(audit)
    assert [one.code for one in found_at[audit.images[6].image_id]] == ["duplicates.near"]
    assert [one.code for one in found_at[audit.images[0].image_id]] == ["palette.low_coverage", "duplicates.near"]


def test_the_first_screen_in_words(audit: Audit) -> None:
    """Verdict, lead, gate and figures."""
    changed = changes(audit)
    assert verdict(audit) == "1 of 5 pictures is in order."
    assert lead(audit, changed) == (
        "1 error, 3 warnings and 1 note. Since 16 November: 4 new, 1 gone. Not looked at: delivery."
    )
    assert gate(audit) == "Not passed: 1 error to mend or to accept"
    assert worst(audit)[0][0] == max(one.severity for one in audit.findings)
    assert len(worst(audit)) == 3
    assert sum(number for _, _, number in worst(audit, 9)) == 4, "notes are not among the worst"
    assert [(fact.name, fact.figure, fact.aside) for fact in facts(audit, changed)] == [
        ("New findings", "4", "1 gone, 1 still there"),
        ("Pictures in use", "5", "of 7 images billed"),
        ("Spent this month", "$0.42", "$0.42 in all"),
        ("A kept picture costs", "$0.07", "6 kept of 7 billed"),
    ]


def test_a_clean_first_audit_in_words(audit: Audit, picture: Callable[..., Image]) -> None:
    """Nothing is said of what was not."""
    clean = replace(
        audit, verdicts=(Ran("palette", 2),), images=(picture(1), picture(2)), failing=frozenset(), before=(), past=()
    )
    assert verdict(clean) == "All 2 pictures are in order."
    assert lead(clean, changes(clean)) == "Nothing to mend."
    assert gate(clean) == "Passed: no error"
    assert gate(replace(clean, gate=None)) == "No gate is set: nothing fails this audit"
    assert verdict(replace(clean, images=())) == "No pictures in use yet."
    assert verdict(replace(clean, images=clean.images[:1])) == "The one picture is in order."
    assert lead(replace(clean, past=audit.past), changes(clean)).endswith("Nothing has changed since 16 November.")
    skipped = replace(clean, verdicts=(Skipped("a", "x"), Skipped("b", "y")))
    assert lead(skipped, changes(skipped)).endswith("Not looked at: a and b.")
