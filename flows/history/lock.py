"""The ``history`` lock: one sealer at a time. Breaking it by mistake doubles rows, which readers drop by id."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from flows.history.owners import is_dead
from flows.history.records import Owner
from flows.storage import Storage


@dataclass(frozen=True)
class _Held:
    owner: Owner
    token: str
    since: datetime


_HELD = TypeAdapter(_Held)


@dataclass(frozen=True)
class Holding:
    """A lock that somebody holds, or held when they died."""

    name: str
    dead: bool


@contextlib.contextmanager
def lock(storage: Storage, name: str, owner: Owner, *, token: str, now: datetime) -> Iterator[bool]:
    """Yield True while holding the lock of that name below ``.locks``, or False when a living process has it.

    `token` makes this holding unique. A lock whose owner is dead is taken over.
    """
    path = f"{name}.lock"
    locks = storage.sub(".locks")
    mine = _HELD.dump_json(_Held(owner, token, now))
    held = locks.create(path, mine)
    if not held and _abandoned(locks, path):
        locks.delete([path])
        held = locks.create(path, mine)
    try:
        yield held
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


def holdings(storage: Storage) -> list[Holding]:
    """The locks there are. Takes none, breaks none."""
    locks = storage.sub(".locks")
    return [
        Holding(stat.path.removesuffix(".lock"), _abandoned(locks, stat.path))
        for stat in locks.list()
        if stat.path.endswith(".lock")
    ]


def release_dead(storage: Storage) -> list[str]:
    """Remove the locks whose owner is dead, as whoever wants one would: their names."""
    locks = storage.sub(".locks")
    released = [f"{one.name}.lock" for one in holdings(storage) if one.dead and _abandoned(locks, f"{one.name}.lock")]
    locks.delete(released)
    return [name.removesuffix(".lock") for name in released]
