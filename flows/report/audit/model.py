"""What an audit found, as plain frozen values: the one source of the page, the JSON, the XML and the summary.

It knows findings and images; it opens nothing and formats nothing. What follows from it (scores, changes) is
worked out in `standing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from flows.brand.model import Brand
from flows.checks.finding import Finding, Ran, Severity, Skipped, Verdict
from flows.checks.subject import Image


class Since(StrEnum):
    """What became of a finding since the last audit."""

    NEW = "new"
    STILL = "still"
    GONE = "gone"
    UNSEEN = "unseen"  # its check did not look this time, so nobody knows
    ACCEPTED = "accepted"  # a person said that it is all right


@dataclass(frozen=True)
class Score:
    """Pictures in use of one brand, and how many of them are clean: without an error or a warning.

    `brand` None stands for pictures without one, or for all of them together where that is said.
    """

    brand: str | None
    pictures: int
    clean: int

    @property
    def value(self) -> int | None:
        """0 to 100, None where there is nothing to judge. 100 only if all are clean, 0 only if none is."""
        if not self.pictures:
            return None
        rounded = 100 * self.clean // self.pictures
        return max(rounded, 1) if self.clean else 0


@dataclass(frozen=True)
class Past:
    """An earlier audit: its overall score and those of its brands by name (the empty name: no brand)."""

    audit_id: str
    at: datetime
    score: int | None
    brands: Mapping[str, int]


@dataclass(frozen=True)
class SpendLine:
    """What some images cost, in micro-dollars: `billed` images, of which `kept` are pictures on storage."""

    key: str
    billed: int
    kept: int
    micros: int
    in_doubt_micros: int = 0

    @property
    def each_micros(self) -> int | None:
        """What one kept image cost, withheld and lost ones paid along."""
        return round(self.micros / self.kept) if self.kept else None


@dataclass(frozen=True)
class Cap:
    """A cap of the budget, such as ``per month``, in micro-dollars."""

    name: str
    limit_micros: int
    used_micros: int


@dataclass(frozen=True)
class Spend:
    """All that was spent at this origin, then this month alone, then by campaign and by day (ISO dates)."""

    total: SpendLine
    month: SpendLine
    campaigns: tuple[SpendLine, ...] = ()
    days: tuple[SpendLine, ...] = ()
    caps: tuple[Cap, ...] = ()


@dataclass(frozen=True)
class Tone:
    """A colour that the pictures of a brand show, ``#RRGGBB``, and its share of them, 0 to 1."""

    hex: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Audit:
    """One audit. `verdicts` hold every finding, accepted ones too; `failing` are the ids of those over the gate.

    `before` are the findings that the last audit left open; `past` are earlier audits, the oldest first. `gate` is
    the severity from which findings fail the run, None for never. `shown` is what the pictures of a brand show.
    """

    audit_id: str
    at: datetime
    origin: str
    verdicts: tuple[Verdict, ...]
    images: tuple[Image, ...]
    gate: Severity | None
    failing: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    before: tuple[Finding, ...] = ()
    past: tuple[Past, ...] = ()
    spend: Spend | None = None
    brands: Mapping[str, Brand] = field(default_factory=dict)
    shown: Mapping[str, tuple[Tone, ...]] = field(default_factory=dict)

    @cached_property
    def ran(self) -> tuple[Ran, ...]:
        """The checks that looked."""
        return tuple(verdict for verdict in self.verdicts if isinstance(verdict, Ran))

    @cached_property
    def skipped(self) -> tuple[Skipped, ...]:
        """The checks that did not look, and why."""
        return tuple(verdict for verdict in self.verdicts if isinstance(verdict, Skipped))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is to be mended, the worst first: each once, nothing that somebody accepted."""
        return tuple(one for one in self._every if one.finding_id not in self.accepted)

    @cached_property
    def waived(self) -> tuple[Finding, ...]:
        """What is still so, but was accepted."""
        return tuple(one for one in self._every if one.finding_id in self.accepted)

    @cached_property
    def _every(self) -> tuple[Finding, ...]:
        once = {one.finding_id: one for verdict in self.ran for one in verdict.findings}
        return tuple(sorted(once.values(), key=lambda one: (-one.severity, one.code, one.subject)))

    @property
    def exit_code(self) -> int:
        """0, or 3 when something fails the gate."""
        return 3 if self.failing else 0
