"""All checks together: severities from the policy, a crash is a finding, nothing to check is a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.checks.finding import Finding, Ran, Severity, Skipped, Verdict
from flows.checks.policy import AuditPolicy
from flows.checks.rules import RULES
from flows.checks.run import CHECKS, run
from flows.checks.subject import Subject
from flows.documents import parse
from flows.errors import InvalidInput

ROOT = Path(__file__).resolve().parents[2]


def test_an_empty_history_is_no_finding(kit: Any, policy: AuditPolicy) -> None:
    """Every check says why it had nothing to say."""
    verdicts = run(Subject(now=kit.now), policy)
    assert [verdict.check for verdict in verdicts] == list(CHECKS)
    assert all(isinstance(verdict, Skipped) and verdict.reason for verdict in verdicts)


def test_a_sound_history_is_no_finding(kit: Any, policy: AuditPolicy) -> None:
    """A good image, its file, its features, its words: all checks run and find nothing."""
    import numpy as np

    from flows.brand.colour import lab_of

    good = kit.image(lettering="HELLO")
    palette = np.array([[*lab_of("#F5A623"), 0.6], [*lab_of("#FFF4E0"), 0.4]], np.float32)
    verdicts = run(
        kit.subject(
            good,
            features={good.sha256: kit.measured(palette=palette)},
            readings={good.sha256: kit.reading("Hello")},
            files={good.local_path: 1000, "acme/p1_i001.json": 300},
        ),
        policy,
    )
    assert verdicts == [Ran(name, 1) for name in CHECKS]


def test_a_check_that_crashes_is_a_finding_and_the_others_go_on(kit: Any, policy: AuditPolicy) -> None:
    """Its name, its error, an error's severity."""

    def broken(_subject: Subject, _policy: AuditPolicy) -> Verdict:
        raise ZeroDivisionError("nought")

    verdicts = run(kit.subject(), policy, {"palette": broken, "delivery": CHECKS["delivery"]})
    assert isinstance(verdicts[0], Ran)
    (finding,) = verdicts[0].findings
    assert finding.code == "palette.crashed"
    assert finding.severity is Severity.ERROR
    assert "ZeroDivisionError: nought" in finding.message
    assert verdicts[1].check == "delivery"


def test_a_check_can_be_turned_off(kit: Any) -> None:
    """And the report can say so."""
    policy = AuditPolicy.load(parse("duplicates: {enabled: false}", "audit.yaml"))
    verdicts = {verdict.check: verdict for verdict in run(kit.subject(kit.image()), policy)}
    assert isinstance(verdicts["duplicates"], Skipped)
    assert "duplicates.enabled" in verdicts["duplicates"].reason


def test_severities_are_the_policys(kit: Any) -> None:
    """By rule, and for one brand otherwise; off is not told of."""
    policy = AuditPolicy.load(
        parse(
            "severities: {delivery.withheld: note, delivery.lost: off}\n"
            "brands: {acme: {severities: {delivery.withheld: error}}}",
            "audit.yaml",
        )
    )
    images = [
        kit.image(1, status="withheld", state="withheld", local_path=None),
        kit.image(2, status="withheld", state="withheld", local_path=None, brand="nova"),
        kit.image(3, status="lost", state="lost", local_path=None),
    ]
    found = kit.findings(run(kit.subject(*images), policy)[-1])
    assert [finding.severity for finding in found["delivery.withheld"]] == [Severity.ERROR, Severity.NOTE]
    assert "delivery.lost" not in found


def test_a_gate_is_a_severity_and_acceptance_opens_it() -> None:
    """Each brand may have its own; what people accepted fails nothing."""
    policy = AuditPolicy.load(parse("fail_on: error\nbrands: {acme: {fail_on: warning}, nova: {fail_on: never}}", "a"))
    bad = [
        Finding("delivery.withheld", Severity.WARNING, "1", "", brand="acme"),
        Finding("delivery.withheld", Severity.WARNING, "2", "", brand="other"),
        Finding("delivery.lost", Severity.ERROR, "3", "", brand="nova"),
        Finding("delivery.lost", Severity.ERROR, "4", ""),
    ]
    assert policy.failing(bad) == (bad[0], bad[3])
    assert policy.failing(bad, frozenset({bad[3].finding_id})) == (bad[0],)


def test_what_a_brand_does_not_say_is_the_general_rule() -> None:
    """Only what is written differs."""
    policy = AuditPolicy.load(
        parse("palette: {tolerance: 7.0}\nbrands: {acme: {palette: {min_coverage: 0.3}}}", "audit.yaml")
    )
    assert policy.palette_for("acme").tolerance == 7.0
    assert policy.palette_for("acme").min_coverage == 0.3
    assert policy.palette_for("nova") == policy.palette
    assert policy.palette_for(None).min_coverage == 0.1


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("palete: {}", "palete", "`palette`"),
        ("palette: {tolerence: 1.0}", "palette.tolerence", "`tolerance`"),
        ("palette: {min_coverage: 2}", "palette.min_coverage", "at most 1"),
        ("fail_on: warn", "fail_on", "`warning`"),
        ("severities: {palette.off_band: note}", "severities.palette.off_band", "`palette.off_brand`"),
        ("severities: {palette.off_brand: bad}", "severities.palette.off_brand", "not one of"),
        ("brands: {acme: {lexikon: {}}}", "brands.acme.lexikon", "`lexicon`"),
    ],
)
def test_a_slip_in_the_policy_is_told_of_at_its_place(text: str, key: str, says: str) -> None:
    """With the nearest name."""
    with pytest.raises(InvalidInput) as refusal:
        AuditPolicy.load(parse(text, "audit.yaml"))
    (problem,) = refusal.value.problems
    assert problem.key.replace('["', ".").replace('"]', "") == key
    assert says in f"{problem.message} {problem.hint}"
    assert problem.line == 1


def test_the_shipped_policy_is_the_defaults_but_for_its_brands() -> None:
    """The file says every setting, so that people need no other page."""
    shipped = AuditPolicy.load(parse((ROOT / "configs/audit.yaml").read_bytes(), "audit.yaml"))
    written = json.loads(shipped.model_dump_json(exclude={"brands"}))
    assert written == json.loads(AuditPolicy().model_dump_json(exclude={"brands"}))
    text = (ROOT / "configs/audit.yaml").read_text(encoding="utf-8")
    for section in (name for name in CHECKS):
        for field in type(getattr(shipped, section)).model_fields:
            assert f"  {field}:" in text, (section, field)


def test_every_check_can_crash_and_every_rule_belongs_to_a_check() -> None:
    """The table of rules and the list of checks fit."""
    assert {code.partition(".")[0] for code in RULES} == set(CHECKS)
    assert {f"{name}.crashed" for name in CHECKS} <= RULES.keys()
