"""Every check over one subject: what each says, or why it had nothing to say.

Knows the checks and the policy; a check that fails is a finding, never the end of the audit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from flows.checks import delivery, duplicates, integrity, lettering, metadata, palette
from flows.checks.finding import Finding, Ran, Skipped, Verdict
from flows.checks.policy import AuditPolicy
from flows.checks.rules import found
from flows.checks.subject import Subject

Check = Callable[[Subject, AuditPolicy], Verdict]

CHECKS: Mapping[str, Check] = {
    palette.NAME: palette.check,
    lettering.NAME: lettering.check,
    duplicates.NAME: duplicates.check,
    metadata.NAME: metadata.check,
    integrity.NAME: integrity.check,
    delivery.NAME: delivery.check,
}


def run(subject: Subject, policy: AuditPolicy, checks: Mapping[str, Check] = CHECKS) -> list[Verdict]:
    """The verdict of each check, in the order of the report. Findings have the severity that the policy gives them.

    Findings that people accepted are among them: whoever reports tells them apart by ``subject.accepted``.
    """
    return [_graded(_one(name, check, subject, policy), policy) for name, check in checks.items()]


def _one(name: str, check: Check, subject: Subject, policy: AuditPolicy) -> Verdict:
    if not getattr(policy, name).enabled:
        return Skipped(name, f"turned off in the audit policy ({name}.enabled)")
    try:
        return check(subject, policy)
    except Exception as error:  # noqa: BLE001  the other checks still have something to say
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        message = f"the check could not be carried out: {what}"
        remedy = "This is a fault of ideoflow or of a record it read: report it with the error's text."
        return Ran(name, 0, (found(f"{name}.crashed", name, message, None, remedy=remedy),))


def _graded(verdict: Verdict, policy: AuditPolicy) -> Verdict:
    """Findings as bad as the policy says, those it turns off left out, the worst first."""
    if isinstance(verdict, Skipped):
        return verdict
    graded = [
        replace(finding, severity=severity)
        for finding in verdict.findings
        if (severity := policy.severity(finding.code, finding.brand)) is not None
    ]
    return replace(verdict, findings=tuple(sorted(graded, key=_order)))


def _order(finding: Finding) -> tuple[int, str, str]:
    return -finding.severity, finding.code, finding.subject
