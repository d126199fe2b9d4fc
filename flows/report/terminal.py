"""A run report in a few lines for a terminal or a log; the last one says what to do next.

Pure, and without colours: whoever prints decides on those.
"""

from __future__ import annotations

from collections.abc import Sequence

from flows.report import words
from flows.report.model import Outcome, RunReport, Trouble

_MAX_PROBLEMS = 20
_ENDINGS = {
    0: "done",
    1: "stopped by a bug",
    2: "refused",
    3: "done, with findings over the gate",
    4: "unfinished",
}


def headline(report: RunReport) -> str:
    """``generate: done, 30 images bought, $1.80 spent, 41 s``; only our own words."""
    ending = _ENDINGS.get(report.exit_code, f"ended with exit code {report.exit_code}")
    return f"{report.flow}: {ending}, {_gist(report)}, {words.duration(report.duration)}"


def _gist(report: RunReport) -> str:
    bought = report.images(Outcome.BOUGHT)
    if bought or report.spent_usd:
        return f"{words.count(bought, 'image')} bought, {words.money(report.spent_usd)} spent"
    return "nothing bought"


def summary_lines(report: RunReport) -> list[str]:
    """The report in short: what came of it, every problem with its remedy, where things are, what next."""
    lines = [headline(report), *_totals(report)]
    if report.orphaned:
        lines.append(f"  {words.count(report.orphaned, 'image')} no longer in the manifest, kept")
    lines += problem_lines(report.problems)
    if report.assets:
        added = f" ({words.size(report.stored_bytes)} added)" if report.stored_bytes else ""
        lines.append(f"images   {words.one_line(report.assets)}{added}")
    if report.history:
        lines.append(f"history  {words.one_line(report.history)}")
    lines.append(f"next     {words.one_line(report.next_step)}")
    return lines


def problem_lines(problems: Sequence[Trouble]) -> list[str]:
    """Two lines a problem: what happened to what and how often, and what to do. Of very many only the first."""
    lines = []
    for trouble in problems[:_MAX_PROBLEMS]:
        often = f" ({trouble.times:,} times)" if trouble.times > 1 else ""
        lines.append(f"! {words.one_line(trouble.subject)}: {words.one_line(trouble.happened)}{often}")
        lines.append(f"    {words.one_line(trouble.remedy)}")
    if len(problems) > _MAX_PROBLEMS:
        lines.append(f"! and {words.count(len(problems) - _MAX_PROBLEMS, 'more problem')}: see the report")
    return lines


def _totals(report: RunReport) -> list[str]:
    """One line an outcome, numbers below each other."""
    rows = [(f"{tally.images:,}", words.money(tally.cost_usd), tally) for tally in report.totals]
    images = max((len(row[0]) for row in rows), default=0)
    costs = max((len(row[1]) for row in rows if row[2].cost_usd), default=0)
    lines = []
    for number, cost, tally in rows:
        noun = "image" if tally.images == 1 else "images"
        price = cost if tally.cost_usd else ""
        lines.append(f"  {tally.outcome.value:<10}  {number:>{images}} {noun:<6}  {price:>{costs}}".rstrip())
    return lines
