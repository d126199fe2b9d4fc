"""The ending of a generate run: its report as the state, pages and event of a flow run. Pure."""

from __future__ import annotations

from typing import Any

from flows.report import words
from flows.report.ending import MAX_ROWS, Ending, Table
from flows.report.markdown import to_markdown
from flows.report.model import Outcome, RunReport
from flows.report.terminal import headline, summary_lines

_ALSO = (Outcome.RECOVERED, Outcome.WITHHELD, Outcome.LEFT_OUT)


def ending(report: RunReport, where: str) -> Ending:
    """How it ended; `where` is the address of the written report."""
    tables = []
    if rows := problems(report):
        tables.append(Table("problems", f"What went wrong: {words.count(len(rows), 'problem')}", rows))
    if rows := spend(report):
        tables.append(Table("spend", f"Spent by this run: {words.money(report.spent_usd)}", rows))
    return Ending(
        flow=report.flow,
        run_id=report.run_id,
        origin=report.origin,
        exit_code=report.exit_code,
        headline=headline(report),
        gist=gist(report),
        next_step=report.next_step,
        lines=summary_lines(report),
        markdown=to_markdown(report, max_rows=MAX_ROWS),
        where=where,
        record=record(report, where),
        extra={"at_risk_usd": f"{report.at_risk_usd:f}"},
        tables=tables,
    )


def gist(report: RunReport) -> str:
    """``30 images bought, $1.98``; ``nothing to buy, 30 images there already``."""
    bought = report.images(Outcome.BOUGHT)
    parts = [f"{words.count(bought, 'image')} bought, {words.money(report.spent_usd)}"] if bought else []
    parts += [f"{report.images(also):,} {also}" for also in _ALSO if report.images(also)]
    if not parts:
        return f"nothing to buy, {words.count(report.images(Outcome.HAD), 'image')} there already"
    return ", ".join(parts)


def record(report: RunReport, where: str) -> dict[str, Any]:
    """The flow's result, for whoever calls it from another flow: counts, money as text, places."""
    return {
        "run_id": report.run_id,
        "exit_code": report.exit_code,
        "images": {tally.outcome.value: tally.images for tally in report.totals},
        "spent_usd": f"{report.spent_usd:f}",
        "report": where,
        "assets": report.assets,
        "history": report.history,
    }


def problems(report: RunReport) -> list[dict[str, Any]]:
    """A row for every kind of problem, with how often it happened."""
    return [
        {"What happened": one.happened, "To what": one.subject, "Times": one.times, "What to do": one.remedy}
        for one in report.problems
    ]


def spend(report: RunReport) -> list[dict[str, Any]]:
    """A row for everything that cost something, dearest first. Money is text: a table cell knows no decimals."""
    return [
        {
            "Variant": item.variant,
            "Outcome": str(item.outcome),
            "Images": item.count,
            "Each": words.money(item.cost_usd / item.count) if item.count else "",
            "Cost": words.money(item.cost_usd),
        }
        for item in sorted(report.changes, key=lambda item: -item.cost_usd)
        if item.cost_usd
    ]
