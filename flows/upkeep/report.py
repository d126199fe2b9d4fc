"""What a maintain has to say: its account, as words, Markdown and JSON. Writes two files, decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flows.history.compact import Compacted
from flows.history.seal import SealResult
from flows.report import words
from flows.report.ending import MAX_ROWS, Ending, Table
from flows.report.filing import file
from flows.report.markdown import escape
from flows.report.terminal import problem_lines
from flows.upkeep.findings import Condition, Finding
from flows.upkeep.finish import Finished
from flows.upkeep.verify import Verified
from flows.workspace import Workspace

FORMAT = 1
SHOWN = 20
ROWS = 200
# In the order a reader wants to hear of it.
WORSE_FIRST = (Condition.MISSING, Condition.TRUNCATED, Condition.CHANGED, Condition.UNDECODABLE, Condition.FINE)


@dataclass(frozen=True)
class Upkeep:
    """One maintain from start to finish."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    origin: str
    finished: Finished
    sealed: SealResult
    measured: int
    verified: Verified
    stopped: str | None
    assets: str
    history: str
    compacted: Compacted | None = None

    @property
    def exit_code(self) -> int:
        """4 when something is left to do, 3 when pictures turned out damaged, else 0."""
        if self.stopped or self.finished.unfinished or self.finished.doubts:
            return 4
        return 3 if self.verified.damaged else 0

    @property
    def gist(self) -> str:
        """``31 images in order, 7 measured``; damage first."""
        verified = self.verified
        new = [f"{verified.new[one]:,} {_called(one)}" for one in WORSE_FIRST if verified.new[one]]
        known = sum(verified.known.values())
        fine = verified.expected - verified.damaged - known
        parts = [*new, *([f"{known:,} known to be damaged or missing"] if known else [])]
        parts.append(f"{words.count(fine, 'image')} in order")
        if self.finished.recovered:
            parts.append(f"{self.finished.recovered:,} recovered")
        if self.measured:
            parts.append(f"{self.measured:,} measured")
        return ", ".join(parts)

    @property
    def headline(self) -> str:
        """``maintain: done, 31 images in order, 12 s``."""
        ending = {0: "done", 3: "damage found", 4: "unfinished"}[self.exit_code]
        return f"maintain: {ending}, {self.gist}, {words.duration(self.finished_at - self.started_at)}"

    @property
    def next_step(self) -> str:
        """The last line of every run."""
        if self.stopped:
            return "run `ideoflow maintain` again for the rest"
        if self.finished.doubts:
            return "`ideoflow recover` shows what is in doubt and how to settle it"
        if self.finished.unfinished:
            return "run `ideoflow maintain` again, it fetches what is paid for"
        if self.verified.damaged:
            return "put the files back from a backup: the next maintain sees it"
        return "nothing to do"


def _called(condition: Condition) -> str:
    return "found again" if condition is Condition.FINE else str(condition)


def ending(upkeep: Upkeep, where: str) -> Ending:
    """How it ended; `where` is the address of the written report."""
    rows = [
        # Paths are long: at the end they hide nothing.
        {"Condition": _called(one.condition), "Why": one.reason, "Was": str(one.state), "Picture": one.path}
        for one in _sorted(upkeep.verified.findings)
    ]
    about = "Pictures that are not as they were stored, or are again"
    return Ending(
        flow="maintain",
        run_id=upkeep.run_id,
        origin=upkeep.origin,
        exit_code=upkeep.exit_code,
        headline=upkeep.headline,
        gist=upkeep.gist,
        next_step=upkeep.next_step,
        lines=tuple(_lines(upkeep)),
        markdown=markdown(upkeep, max_rows=MAX_ROWS),
        where=where,
        record={"run_id": upkeep.run_id, "exit_code": upkeep.exit_code, "report": where, **_facts(upkeep)},
        tables=(Table("findings", about, rows),) if rows else (),
    )


def published(ws: Workspace, upkeep: Upkeep) -> tuple[Upkeep, str]:
    """Write the report: the account, which says so if that fails, and where its page is."""
    where, trouble = file(
        ws.reports, "maintain", upkeep.started_at, upkeep.run_id, record=to_json(upkeep), page=markdown(upkeep)
    )
    if trouble:
        told = (*upkeep.finished.troubles, trouble)
        upkeep = replace(upkeep, finished=replace(upkeep.finished, troubles=told))
    return upkeep, where


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    """New ones first, the worst of them first."""
    return sorted(findings, key=lambda one: (one.event is None, WORSE_FIRST.index(one.condition), one.path))


def _lines(upkeep: Upkeep) -> Iterable[str]:
    verified, finished = upkeep.verified, upkeep.finished
    yield upkeep.headline
    for what, value in _numbers(upkeep):
        yield f"  {what:<18}{value}"
    findings = _sorted(verified.findings)
    for one in findings[:SHOWN]:
        mark = "+" if one.condition is Condition.FINE else "!"
        known = "" if one.event else ", as known"
        yield f"{mark} {words.one_line(one.path)}: {_called(one.condition)}{known} ({one.reason})"
    if len(findings) > SHOWN:
        yield f"! and {words.count(len(findings) - SHOWN, 'more finding')}: see the report"
    yield from problem_lines(finished.troubles)
    for path in verified.orphans[:5]:
        yield f"? {words.one_line(path)}: no record names it, left alone"
    yield f"next     {upkeep.next_step}"


