"""What can happen to an image after it was bought: the vocabulary of ``lifecycle/``.

No row is ever edited. Each aspect of an image is decided by the latest event of that aspect; event ids sort by time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Event(StrEnum):
    """The kinds of lifecycle row."""

    TRASHED = "trashed"
    RESTORED = "restored"
    PURGED = "purged"
    MISSING = "missing"
    CORRUPT = "corrupt"
    FOUND = "found"
    HELD = "held"
    RELEASED = "released"
    APPROVED = "approved"
    REJECTED = "rejected"
    REPLACED = "replaced"
    RELABELLED = "relabelled"
    ACCEPTED = "accepted"
    REPRODUCED = "reproduced"


class State(StrEnum):
    """Where an image is now. `KEPT` is stored and in use; withheld and lost ones never had a file."""

    KEPT = "kept"
    TRASHED = "trashed"
    PURGED = "purged"
    MISSING = "missing"
    CORRUPT = "corrupt"
    WITHHELD = "withheld"
    LOST = "lost"


# The latest event of each aspect decides it.
FILE: Mapping[Event, State] = {
    Event.TRASHED: State.TRASHED,
    Event.RESTORED: State.KEPT,
    Event.PURGED: State.PURGED,
    Event.MISSING: State.MISSING,
    Event.CORRUPT: State.CORRUPT,
    Event.FOUND: State.KEPT,
}
HOLD: Mapping[Event, bool] = {Event.HELD: True, Event.RELEASED: False}
VERDICT: Mapping[Event, str] = {Event.APPROVED: "approved", Event.REJECTED: "rejected"}

WITH_FILE = frozenset({State.KEPT, State.TRASHED})
