"""Locks of the history: one sealer at a time (``history``), one retention run at a time (``retention``).

Breaking the first by mistake doubles rows, which readers drop by id. A lock is taken for abandoned when nothing was
heard of its owner for fifteen minutes: who holds one for longer renews it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from flows.history.owners import is_dead
from flows.history.records import Owner
from flows.storage import Storage

LOCKS = ".locks"


@dataclass(frozen=True)
class _Held:
    owner: Owner
    token: str
    since: datetime


_HELD = TypeAdapter(_Held)


@dataclass(frozen=True)
class Holding:
    """What came of asking for a lock: true while it is held."""

    held: bool
    locks: Storage
    path: str
    mine: bytes

    def __bool__(self) -> bool:
        return self.held

    def renew(self) -> bool:
        """Say that we are still alive; False when somebody else has taken the lock over."""
        if not self.held or self.locks.read(self.path) != self.mine:
            return False
        self.locks.write(self.path, self.mine)
        return True


@dataclass(frozen=True)
class Taken:
    """A lock that somebody holds, or held when they died."""

    name: str
    dead: bool


@contextlib.contextmanager
def lock(storage: Storage, name: str, owner: Owner, *, token: str, now: datetime) -> Iterator[Holding]:
    """Yield a true value while holding the lock of that name below ``.locks``, a false one when another has it.

    `token` makes this holding unique. A lock whose owner is dead is taken over.
    """
    path = f"{name}.lock"
    locks = storage.sub(LOCKS)
    mine = _HELD.dump_json(_Held(owner, token, now))
    held = locks.create(path, mine)
    if not held and _abandoned(locks, path):
        locks.delete([path])
        held = locks.create(path, mine)
    try:
        yield Holding(held, locks, path, mine)
    finally:
        if held and locks.read(path) == mine:
            locks.delete([path])


def _abandoned(locks: Storage, path: str) -> bool:
    found, data = locks.stat(path), locks.read(path)
    if found is None or data is None:
        return True  # just released
    try:
        owner = _HELD.validate_json(data).owner
    except ValidationError:
        owner = None
    return is_dead(owner, found.modified, locks.now())


def taken(storage: Storage) -> list[Taken]:
    """The locks there are. Takes none, breaks none."""
    locks = storage.sub(LOCKS)
    return [
        Taken(stat.path.removesuffix(".lock"), _abandoned(locks, stat.path))
        for stat in locks.list()
        if stat.path.endswith(".lock")
    ]


def release_dead(storage: Storage) -> list[str]:
    """Remove the locks whose owner is dead, as whoever wants one would: their names."""
    locks = storage.sub(LOCKS)
    released = [f"{one.name}.lock" for one in taken(storage) if one.dead and _abandoned(locks, f"{one.name}.lock")]
    locks.delete(released)
    return [name.removesuffix(".lock") for name in released]
