"""What a run has to say, said already: for flows whose account is no list of images bought.

A flow that decides, measures or verifies keeps an account of its own and hands this to whoever shows it: terminal,
Prefect's pages, events. Pure values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Table:
    """One table for Prefect's pages: rows of texts and numbers, `key` in small letters, digits and dashes."""

    key: str
    about: str
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Telling:
    """One run from start to finish, in words.

    `headline` is one line with the outcome, `gist` the outcome alone; `lines` the whole in short for a terminal or a
    log, `markdown` in full. `facts` is what another flow, or an automation, gets: JSON values. `next_step` is the
    one thing to do next.
    """

    flow: str
    run_id: str
    origin: str
    exit_code: int
    headline: str
    gist: str
    lines: tuple[str, ...]
    markdown: str
    next_step: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
