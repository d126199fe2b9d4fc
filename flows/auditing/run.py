"""One audit from beginning to end, whoever calls it: the steps in their order, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from flows.auditing import figures, ledger
from flows.auditing.files import publish
from flows.auditing.gather import gather, measure
from flows.checks.policy import AuditPolicy
from flows.checks.run import run
from flows.checks.subject import Subject
from flows.pipeline.kit import Progress, Stop
from flows.report.audit.model import Audit
from flows.stepping import Step, plainly
from flows.workspace import Workspace


async def audit(
    ws: Workspace,
    *,
    step: Step = plainly,
    tell: Callable[[Progress], None] = lambda _: None,
    stop: Stop | None = None,
) -> tuple[Audit, str]:
    """Measure what is new, check everything, write the page and the findings: the audit, and where the page is."""
    stop = Stop() if stop is None else stop  # an unasked Stop is falsy
    policy = ws.audit_policy()
    measuring = await step("measure what is new", measure, ws, policy, tell, stop)
    subject = await step("gather", gather, ws, measuring)
    done = await step("check", check, ws, subject, policy)
    where = await step("write the page", publish, ws, done)
    # The page first: an audit that nobody can read is none, and the next one compares with the last that counts.
    await step("record the findings", record, ws, done)
    return done, where


def check(ws: Workspace, subject: Subject, policy: AuditPolicy) -> Audit:
    """Every check, and what it comes to beside the last audit and the money."""
    verdicts = tuple(run(subject, policy))
    findings = [finding for verdict in verdicts for finding in getattr(verdict, "findings", ())]
    past = ledger.past_audits(ws.parts, ws.settings.origin)
    return Audit(
        audit_id=ws.new_id(),
        at=subject.now,
        origin=ws.settings.origin,
        verdicts=verdicts,
        images=tuple(subject.images),
        gate=policy.gate(),
        failing=frozenset(one.finding_id for one in policy.failing(findings, subject.accepted)),
        accepted=subject.accepted,
        before=ledger.left_open(ws.parts, past[-1].audit_id) if past else (),
        past=past,
        spend=figures.spend(ws),
        brands=subject.brands,
        shown=figures.tones(subject.images, subject.features),
    )


def record(ws: Workspace, audit: Audit) -> str:
    """Append the findings to the history."""
    return ws.parts.write("findings", f"{audit.at:%Y-%m}", ledger.rows(audit))
