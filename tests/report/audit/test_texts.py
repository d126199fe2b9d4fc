"""The audit for programs and for a terminal: JSON, JUnit XML, lines, and its ending for Prefect."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree.ElementTree import fromstring

from flows.checks.finding import Ran
from flows.report.audit.as_json import to_json
from flows.report.audit.ending import ending, summary_lines
from flows.report.audit.junit import to_junit
from flows.report.audit.model import Audit


def test_json_holds_every_finding_and_what_became_of_it(audit: Audit) -> None:
    """Accepted and gone ones too; money is exact, and nothing is left to guess."""
    said = json.loads(to_json(audit))
    assert said["exit_code"] == 3
    assert said["score"] == {"brand": None, "score": 20, "pictures": 5, "clean": 1}
    assert said["changes"] == {"new": 4, "still": 1, "gone": 1, "unseen": 1, "accepted": 1}
    assert {one["code"]: one["since"] for one in said["findings"]} == {
        "lettering.misspelt": "new",
        "metadata.wrong": "new",
        "palette.asked_missing": "new",
        "palette.low_coverage": "still",
        "duplicates.near": "new",
        "integrity.orphaned": "accepted",
    }
    assert [one["code"] for one in said["gone"]] == ["integrity.missing"]
    assert said["spend"]["total"]["spent_usd"] == "0.42"
    assert said["checks"][5]["skipped"] == "turned off in the audit policy (delivery.enabled)"
    assert to_json(audit) == to_json(audit)


def test_junit_fails_what_fails_the_gate_and_nothing_else(audit: Audit) -> None:
    """A suite a check; skipped where it did not look; a check that found nothing passes as one case."""
    suites = fromstring(to_junit(replace(audit, verdicts=(*audit.verdicts, Ran("extra", 3)))))  # noqa: S314  our own
    assert {
        suite.get("name"): (suite.get("tests"), suite.get("failures"), suite.get("skipped")) for suite in suites
    } == {
        "palette": ("2", "0", "0"),
        "lettering": ("1", "1", "0"),
        "duplicates": ("1", "0", "0"),
        "metadata": ("1", "0", "0"),
        "integrity": ("1", "0", "0"),
        "delivery": ("1", "0", "1"),
        "extra": ("1", "0", "0"),
    }
    assert (suites.get("tests"), suites.get("failures"), suites.get("skipped")) == ("8", "1", "1")
    failure = suites.find("testsuite/testcase/failure")
    assert failure is not None
    assert "SOMMER".casefold() in (failure.get("message") or "")


def test_junit_holds_what_xml_can(audit: Audit) -> None:
    """Control characters and halves of surrogate pairs become a sign that they were there."""
    odd = replace(audit.findings[0], message="a\x00b\x1b[31m\ud800c", variant="<v>")
    text = to_junit(replace(audit, verdicts=(Ran("lettering", 1, (odd,)),)))
    (failure,) = fromstring(text).iter("failure")  # noqa: S314  our own
    assert failure.get("message") == "a\ufffdb\ufffd[31m\ufffdc"


def test_the_lines_say_scores_what_fails_and_what_next(audit: Audit) -> None:
    """Only what fails the gate is told at length."""
    assert summary_lines(audit) == [
        "audit: done, with findings over the gate, 1 of 5 pictures in order, 1 error, 3 warnings and 1 note",
        "  helio   25 of 100  1 of 4 pictures in order",
        "  nord     0 of 100  0 of 1 picture in order",
        "  since 2026-11-16: 4 new, 1 gone, 1 still, 1 unseen",
        "! poster: the picture says “somer” for “sommer”",
        "    Reject it.",
        "skipped  delivery: turned off in the audit policy (delivery.enabled)",
        "spent    $0.42 this month, a kept picture costs $0.07",
        "next     look at the page; mend what fails, or accept what is all right: `ideoflow decide accept ID`",
    ]


def test_without_a_gate_broken_the_worst_is_told(audit: Audit) -> None:
    """Errors and warnings; notes are for the page."""
    lines = summary_lines(replace(audit, failing=frozenset()))
    assert lines[0].startswith("audit: done, 1 of 5 pictures in order")
    assert sum(line.startswith("! ") for line in lines) == 4


def test_what_is_alike_is_told_once(audit: Audit) -> None:
    """Of one prompt with one trouble there is one line, with their number; a remedy that many share comes once."""
    one = audit.findings[0]
    many = [
        replace(one, variant=name, subject=f"{name}-{number}")
        for name, times in (("v1", 3), ("v2", 1), *((f"w{n}", 1) for n in range(12)))
        for number in range(times)
    ]
    lines = summary_lines(replace(audit, verdicts=(Ran("lettering", 14, tuple(many)),), failing=frozenset()))
    told = [line for line in lines if line.startswith(("! ", "    "))]
    assert told[0] == f"! v1: {one.message} (and 2 more like it)"
    assert told[1] == f"! v2: {one.message}"
    assert told[10:] == [f"    {one.remedy}", "! and 4 more findings like these: see the page"]


def test_the_ending_is_short_and_plain(audit: Audit) -> None:
    """Its record is JSON, its page has the checks, its table the findings; markup in names stays text."""
    ended = ending(audit, "/reports/page.html")
    assert (ended.flow, ended.exit_code, ended.verb) == ("audit", 3, "over_gate")
    assert ended.link == "file:///reports/page.html"
    record = json.loads(json.dumps(ended.record))
    assert record["findings"] == {"error": 1, "warning": 3, "note": 1}
    assert record["changes"]["new"] == 4
    assert record["score"] == 20
    assert "| palette | 6 | 2 warnings |" in ended.markdown
    assert "| delivery | - | not looked: turned off in the audit policy (delivery.enabled) |" in ended.markdown
    (table,) = ended.tables
    assert [row["Measured"] for row in table.rows][:2] == ["17%", ""]
    assert all(isinstance(cell, str) for row in table.rows for cell in row.values())
    assert ending(replace(audit, failing=frozenset()), "s3://b/p.html").verb == "finished"
    assert ending(audit, "s3://b/p.html").link == "s3://b/p.html"
