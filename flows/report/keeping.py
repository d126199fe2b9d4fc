"""What a retention run has to say for itself: plain values, and their renderings as Markdown, JSON and lines.

Pure. It adds up and formats; what is kept and why was decided elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flows.report import words
from flows.report.ending import MAX_ROWS, Ending, Table
from flows.report.markdown import escape
from flows.report.model import Trouble

MOST_ROWS = 200
_ORDER = ("purged", "trashed", "restored", "in the trash", "kept")


@dataclass(frozen=True)
class Sum:
    """Pictures of one outcome: how many, how many bytes."""

    images: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Line:
    """Pictures of one outcome, campaign and reason, and the day of the oldest."""

    outcome: str
    campaign: str
    reason: str
    images: int
    bytes: int
    oldest: datetime


@dataclass(frozen=True)
class Example:
    """One picture, and the whole decision on it."""

    image_id: str
    name: str
    says: str


@dataclass(frozen=True)
class KeepingReport:
    """One retention run. `applied` is false where it only shows what would be done; then it changed nothing.

    `sums` is by outcome: purged, trashed, restored, in the trash, kept. `freed` are bytes that are gone from storage.
    """

    run_id: str
    started_at: datetime
    finished_at: datetime
    origin: str
    applied: bool
    policy: str
    paragraph: str
    sums: dict[str, Sum]
    lines: tuple[Line, ...]
    examples: tuple[Example, ...]
    exit_code: int
    next_step: str
    problems: tuple[Trouble, ...] = ()
    notes: tuple[str, ...] = ()
    freed: int = 0
    assets: str = ""
    history: str = ""
    flow: str = field(default="retain")

    def images(self, outcome: str) -> int:
        """Pictures of one outcome."""
        return self.sums.get(outcome, Sum()).images


def ending(report: KeepingReport, where: str) -> Ending:
    """How it ended, for Prefect's states and pages."""
    rows = _table_rows(report)
    return Ending(
        flow=report.flow,
        run_id=report.run_id,
        origin=report.origin,
        exit_code=report.exit_code,
        headline=headline(report),
        gist=gist(report),
        next_step=report.next_step,
        lines=summary(report),
        markdown=to_markdown(report, max_rows=MAX_ROWS),
        where=where,
        record=record(report, where),
        tables=(Table("decisions", gist(report), rows),) if rows else (),
    )


def gist(report: KeepingReport) -> str:
    """``12 trashed, 3 purged, 1,200 kept``."""
    said = [f"{report.images(one):,} {one}" for one in _ORDER if report.images(one)]
    would = "" if report.applied else "nothing changed; would be: "
    return would + (", ".join(said) or "no pictures")


def headline(report: KeepingReport) -> str:
    """``retain: done, 12 trashed, 1,200 kept``."""
    ending = "unfinished" if report.exit_code else ("done" if report.applied else "shown")
    return f"{report.flow}: {ending}, {gist(report)}"


def summary(report: KeepingReport) -> list[str]:
    """The report in short; the last line says what to do next."""
    lines = [headline(report)]
    lines += [
        f"  {one:<12}  {words.count(report.sums[one].images, 'image')}, {words.size(report.sums[one].bytes)}"
        for one in _ORDER
        if report.images(one)
    ]
    lines += [f"! {words.one_line(one.subject)}: {words.one_line(one.happened)}" for one in report.problems[:20]]
    lines += [f"note     {note}" for note in report.notes]
    if report.freed:
        lines.append(f"freed    {words.size(report.freed)}")
    lines.append(f"next     {words.one_line(report.next_step)}")
    return lines


def record(report: KeepingReport, where: str) -> dict[str, Any]:
    """The flow's result: counts of kept, trashed and purged always there."""
    always = dict.fromkeys(("kept", "trashed", "purged"), 0)
    return {
        "run_id": report.run_id,
        "exit_code": report.exit_code,
        "applied": report.applied,
        **always,
        **{one.replace(" ", "_"): found.images for one, found in report.sums.items()},
        "freed_bytes": report.freed,
        "report": where,
        "assets": report.assets,
        "history": report.history,
    }


