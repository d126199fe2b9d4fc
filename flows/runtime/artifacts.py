"""What a run leaves in the Prefect UI: the report, what went wrong, what it cost.

Artifacts take strings, ints and floats only, and each one is a row in Prefect's database: a report of ten
thousand images becomes the same few kilobytes as one of ten. The whole truth is in the report's own files.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, TypeVar

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

from flows.report import RunReport, Table, Telling, to_markdown, words
from flows.runtime.ending import gist

log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_ROWS = 50
PATIENCE_S = 15.0
_ENTITY = re.compile(r"&#(\d+);")


async def attempt(call: Awaitable[T]) -> T | None:
    """The call's result, or None: a server that is slow, full or gone costs something to look at, not the run."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await call
    except Exception as error:  # noqa: BLE001  see above
        log.warning("Prefect did not answer: %s", str(error) or type(error).__name__)
        return None


async def show_report(report: RunReport | Telling, where: str) -> None:
    """The artifacts of one run, most useful first. Their keys stay the same: the UI keeps the versions.

    When one is not taken, the others are not tried: a server that is away is waited for once.
    """
    text = f"{markdown(report)}\n---\n\nWritten to `{where}`\n"
    kind = report.flow
    if await attempt(acreate_markdown_artifact(text, key=f"{kind}-report", description=gist(report))) is None:
        return
    for table in tables(report):
        if table.rows:
            rows = [dict(row) for row in table.rows]
            await attempt(acreate_table_artifact(rows, key=table.key, description=table.about))


def tables(report: RunReport | Telling) -> tuple[Table, ...]:
    """The tables beside the report, most useful first."""
    if isinstance(report, Telling):
        return tuple(replace(table, rows=tuple(_few([dict(row) for row in table.rows]))) for table in report.tables)
    problems_ = f"What went wrong: {words.count(len(set(report.problems)), 'problem')}"
    spent = f"Spent by this run: {words.money(report.spent_usd)}"
    return (
        Table(f"{report.flow}-problems", problems_, tuple(problems(report))),
        Table(f"{report.flow}-spend", spent, tuple(spend(report))),
    )


def markdown(report: RunReport | Telling) -> str:
    """The report for Prefect's pages, which show numeric entities as they are written but know backslashes."""
    text = report.markdown if isinstance(report, Telling) else to_markdown(report, max_rows=MAX_ROWS)
    return _ENTITY.sub(lambda match: "\\" + chr(int(match[1])), text)


def problems(report: RunReport) -> list[dict[str, Any]]:
    """A row for every different problem, with how often it happened."""
    return _few(
        [
            {"What happened": one.happened, "To what": one.subject, "Times": times, "What to do": one.remedy}
            for one, times in Counter(report.problems).items()
        ]
    )


def spend(report: RunReport) -> list[dict[str, Any]]:
    """A row for everything that cost something, dearest first. Money is text: an artifact knows no decimals."""
    return _few(
        [
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
    )


def _few(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(rows) <= MAX_ROWS:
        return rows
    first = next(iter(rows[0]))
    rest = dict.fromkeys(rows[0], "") | {first: f"… and {len(rows) - MAX_ROWS:,} more: see the report"}
    return [*rows[:MAX_ROWS], rest]
