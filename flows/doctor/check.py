"""What a check says: a verdict, a sentence, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it is. Only BAD stands in the way of a run."""

    OK = "ok"
    ODD = "odd"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `remedy` is what to do, empty where there is nothing to do."""

    name: str
    verdict: Verdict
    said: str
    remedy: str = ""


def ok(name: str, said: str) -> Check:
    """All is well."""
    return Check(name, Verdict.OK, said)


def odd(name: str, said: str, remedy: str) -> Check:
    """It works, and there is something to know."""
    return Check(name, Verdict.ODD, said, remedy)


def bad(name: str, said: str, remedy: str) -> Check:
    """Runs will fail, or cost what they should not."""
    return Check(name, Verdict.BAD, said, remedy)


def skipped(name: str, said: str) -> Check:
    """It was not looked at, and why."""
    return Check(name, Verdict.SKIPPED, said)


def exit_code(checks: Iterable[Check]) -> int:
    """4 while anything is bad."""
    return 4 if any(check.verdict is Verdict.BAD for check in checks) else 0
