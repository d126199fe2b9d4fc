"""Decisions in words: why one picture stays or goes, said only when somebody asks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from flows.report import words
from flows.retention.amounts import in_words, ordinal
from flows.retention.decide import Action, Decisions, Why, age
from flows.retention.facts import Ints
from flows.retention.policy import KeepClass, unknown_class

_MANY = {Why.DAY: ("day", "keep_daily"), Why.WEEK: ("week", "keep_weekly"), Why.MONTH: ("month", "keep_monthly")}
_SHORT = {
    Why.NO_FILE: "no file",
    Why.HELD: "on hold",
    Why.APPROVED: "approved",
    Why.FUTURE: "dated in the future",
    Why.SOURCE: "source of a kept picture",
    Why.NEWEST: "newest of its prompt",
    Why.NO_CLASS: "no class is for it",
    Why.UNKNOWN_CLASS: "its class is unknown",
    Why.FOREVER: "kept for ever",
    Why.WITHIN: "young enough",
    Why.LAST: "among the last of its variant",
    Why.DAY: "newest of a day",
    Why.WEEK: "newest of a week",
    Why.MONTH: "newest of a month",
    Why.TOTAL: "within the class's bytes",
    Why.IMAGES: "within the class's number",
}


def says(decisions: Decisions, row: int) -> str:
    """The whole decision: ``kept: 2nd of the last 3 of hero``."""
    return f"{outcome(decisions, row)}: {'; '.join(reasons(decisions, row))}"


def outcome(decisions: Decisions, row: int) -> str:
    """What becomes of it, in a word or two."""
    trashed = bool(decisions.trashed[row])
    match decisions.action[row]:
        case Action.KEEP:
            return "restored" if trashed else "kept"
        case Action.TRASH:
            return "in the trash" if trashed else "trashed"
        case _:
            return "purged"


def reasons(decisions: Decisions, row: int) -> list[str]:
    """Every reason: all that keep it, or all that would have to and do not."""
    facts = _Facts(decisions, row)
    if decisions.action[row] == Action.KEEP:
        return [facts.keeps(flag) for flag in Why if decisions.why[row] & flag]
    return [*facts.trash(), *facts.goes()]


@dataclass(frozen=True)
class Group:
    """Pictures of one campaign with one reason: the foremost that keeps them, or the rule they go by."""

    campaign: str
    reason: str
    images: int
    bytes: int
    oldest: datetime


def grouped(decisions: Decisions, rows: Ints) -> list[Group]:
    """Rows added up, most bytes first. All of `rows` are of one outcome."""
    if not len(rows):
        return []
    why = decisions.why[rows].astype(np.int64)
    going = bool(decisions.action[rows[0]] != Action.KEEP)
    picked = decisions.images.select(["campaign", "bytes"]).take(rows)
    # The lowest bit is the foremost reason.
    reason = decisions.classes[rows] if going else why & -why
    found = (
        picked.append_column("reason", pa.array(reason))
        .append_column("at", pa.array(decisions.at[rows]))
        .group_by(["campaign", "reason"])
        .aggregate([("bytes", "sum"), ("at", "min"), ("at", "count")])
    )
    groups = [
        Group(
            row["campaign"] or "",
            _rule(decisions.policy.classes[row["reason"]]) if going else _SHORT[Why(row["reason"])],
            row["at_count"],
            row["bytes_sum"] or 0,
            datetime.fromtimestamp(row["at_min"] / 1_000_000, tz=UTC),
        )
        for row in found.to_pylist()
    ]
    return sorted(groups, key=lambda one: (-one.bytes, one.campaign, one.reason))


def rule_of(decisions: Decisions, row: int) -> str:
    """The class and its rules that a picture goes by, short: ``everything: keep_within 30 days``."""
    kind = decisions.classes[row]
    return _rule(decisions.policy.classes[kind]) if kind >= 0 else ""


def _rule(one: KeepClass) -> str:
    return f"{one.name}: {', '.join(limits(one))}"


def limits(one: KeepClass) -> Iterator[str]:
    """The rules of a class as they are written."""
    if one.keep_within is not None:
        yield f"keep_within {in_words(one.keep_within)}"
    for rule in ("keep_last", "keep_daily", "keep_weekly", "keep_monthly", "max_images"):
        if number := getattr(one, rule):
            yield f"{rule} {number:,}"
    if one.max_total:
        yield f"max_total {words.size(one.max_total)}"


def span(length: timedelta) -> str:
    """An age: whole days, or hours while it is younger than two days."""
    return words.count(length.days, "day") if length.days >= 2 else words.count(length // timedelta(hours=1), "hour")


class _Facts:
    """One picture, and what can be said of it."""

    def __init__(self, decisions: Decisions, row: int) -> None:
        self._all, self._row = decisions, row
        kind = decisions.classes[row]
        self._class = decisions.policy.classes[kind] if kind >= 0 else KeepClass("")

    def keeps(self, flag: Why) -> str:
        one, lines, row = self._class, self._all.lines, self._row
        match flag:
            case Why.NO_FILE:
                return f"there is no file to remove ({self._value('state')})"
            case Why.FUTURE:
                return f"dated in the future ({self._day(int(self._all.at[row]))})"
            case Why.NEWEST:
                return f"the newest of {self._value('prompt_id')}"
            case Why.NO_CLASS:
                return "no class of the policy is for it"
            case Why.UNKNOWN_CLASS:
                return unknown_class(self._all.policy, str(self._value("retention")))
            case Why.FOREVER:
                return f"{one.name} is kept for ever"
            case Why.WITHIN:
                return f"{self._age()}, limit {self._limit()}"
            case Why.LAST:
                return f"{ordinal(int(lines.last[row]) + 1)} of the last {one.keep_last:,} of {self._value('variant')}"
            case Why.DAY | Why.WEEK | Why.MONTH:
                return f"the newest of {self._turn(flag)} of {self._value('variant')}"
            case Why.TOTAL:
                return f"within the newest {words.size(one.max_total or 0)} of {one.name}"
            case Why.IMAGES:
                return f"{ordinal(int(lines.images[row]) + 1)} of the newest {one.max_images:,} of {one.name}"
            case _:
                return _SHORT[flag]

    def trash(self) -> Iterator[str]:
        """What is to be said of a picture in the trash before why it is there."""
        if not self._all.trashed[self._row]:
            return
        since: datetime | None = self._value("trashed_at")
        if since is None:
            return
        grace = self._all.policy.grace
        if self._all.action[self._row] == Action.PURGE:
            yield f"in the trash for {span(self._all.now - since)}, grace is {in_words(grace)}"
        else:
            yield f"there since {since:%Y-%m-%d}, removed from {since + grace:%Y-%m-%d} on"

    def goes(self) -> Iterator[str]:
        """What every rule of its class says against it."""
        one, lines, row = self._class, self._all.lines, self._row
        variant, rejected = self._value("variant"), self._value("verdict") == "rejected"
        if one.keep_within is not None:
            yield f"{self._age()}, limit {self._limit()}"
        if one.keep_last is not None and rejected:
            yield f"rejected, not counted among the last {one.keep_last:,} of {variant}"
        elif one.keep_last is not None:
            yield f"{ordinal(int(lines.last[row]) + 1)} of {variant}, the last {one.keep_last:,} are kept"
        for period, rule in _MANY.values():
            if number := getattr(one, rule):
                yield f"not the newest of one of the last {words.count(number, period)} with any of {variant}"
        if one.max_total is not None:
            yield f"beyond the newest {words.size(one.max_total)} of {one.name}"
        if one.max_images is not None:
            yield f"{ordinal(int(lines.images[row]) + 1)} of {one.name}, the newest {one.max_images:,} are kept"

    def _turn(self, flag: Why) -> str:
        period, rule = _MANY[flag]
        turn, number = int(self._all.lines.turns[period][self._row]) + 1, getattr(self._class, rule)
        return f"its {period}, {ordinal(turn)} of the last {words.count(number, period)} with any"

    def _age(self) -> str:
        return f"{span(age(self._all, self._row))} old"

    def _limit(self) -> str:
        return in_words(self._class.keep_within or timedelta())

    def _value(self, column: str) -> Any:
        return self._all.images[column][self._row].as_py()

    def _day(self, at: int) -> str:
        return f"{datetime.fromtimestamp(at / 1_000_000, tz=UTC):%Y-%m-%d}"
