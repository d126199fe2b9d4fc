"""A run report as JSON, for programs: money as exact decimal strings, times as ISO 8601 in UTC.

Pure. Fields are added, never renamed: `format` moves when a reader has to be told apart.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flows.report.model import RunReport

FORMAT = 1


def to_json(report: RunReport) -> str:
    """The whole report, indented, in a stable order, ending in a line break."""
    text = json.dumps(_plain(report), indent=2, ensure_ascii=False, allow_nan=False)
    # A manifest can spell half a surrogate pair; the file has to be UTF-8 all the same.
    return text.encode("utf-8", "backslashreplace").decode() + "\n"


def _plain(report: RunReport) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "flow": report.flow,
        "run_id": report.run_id,
        "origin": report.origin,
        "started_at": _time(report.started_at),
        "finished_at": _time(report.finished_at),
        "duration_s": round(report.duration.total_seconds(), 3),
        "exit_code": report.exit_code,
        "next_step": report.next_step,
        "validated": {
            "manifests": list(report.validated.manifests),
            "prompts": report.validated.prompts,
            "variants": report.validated.variants,
            "images": report.validated.images,
        },
        "spent_usd": _decimal(report.spent_usd),
        "at_risk_usd": _decimal(report.at_risk_usd),
        "totals": {
            tally.outcome.value: {"images": tally.images, "cost_usd": _decimal(tally.cost_usd)}
            for tally in report.totals
        },
        "items": [
            {
                "variant": item.variant,
                "outcome": item.outcome.value,
                "count": item.count,
                "cost_usd": _decimal(item.cost_usd),
                "reason": item.reason,
            }
            for item in report.items
        ],
        "problems": [
            {
                "happened": trouble.happened,
                "subject": trouble.subject,
                "remedy": trouble.remedy,
                "times": trouble.times,
            }
            for trouble in report.problems
        ],
        "assets": report.assets,
        "history": report.history,
        "stored_bytes": report.stored_bytes,
        "orphaned_images": report.orphaned,
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _decimal(usd: Decimal) -> str:
    """Plain digits: 1E-2 is the same number, but not to everyone who reads JSON."""
    return f"{usd:f}"
