"""The dataset ``findings/``: what earlier audits found and how they scored, and the rows of this one.

A row for every finding that is new, still there, accepted, gone, or unseen because its check did not look; and a row
``audit.score`` for all pictures and for each brand, so that every audit leaves a trace, the one that finds nothing too.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from flows.checks.finding import Finding, Severity
from flows.history.parts import Parts
from flows.ids import canonical_json
from flows.report.audit.model import Audit, Past, Score, Since
from flows.report.audit.standing import by_brand, changes, counts, overall

SCORE = "audit.score"
_OPEN = (Since.NEW, Since.STILL, Since.UNSEEN)
MAX_PAST = 60


def past_audits(parts: Parts, origin: str) -> tuple[Past, ...]:
    """The audits of this origin, the oldest first."""
    columns = ["audit_id", "found_at", "subject", "measure", "details"]
    rows = parts.read(parts.listing("findings"), "findings", columns, pc.field("code") == SCORE)
    found: defaultdict[str, dict[str, Any]] = defaultdict(lambda: {"at": None, "score": None, "brands": {}})
    for row in rows.to_pylist():
        details = json.loads(row["details"] or "{}")
        if details.get("origin") != origin:
            continue
        audit = found[row["audit_id"]]
        audit["at"] = row["found_at"]
        value = None if row["measure"] is None else int(row["measure"])
        if details.get("of") == "all":
            audit["score"] = value
        elif value is not None:
            audit["brands"][details.get("brand") or ""] = value
    every = [Past(name, one["at"], one["score"], one["brands"]) for name, one in found.items()]
    return tuple(sorted(every, key=lambda one: (one.at, one.audit_id))[-MAX_PAST:])


def left_open(parts: Parts, audit_id: str) -> tuple[Finding, ...]:
    """The findings that an audit left open, those included that it could not look at again."""
    mine = (pc.field("audit_id") == audit_id) & pc.field("state").isin([str(since) for since in _OPEN])
    rows = parts.read(parts.listing("findings"), "findings", None, mine)
    found = {row["finding_id"]: _finding(row) for row in rows.to_pylist()}
    return tuple(found[name] for name in sorted(found))


def _finding(row: Mapping[str, Any]) -> Finding:
    names = ("measure", "threshold", "image_id", "related_image_id", "prompt_id", "variant", "brand", "campaign")
    return Finding(
        row["code"],
        Severity[row["severity"].upper()],
        row["subject"],
        row["message"],
        remedy=row["remedy"] or "",
        unit=row["unit"] or "",
        details=json.loads(row["details"] or "{}"),
        **{name: row[name] for name in names},
    )


def rows(audit: Audit) -> Iterator[dict[str, Any]]:
    """The rows of an audit, scores first."""
    yield _score_row(audit, overall(audit), "all")
    for score in by_brand(audit):
        yield _score_row(audit, score, "brand")
    for since, findings in changes(audit).items():
        for finding in findings:
            yield _row(audit.audit_id, audit.at, finding, since)


def _row(audit_id: str, at: datetime, finding: Finding, since: Since) -> dict[str, Any]:
    return {
        "finding_id": finding.finding_id,
        "audit_id": audit_id,
        "found_at": at,
        "check": finding.check,
        "code": finding.code,
        "severity": finding.severity.word,
        "state": str(since),
        "subject": finding.subject,
        "image_id": finding.image_id,
        "related_image_id": finding.related_image_id,
        "prompt_id": finding.prompt_id,
        "variant": finding.variant,
        "brand": finding.brand,
        "campaign": finding.campaign,
        "message": finding.message,
        "remedy": finding.remedy,
        "measure": finding.measure,
        "threshold": finding.threshold,
        "unit": finding.unit,
        "accepted": since is Since.ACCEPTED,
        "details": canonical_json(dict(finding.details)),
    }


def _score_row(audit: Audit, score: Score, of: str) -> dict[str, Any]:
    name = score.brand or ("all pictures" if of == "all" else "no brand")
    mine = [one for one in audit.findings if of == "all" or one.brand == score.brand]
    numbers = {severity.word: number for severity, number in counts(mine).items()}
    details = {
        "of": of,
        "brand": score.brand,
        "origin": audit.origin,
        "pictures": score.pictures,
        "clean": score.clean,
        "findings": numbers,
    }
    value = "nothing to judge" if score.value is None else f"{score.value} of 100"
    return {
        "finding_id": Finding(SCORE, Severity.NOTE, name, "").finding_id,
        "audit_id": audit.audit_id,
        "found_at": audit.at,
        "check": "audit",
        "code": SCORE,
        "severity": None,
        "state": "score",
        "subject": name,
        "brand": score.brand,
        "message": f"{name}: {value}, {score.clean} of {score.pictures} pictures in order",
        "measure": None if score.value is None else float(score.value),
        "unit": "of 100",
        "accepted": False,
        "details": canonical_json(details),
    }
