"""An audit as JSON, for programs: scores, changes, checks and every finding with its evidence. Pure.

Fields are added, never renamed: `format` moves when a reader has to be told apart. Money is exact, as text.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flows.checks.finding import Finding, Skipped, Verdict
from flows.report.audit.model import Audit, Score, Since, SpendLine
from flows.report.audit.standing import by_brand, changes, counts, overall

FORMAT = 1


def to_json(audit: Audit) -> str:
    """The whole audit, indented, in a stable order, ending in a line break."""
    text = json.dumps(plain(audit), indent=2, ensure_ascii=False, allow_nan=False, default=str)
    # A manifest can spell half a surrogate pair; the file has to be UTF-8 all the same.
    return text.encode("utf-8", "backslashreplace").decode() + "\n"


def plain(audit: Audit) -> dict[str, Any]:
    """The same as plain values."""
    changed = changes(audit)
    since = {finding.finding_id: str(kind) for kind, findings in changed.items() for finding in findings}
    return {
        "format": FORMAT,
        "flow": "audit",
        "audit_id": audit.audit_id,
        "at": _time(audit.at),
        "origin": audit.origin,
        "exit_code": audit.exit_code,
        "gate": audit.gate.word if audit.gate else "never",
        "failing": sorted(audit.failing),
        "score": _score(overall(audit)),
        "brands": [_score(score) for score in by_brand(audit)],
        "findings_by_severity": {severity.word: number for severity, number in counts(audit.findings).items()},
        "changes": {str(kind): len(findings) for kind, findings in changed.items()},
        "compared_with": audit.past[-1].audit_id if audit.past else None,
        "gone": [_finding(finding, str(Since.GONE)) for finding in changed[Since.GONE]],
        "spend": None
        if audit.spend is None
        else {
            "total": _line(audit.spend.total),
            "month": _line(audit.spend.month),
            "campaigns": [_line(line) for line in audit.spend.campaigns],
        },
        "checks": [_check(verdict) for verdict in audit.verdicts],
        "findings": [_finding(one, since[one.finding_id]) for one in (*audit.findings, *audit.waived)],
    }


def _score(score: Score) -> dict[str, Any]:
    return {"brand": score.brand, "score": score.value, "pictures": score.pictures, "clean": score.clean}


def _check(verdict: Verdict) -> dict[str, Any]:
    if isinstance(verdict, Skipped):
        return {"check": verdict.check, "looked_at": None, "skipped": verdict.reason}
    return {"check": verdict.check, "looked_at": verdict.subjects, "skipped": None}


def _finding(finding: Finding, since: str) -> dict[str, Any]:
    return {
        "finding_id": finding.finding_id,
        "code": finding.code,
        "severity": finding.severity.word,
        "since": since,
        "subject": finding.subject,
        "message": finding.message,
        "remedy": finding.remedy,
        "measure": finding.measure,
        "threshold": finding.threshold,
        "unit": finding.unit,
        "image_id": finding.image_id,
        "related_image_id": finding.related_image_id,
        "prompt_id": finding.prompt_id,
        "variant": finding.variant,
        "brand": finding.brand,
        "campaign": finding.campaign,
        "details": dict(finding.details),
    }


def _line(line: SpendLine) -> dict[str, Any]:
    each = line.each_micros
    return {
        "key": line.key,
        "billed": line.billed,
        "kept": line.kept,
        "spent_usd": _dollars(line.micros),
        "per_kept_usd": None if each is None else _dollars(each),
        "in_doubt_usd": _dollars(line.in_doubt_micros),
    }


def _dollars(micros: int) -> str:
    return f"{Decimal(micros) / 1_000_000:f}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