def _numbers(upkeep: Upkeep) -> list[tuple[str, str]]:
    verified, finished, sealed = upkeep.verified, upkeep.finished, upkeep.sealed
    rows = [("images", f"{verified.expected:,}"), ("read", f"{verified.read:,} ({verified.subset})")]
    rows += [(f"{_called(one)}", f"{number:,}") for one in WORSE_FIRST if (number := verified.new[one])]
    rows += [(f"still {one}", f"{number:,}") for one in WORSE_FIRST if (number := verified.known[one])]
    if verified.orphaned:
        rows.append(
            ("without a record", f"{words.count(verified.orphaned, 'file')}, {words.size(verified.orphaned_bytes)}")
        )
    for name, number in (
        ("recovered", finished.recovered),
        ("unfinished", finished.unfinished),
        ("in doubt", len(finished.doubts)),
        ("sealed", sealed.entries),
        ("measured", upkeep.measured),
    ):
        if number:
            rows.append((name, f"{number:,}"))
    if sealed.held_elsewhere:
        rows.append(("sealed", "by another run, which is at it"))
    if upkeep.compacted is not None:
        rows.append(("compacted", _compacted(upkeep.compacted)))
    return rows


def _compacted(done: Compacted) -> str:
    elsewhere = "another run is writing the history"
    if not done.parts_before:
        return f"not now: {elsewhere}" if done.held_elsewhere else "nothing to merge"
    size = f"{words.size(done.bytes_before)} to {words.size(done.bytes_after)}"
    rest = f"; the rest not now: {elsewhere}" if done.held_elsewhere else ""
    return f"{words.count(done.parts_before, 'file')} to {done.parts_after:,}, {size}, {done.rows:,} rows{rest}"


def markdown(upkeep: Upkeep, *, max_rows: int = ROWS) -> str:
    """The whole report, most urgent first. Tables stop after `max_rows`; the JSON report has more."""
    verified = upkeep.verified
    parts = [f"# {upkeep.headline}", _table(("What", "How many"), _numbers(upkeep))]
    if verified.findings:
        rows = [
            (_called(one.condition), one.reason, "recorded now" if one.event else "known before", one.path)
            for one in _sorted(verified.findings)
        ]
        parts += ["## Not as they were stored", _table(("Condition", "Why", "News", "Picture"), rows, max_rows)]
    troubles = [(one.subject, one.happened, one.remedy) for one in upkeep.finished.troubles]
    troubles += [(one.variant, f"in doubt: {one.why}", "`ideoflow recover`") for one in upkeep.finished.doubts]
    if troubles:
        parts += ["## Not finished", _table(("What", "Why", "What to do"), troubles, max_rows)]
    if verified.orphans:
        parts += [
            "## Without a record",
            "No record of the history names these files. They were left alone.",
            _table(("File",), [(path,) for path in verified.orphans], max_rows),
        ]
    parts.append(f"**Next:** {escape(upkeep.next_step)}")
    facts = [
        ("Run", upkeep.run_id),
        ("Started", words.instant(upkeep.started_at)),
        ("Finished", words.instant(upkeep.finished_at)),
        ("Images", upkeep.assets),
        ("History", upkeep.history),
        ("Exit code", str(upkeep.exit_code)),
    ]
    parts += ["## The run", _table(("Fact", "Value"), facts)]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], max_rows: int = ROWS) -> str:
    shown = [[escape(cell) for cell in row] for row in rows[:max_rows]]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *shown)]
    if len(rows) > max_rows:
        lines += ["", f"… and {words.count(len(rows) - max_rows, 'more row')}: see the JSON report."]
    return "\n".join(lines)


def _facts(upkeep: Upkeep) -> dict[str, Any]:
    verified, finished = upkeep.verified, upkeep.finished
    return {
        "expected": verified.expected,
        "read": verified.read,
        "subset": str(verified.subset),
        "new": {_called(one): verified.new[one] for one in WORSE_FIRST if verified.new[one]},
        "known": {str(one): verified.known[one] for one in WORSE_FIRST if verified.known[one]},
        "orphaned_files": verified.orphaned,
        "orphaned_bytes": verified.orphaned_bytes,
        "recovered": finished.recovered,
        "unfinished": finished.unfinished,
        "in_doubt": len(finished.doubts),
        "sealed": upkeep.sealed.entries,
        "measured": upkeep.measured,
        "compacted_files": upkeep.compacted.parts_before if upkeep.compacted else 0,
        "assets": upkeep.assets,
        "history": upkeep.history,
    }


def to_json(upkeep: Upkeep) -> str:
    """The whole account, for programs."""
    account = {
        "format": FORMAT,
        "flow": "maintain",
        "run_id": upkeep.run_id,
        "origin": upkeep.origin,
        "started_at": upkeep.started_at.astimezone(UTC).isoformat(),
        "finished_at": upkeep.finished_at.astimezone(UTC).isoformat(),
        "exit_code": upkeep.exit_code,
        "next_step": upkeep.next_step,
        **_facts(upkeep),
        "findings": [
            {
                "image_id": one.image_id,
                "variant": one.variant,
                "path": one.path,
                "condition": _called(one.condition),
                "reason": one.reason,
                "was": str(one.state),
                "event": None if one.event is None else str(one.event),
            }
            for one in _sorted(upkeep.verified.findings)
        ],
        "orphans": list(upkeep.verified.orphans),
        "troubles": [
            {"happened": one.happened, "subject": one.subject, "remedy": one.remedy} for one in upkeep.finished.troubles
        ],
    }
    return json.dumps(account, indent=2, ensure_ascii=False) + "\n"