def _table_rows(report: KeepingReport) -> list[dict[str, str | int | float]]:
    return [
        {
            "Outcome": one.outcome,
            "Campaign": one.campaign or "-",
            "Reason": one.reason,
            "Images": one.images,
            "Size": words.size(one.bytes),
            "Oldest": f"{one.oldest:%Y-%m-%d}",
        }
        for one in report.lines
    ]


def to_markdown(report: KeepingReport, *, max_rows: int = MOST_ROWS) -> str:
    """The whole report, most urgent first."""
    parts = [f"# {escape(headline(report))}", escape_paragraph(report.paragraph)]
    if report.problems:
        rows = [(one.happened, one.subject, one.remedy) for one in report.problems]
        parts += ["## What went wrong", _table(("What happened", "To what", "What to do"), rows, max_rows)]
    parts += [f"- {escape(note)}" for note in report.notes]
    parts.append(f"**Next:** {escape(report.next_step)}")
    found = [(one, report.sums[one]) for one in _ORDER if report.images(one)]
    sums = [(one, f"{total.images:,}", words.size(total.bytes)) for one, total in found]
    if sums:
        parts += ["## In all", _table(("Outcome", "Images", "Size"), sums, max_rows)]
    if report.lines:
        cells = [[str(cell) for cell in row.values()] for row in _table_rows(report)]
        head = ("Outcome", "Campaign", "Reason", "Images", "Size", "Oldest")
        parts += ["## By campaign and reason", _table(head, cells, max_rows)]
    if report.examples:
        shown = [(one.name, one.says, one.image_id) for one in report.examples]
        parts += ["## Decisions", _table(("Picture", "Decision", "Image"), shown, max_rows)]
    facts = [
        ("Run", report.run_id),
        ("Changed anything", "yes" if report.applied else "no"),
        ("Policy", report.policy),
        ("Started", words.instant(report.started_at)),
        ("Finished", words.instant(report.finished_at)),
        ("Freed", words.size(report.freed)),
        ("Images", report.assets),
        ("History", report.history),
        ("Exit code", str(report.exit_code)),
    ]
    parts += ["## The run", _table(("Fact", "Value"), facts, len(facts))]
    return "\n\n".join(parts) + "\n"


def escape_paragraph(text: str) -> str:
    """A long text as literal Markdown."""
    return "\n\n".join(escape(piece) for piece in text.split("\n") if piece)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], max_rows: int) -> str:
    every = list(rows)
    shown = [[escape(cell) for cell in row] for row in every[:max_rows]]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *shown)]
    if len(every) > max_rows:
        lines += ["", f"… and {words.count(len(every) - max_rows, 'more row')}: see the JSON report."]
    return "\n".join(lines)


def to_json(report: KeepingReport) -> str:
    """The whole report for programs, ending in a line break."""
    value = {
        "format": 1,
        "flow": report.flow,
        "run_id": report.run_id,
        "origin": report.origin,
        "started_at": report.started_at.isoformat(),
        "finished_at": report.finished_at.isoformat(),
        "applied": report.applied,
        "exit_code": report.exit_code,
        "next_step": report.next_step,
        "policy": report.policy,
        "paragraph": report.paragraph,
        "totals": {one: {"images": found.images, "bytes": found.bytes} for one, found in report.sums.items()},
        "groups": [
            {
                "outcome": one.outcome,
                "campaign": one.campaign,
                "reason": one.reason,
                "images": one.images,
                "bytes": one.bytes,
                "oldest": one.oldest.isoformat(),
            }
            for one in report.lines
        ],
        "decisions": [{"image_id": one.image_id, "name": one.name, "decision": one.says} for one in report.examples],
        "problems": [
            {"happened": one.happened, "subject": one.subject, "remedy": one.remedy} for one in report.problems
        ],
        "notes": list(report.notes),
        "freed_bytes": report.freed,
        "assets": report.assets,
        "history": report.history,
    }
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode() + "\n"
