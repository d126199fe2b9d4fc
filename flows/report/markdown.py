"""A run report as Markdown: read in an editor, on a code host, and as an artifact in Prefect's UI.

Pure. All text that is not ours goes through `escape`, and only ever into a table cell or behind a fixed word,
so that a prompt full of pipes, backticks or tags is shown and never obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from flows.report import words
from flows.report.model import Item, Outcome, RunReport
from flows.report.terminal import headline

_MAX_ROWS = 200
# Entities rather than backslashes: renderers disagree on what a backslash does before a pipe in a table.
_SPECIAL = re.compile(
    r"""
      [&<>|`*\[\]~\\]                     # tags, entities, tables, code, emphasis, links, strike-through
    | (?<![^\W_])_ | _(?![^\W_])          # an underscore, unless letters hold it on both sides
    | (?:(?<=http)|(?<=https)|(?<=ftp)):  # bare addresses become links
    | (?<=www)\.                          # and so do these
    | @(?=[\w-]+\.)                       # and mail addresses
    | \$(?!\d)                            # formulas; an amount of money is none
    """,
    re.VERBOSE | re.IGNORECASE,
)


def escape(text: str) -> str:
    """Text as literal Markdown on one line; an empty one becomes a dash."""
    return _SPECIAL.sub(_entities, words.one_line(text)) or "-"


def _entities(match: re.Match[str]) -> str:
    return "".join(f"&#{ord(char)};" for char in match.group())


def to_markdown(report: RunReport, *, max_rows: int = _MAX_ROWS) -> str:
    """The whole report, most urgent first. Tables stop after `max_rows`; the JSON report has every row."""
    parts = [f"# {headline(report)}", _totals(report)]
    if report.problems:
        rows = [(one.happened, one.subject, f"{one.times:,}", one.remedy) for one in report.problems]
        head = ("What happened", "To what", "Times", "What to do")
        parts += ["## What went wrong", _table(head, rows, max_rows, numbers=(2,))]
    parts.append(f"**Next:** {escape(report.next_step)}")
    if report.changes:
        parts += ["## What changed, and why", _items(report.changes, max_rows)]
    had = [item for item in report.items if item.outcome is Outcome.HAD]
    if had:
        parts += ["## Already there", _items(had, max_rows)]
    parts += ["## The run", _facts(report)]
    return "\n\n".join(parts) + "\n"


def _totals(report: RunReport) -> str:
    rows = [
        (str(tally.outcome), f"{tally.images:,}", words.money(tally.cost_usd) if tally.cost_usd else "")
        for tally in report.totals
    ]
    if not rows:
        return "Nothing was asked for."
    return _table(("Outcome", "Images", "Cost"), rows, len(rows), numbers=(1, 2))


def _items(items: Sequence[Item], max_rows: int) -> str:
    rows = [
        (
            item.variant,
            str(item.outcome),
            f"{item.count:,}",
            words.money(item.cost_usd) if item.cost_usd else "",
            item.reason,
        )
        for item in items
    ]
    return _table(("Variant", "Outcome", "Images", "Cost", "Why"), rows, max_rows, numbers=(2, 3))


def _facts(report: RunReport) -> str:
    read = report.validated
    asked = (
        f"{words.count(read.prompts, 'prompt')}, {words.count(read.variants, 'variant')},"
        f" {words.count(read.images, 'image')} wanted"
    )
    facts = [
        ("Run", report.run_id),
        ("API", report.origin),
        ("Started", words.instant(report.started_at)),
        ("Finished", f"{words.instant(report.finished_at)}, after {words.duration(report.duration)}"),
        ("Manifests", ", ".join(read.manifests)),
        ("Validated", asked),
        ("Spent", words.money(report.spent_usd)),
        ("Stored", words.size(report.stored_bytes)),
        ("Images", report.assets),
        ("History", report.history),
        ("Exit code", str(report.exit_code)),
    ]
    if report.at_risk_usd:
        facts.insert(7, ("In doubt", words.money(report.at_risk_usd)))
    if report.orphaned:
        facts.insert(6, ("No longer in the manifest", f"{words.count(report.orphaned, 'image')}, kept"))
    return _table(("Fact", "Value"), facts, len(facts))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], max_rows: int, *, numbers: Sequence[int] = ()) -> str:
    every = list(rows)
    rule = ["---:" if column in numbers else "---" for column in range(len(head))]
    shown = [[escape(cell) for cell in row] for row in every[:max_rows]]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *shown)]
    if len(every) > max_rows:
        lines += ["", f"… and {words.count(len(every) - max_rows, 'more row')}: see the JSON report."]
    return "\n".join(lines)
