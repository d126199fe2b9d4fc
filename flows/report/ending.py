"""How any run of ours ended, as values: for the state, the pages and the event of whoever runs our flows.

The room that makes a report makes its ending too, with a pure function ``(report, where) -> Ending`` such as
`flows.report.campaign.ending`; nobody who shows endings knows what kind of run it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_ROWS = 50
"""Rows of one table: a page of ten thousand images becomes the same few kilobytes as one of ten."""

_VERBS = {0: "finished", 3: "over_gate"}


@dataclass(frozen=True)
class Table:
    """A table to show beside the page: the last part of its key, what it holds, and rows of texts and numbers."""

    key: str
    about: str
    rows: Sequence[Mapping[str, Any]]

    @property
    def few(self) -> list[dict[str, Any]]:
        """The first rows, and one that says how many are left out."""
        rows = [dict(row) for row in self.rows[:MAX_ROWS]]
        if len(self.rows) <= MAX_ROWS:
            return rows
        first = next(iter(rows[0]))
        rest = dict.fromkeys(rows[0], "") | {first: f"… and {len(self.rows) - MAX_ROWS:,} more: see the report"}
        return [*rows, rest]


@dataclass(frozen=True)
class Ending:
    """A run that is over.

    `headline` names the run and says how it ended, `gist` only what came of it; `lines` are the whole summary for
    a log, the last one saying what next. `markdown` is a page of at most `MAX_ROWS` rows a table. `record` is the
    run's result for other programs, `extra` what its event carries besides: JSON both, money as text. `where` is
    the address of the full report, `link` that of a page worth opening in a browser, if there is one.
    """

    flow: str
    run_id: str
    origin: str
    exit_code: int
    headline: str
    gist: str
    next_step: str
    lines: Sequence[str]
    markdown: str
    where: str
    record: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    link: str = ""

    @property
    def verb(self) -> str:
        """The last word of the run's event, as in ``ideoflow.generate.finished``: or ``over_gate``, ``unfinished``."""
        return _VERBS.get(self.exit_code, "unfinished")
