"""What a check says: findings, and why it had nothing to say. Knows no picture, no table, no page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from flows.ids import canonical_json, sha256


class Severity(IntEnum):
    """How bad it is; a gate fails a run from one of these on."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """As files and reports spell it."""
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """One thing wrong with one subject.

    `code` is ``check.rule``, such as ``palette.off_brand``; `subject` is what it is about, stable between audits:
    an image id, a digest, a prompt id, ``a+b`` for a pair. `measure` and `threshold` are in `unit`. `details` is
    JSON for the page and for machines (swatches, boxes, words). `remedy` says what to do.
    """

    code: str
    severity: Severity
    subject: str
    message: str
    remedy: str = ""
    measure: float | None = None
    threshold: float | None = None
    unit: str = ""
    image_id: str | None = None
    related_image_id: str | None = None
    prompt_id: str | None = None
    variant: str | None = None
    brand: str | None = None
    campaign: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def check(self) -> str:
        """The check that found it."""
        return self.code.partition(".")[0]

    @property
    def finding_id(self) -> str:
        """The same for the same trouble in every audit: from code and subject, never from measures or words."""
        return sha256(canonical_json([self.code, self.subject]).encode())[:16]


@dataclass(frozen=True)
class Ran:
    """A check that looked at `subjects` things and found what it found."""

    check: str
    subjects: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A check that did not look, and why: not the same as finding nothing."""

    check: str
    reason: str


Verdict = Ran | Skipped
