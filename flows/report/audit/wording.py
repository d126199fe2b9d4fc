"""What an audit comes to, in sentences: the headline of the page, its lead, the gate, the figures. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from flows.checks.finding import Finding, Severity
from flows.report import words
from flows.report.audit.model import Audit, Since
from flows.report.audit.standing import COUNTS, counts, overall


@dataclass(frozen=True)
class Fact:
    """One figure of the first screen."""

    name: str
    figure: str
    aside: str


def day(moment: datetime) -> str:
    """``Monday, 23 November 2026``."""
    return f"{moment.astimezone(UTC):%A, %-d %B %Y}"


def short_day(moment: datetime) -> str:
    """``23 November``."""
    return f"{moment.astimezone(UTC):%-d %B}"


def money(micros: int) -> str:
    """Micro-dollars, exact."""
    return words.money(Decimal(micros) / 1_000_000)


def about_money(micros: int) -> str:
    """Micro-dollars of an average, which would have no end: to a hundredth of a cent."""
    return words.money((Decimal(micros) / 1_000_000).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def tally(findings: tuple[Finding, ...]) -> str:
    """``3 errors, 9 warnings and 4 notes``; ``nothing to mend`` when there are none."""
    parts = [words.count(number, severity.word) for severity, number in counts(findings).items()]
    if not parts:
        return "nothing to mend"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def verdict(audit: Audit) -> str:
    """The headline: how many pictures are in order."""
    score = overall(audit)
    if not score.pictures:
        return "No pictures in use yet."
    if score.clean == score.pictures:
        return (
            "The one picture is in order." if score.pictures == 1 else f"All {score.pictures:,} pictures are in order."
        )
    are = "is" if score.clean == 1 else "are"
    return f"{score.clean:,} of {score.pictures:,} pictures {are} in order."


def worst(audit: Audit, most: int = 3) -> list[tuple[Severity, str, int]]:
    """The rules under which the worst was found, with how often: what a reader of ten seconds takes away."""
    found = Counter((one.severity, one.code) for one in audit.findings if one.severity >= COUNTS)
    told = [(severity, code, number) for (severity, code), number in found.items()]
    return sorted(told, key=lambda one: (-one[0], -one[2], one[1]))[:most]


def lead(audit: Audit, changed: Mapping[Since, tuple[Finding, ...]]) -> str:
    """What was found, what of it is new, and what was not looked at."""
    found = tally(audit.findings)
    sentences = [f"{found[0].upper()}{found[1:]}."]
    if audit.past:
        since = short_day(audit.past[-1].at)
        new, gone = len(changed[Since.NEW]), len(changed[Since.GONE])
        if new or gone:
            sentences.append(f"Since {since}: {_came(new)}, {gone:,} gone.")
        else:
            sentences.append(f"Nothing has changed since {since}.")
    if audit.skipped:
        names = _and([verdict_.check for verdict_ in audit.skipped])
        sentences.append(f"Not looked at: {names}.")
    return " ".join(sentences)


def _came(new: int) -> str:
    return "nothing new" if not new else f"{new:,} new"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def gate(audit: Audit) -> str:
    """Whether the run passes, and by which rule."""
    if audit.failing:
        those = tuple(one for one in audit.findings if one.finding_id in audit.failing)
        return f"Not passed: {tally(those)} to mend or to accept"
    if audit.gate is None:
        return "No gate is set: nothing fails this audit"
    none = [severity.word for severity in sorted(Severity, reverse=True) if severity >= audit.gate]
    return f"Passed: no {' or '.join(none)}"


def facts(audit: Audit, changed: Mapping[Since, tuple[Finding, ...]]) -> list[Fact]:
    """The figures of the first screen, in the order a manager asks for them."""
    found = []
    if audit.past:
        found.append(
            Fact(
                "New findings",
                f"{len(changed[Since.NEW]):,}",
                f"{len(changed[Since.GONE]):,} gone, {len(changed[Since.STILL]):,} still there",
            )
        )
    else:
        found.append(Fact("Findings", f"{len(audit.findings):,}", "this is the first audit"))
    used, every = overall(audit).pictures, len(audit.images)
    found.append(Fact("Pictures in use", f"{used:,}", f"of {words.count(every, 'image')} billed"))
    if audit.spend:
        total, month = audit.spend.total, audit.spend.month
        each = total.each_micros
        found.append(Fact("Spent this month", money(month.micros), f"{money(total.micros)} in all"))
        aside = f"{total.kept:,} kept of {total.billed:,} billed"
        found.append(Fact("A kept picture costs", "-" if each is None else about_money(each), aside))
    return found
