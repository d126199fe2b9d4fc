"""How an audit ended: its lines for a terminal, its page for Prefect, its counts for an event. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from flows.checks.finding import Finding
from flows.report import words
from flows.report.audit.evidence import amount
from flows.report.audit.model import Audit, Since
from flows.report.audit.standing import by_brand, changes, counts, overall
from flows.report.audit.wording import about_money, money, tally
from flows.report.ending import MAX_ROWS, Ending, Table
from flows.report.markdown import escape

_MAX_TOLD = 10


def ending(audit: Audit, where: str) -> Ending:
    """How it ended; `where` is the address of the page."""
    return Ending(
        flow="audit",
        run_id=audit.audit_id,
        origin=audit.origin,
        exit_code=audit.exit_code,
        headline=headline(audit),
        gist=gist(audit),
        next_step=next_step(audit),
        lines=summary_lines(audit),
        markdown=to_markdown(audit),
        where=where,
        record=record(audit, where),
        tables=_tables(audit),
        link=where if "://" in where else PurePath(where).as_uri(),
    )


def headline(audit: Audit) -> str:
    """``audit: done, with findings over the gate, 43 of 50 pictures in order, 3 errors and 9 warnings``."""
    return f"audit: done{', with findings over the gate' if audit.failing else ''}, {gist(audit)}"


def gist(audit: Audit) -> str:
    """``43 of 50 pictures in order, 3 errors and 9 warnings``."""
    score = overall(audit)
    pictures = (
        f"{score.clean:,} of {words.count(score.pictures, 'picture')} in order" if score.pictures else "no pictures"
    )
    return f"{pictures}, {tally(audit.findings)}"


def next_step(audit: Audit) -> str:
    """The last line of every run."""
    if audit.failing:
        return "look at the page; mend what fails, or accept what is all right: `ideoflow decide accept ID`"
    if audit.findings:
        return "look at the page; what is all right can be accepted: `ideoflow decide accept ID`"
    return "nothing to mend; look at the pictures on the page"


def summary_lines(audit: Audit) -> list[str]:
    """The audit in short: scores, what fails or is worst, what was not looked at, what next."""
    lines = [headline(audit)]
    scores = [(score.brand or "no brand", score) for score in by_brand(audit)]
    width = max((len(words.one_line(name, 30)) for name, _ in scores), default=0)
    for name, score in scores:
        lines.append(
            f"  {words.one_line(name, 30):<{width}}  {score.value:>3} of 100"
            f"  {score.clean:,} of {words.count(score.pictures, 'picture')} in order"
        )
    if audit.past:
        changed = changes(audit)
        parts = [f"{len(changed[kind]):,} {kind}" for kind in (Since.NEW, Since.GONE, Since.STILL, Since.UNSEEN)]
        lines.append(f"  since {audit.past[-1].at:%Y-%m-%d}: {', '.join(parts)}")
    lines += _told(_worst(audit))
    lines += [f"skipped  {verdict.check}: {words.one_line(verdict.reason)}" for verdict in audit.skipped]
    if audit.spend:
        each = audit.spend.total.each_micros
        cost = f", a kept picture costs {about_money(each)}" if each is not None else ""
        lines.append(f"spent    {money(audit.spend.month.micros)} this month{cost}")
    lines.append(f"next     {next_step(audit)}")
    return lines


def _worst(audit: Audit) -> list[Finding]:
    """What fails the gate, or where nothing does the errors and warnings."""
    failing = [one for one in audit.findings if one.finding_id in audit.failing]
    return failing or [one for one in audit.findings if one.severity.word != "note"]


def _told(findings: Sequence[Finding]) -> list[str]:
    """A line for each of the first, those with one remedy together above it; alike ones of one subject are counted."""
    alike: dict[tuple[str, str], dict[str, list[Finding]]] = {}
    for finding in findings:
        alike.setdefault((finding.code, finding.remedy), {}).setdefault(_about(finding), []).append(finding)
    lines, left = [], _MAX_TOLD
    for (_, remedy), subjects in alike.items():
        if not left:
            break
        for about, found in list(subjects.items())[:left]:
            more = f" (and {len(found) - 1} more like it)" if len(found) > 1 else ""
            lines.append(f"! {about}: {words.one_line(found[0].message)}{more}")
            left -= 1
        lines += [f"    {words.one_line(remedy)}"] if remedy else []
    untold = sum(len(subjects) for subjects in alike.values()) - _MAX_TOLD
    if untold > 0:
        lines.append(f"! and {words.count(untold, 'more finding')} like these: see the page")
    return lines


def _about(finding: Finding) -> str:
    return words.one_line(finding.variant or finding.prompt_id or finding.brand or finding.subject, 80)


def record(audit: Audit, where: str) -> dict[str, Any]:
    """The flow's result and the event's payload: counts and places."""
    changed = changes(audit)
    return {
        "run_id": audit.audit_id,
        "exit_code": audit.exit_code,
        "score": overall(audit).value,
        "brands": {score.brand or "": score.value for score in by_brand(audit)},
        "findings": {severity.word: number for severity, number in counts(audit.findings).items()},
        "failing": len(audit.failing),
        "changes": {str(kind): len(findings) for kind, findings in changed.items()},
        "skipped": [verdict.check for verdict in audit.skipped],
        "report": where,
    }


def to_markdown(audit: Audit) -> str:
    """A page for Prefect: scores, changes, checks. The findings are a table of their own beside it."""
    parts = [f"# {headline(audit)}"]
    rows = [
        (score.brand or "no brand", f"{score.value} of 100", f"{score.clean:,} of {score.pictures:,}")
        for score in by_brand(audit)
    ]
    if rows:
        parts.append(_table(("Brand", "Score", "Pictures in order"), rows))
    if audit.past:
        changed = changes(audit)
        parts.append(
            f"Since {audit.past[-1].at:%Y-%m-%d}: "
            + ", ".join(f"{len(changed[kind]):,} {kind}" for kind in (Since.NEW, Since.GONE, Since.STILL, Since.UNSEEN))
            + "."
        )
    checks = [
        (verdict.check, f"{verdict.subjects:,}", tally(tuple(_open(audit, verdict.findings)))) for verdict in audit.ran
    ]
    checks += [(verdict.check, "-", f"not looked: {verdict.reason}") for verdict in audit.skipped]
    parts += ["## Checks", _table(("Check", "Looked at", "Found"), checks)]
    if audit.spend:
        each = audit.spend.total.each_micros
        cost = f"; a kept picture costs {about_money(each)}" if each is not None else ""
        parts.append(
            f"Spent: {money(audit.spend.month.micros)} this month, {money(audit.spend.total.micros)} in all{cost}."
        )
    parts.append(f"**Next:** {escape(next_step(audit))}")
    return "\n\n".join(parts) + "\n"


def _open(audit: Audit, findings: tuple[Finding, ...]) -> list[Finding]:
    return [one for one in findings if one.finding_id not in audit.accepted]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(escape(cell) for cell in row) for row in rows[:MAX_ROWS])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _tables(audit: Audit) -> list[Table]:
    rows = [
        {
            "Severity": finding.severity.word,
            "Finding": words.one_line(finding.message),
            "About": _about(finding),
            "Measured": "" if finding.measure is None else amount(finding.measure, finding.unit),
            "Threshold": "" if finding.threshold is None else amount(finding.threshold, finding.unit),
            "What to do": words.one_line(finding.remedy),
            "Rule": finding.code,
            "Id": finding.finding_id,
        }
        for finding in audit.findings
    ]
    return [Table("findings", f"Findings: {tally(audit.findings)}", rows)] if rows else []
