"""What is wrong with one stored picture, and which event says so. Pure: others look, this decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flows.history.events import Event, State
from flows.report import words


class Condition(StrEnum):
    """How a file compares with its record."""

    FINE = "fine"
    MISSING = "missing"
    TRUNCATED = "truncated"
    CHANGED = "changed"
    UNDECODABLE = "undecodable"


@dataclass(frozen=True)
class Record:
    """What the history says of one stored image."""

    image_id: str
    fingerprint: str
    variant: str
    local_path: str
    bytes: int
    sha256: str
    state: State


@dataclass(frozen=True)
class Seen:
    """What was seen of its file: size in bytes (None: no file), digest (None: not read), why it cannot be decoded."""

    size: int | None
    sha256: str | None = None
    undecodable: str | None = None


@dataclass(frozen=True)
class Finding:
    """One picture that is not as recorded, or is so again. `event` is what was recorded; None where it was known."""

    image_id: str
    variant: str
    path: str
    condition: Condition
    reason: str
    state: State
    event: Event | None


def judge(record: Record, seen: Seen) -> tuple[Condition, str] | None:
    """The file's condition, with the reason in words; None when it was not looked at closely enough to say."""
    if seen.size is None:
        return Condition.MISSING, "there is no such file"
    if seen.size < record.bytes:
        sizes = f"{words.size(seen.size)} of {words.size(record.bytes)}"
        return Condition.TRUNCATED, "the file is empty" if not seen.size else f"the file is cut off: {sizes}"
    if seen.size > record.bytes:
        sizes = f"{words.size(seen.size)} where {words.size(record.bytes)} were stored"
        return Condition.CHANGED, f"the file has grown: {sizes}"
    if seen.sha256 is not None and seen.sha256 != record.sha256:
        return Condition.CHANGED, "the file holds other bytes than were stored"
    if seen.undecodable is not None:
        return Condition.UNDECODABLE, f"it holds what was stored, but {seen.undecodable}"
    return None if seen.sha256 is None else (Condition.FINE, "as it was stored")


def event_of(state: State, condition: Condition) -> Event | None:
    """The event to record: only where the state changes.

    What is in the trash stays there: an event of ours would take it out, and nobody wants it back.
    """
    if condition is Condition.FINE:
        return Event.FOUND if state in {State.MISSING, State.CORRUPT} else None
    if condition is Condition.MISSING:
        return Event.MISSING if state in {State.KEPT, State.CORRUPT} else None
    return Event.CORRUPT if state in {State.KEPT, State.MISSING} else None


def away(expected: int, present: int, listed: int) -> bool:
    """Whether so much is missing that the storage itself must be away: an unmounted disk is not an empty one.

    Also half a bucket is more likely a wrong address, or one that is still being copied, than lost pictures.
    """
    if expected and not listed:
        return True
    return expected - present > 10 and present * 2 < expected
