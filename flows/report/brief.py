"""What whoever watches runs wants of any report: Prefect's states, results, events and artifacts are made of it.

A report of another flow than generate has a method `brief`; nothing else is asked of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Rows:
    """A table beside the report: `key` names it among the flow's artifacts, `about` says what it shows."""

    key: str
    about: str
    rows: Sequence[Mapping[str, str | int | float]]


@dataclass(frozen=True)
class Brief:
    """A run in short. `headline` is its state's message where it failed, `gist` where it went well.

    `lines` go to the log, `page` is Markdown, `record` the flow's result: JSON for whoever calls it.
    """

    flow: str
    run_id: str
    origin: str
    exit_code: int
    headline: str
    gist: str
    next_step: str
    lines: Sequence[str]
    page: str
    record: Mapping[str, Any]
    tables: Sequence[Rows] = ()


class Told(Protocol):
    """A report that can be told in brief. `where` is the place its Markdown was written to, or nothing."""

    def brief(self, where: str) -> Brief: ...
