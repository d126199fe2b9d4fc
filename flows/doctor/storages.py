"""Rights of a storage, found out by doing: write, read, list, create twice, delete, on an object of our own."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta

from flows.doctor.verdicts import Tried
from flows.errors import StorageTrouble
from flows.storage import LocalStorage, Storage

FOLDER = ".doctor"
BODY = b"ideoflow doctor: may be deleted\n"
OTHER = b"ideoflow doctor: somebody else\n"


def attempt(storage: Storage, token: str) -> Tried:
    """What happens when each is tried in turn. `token` keeps two doctors apart; nothing of it is left behind."""
    room = storage.sub(f"{FOLDER}/{token}")
    tried = _attempt(room, storage.url)
    with contextlib.suppress(StorageTrouble):  # it was told of already
        room.delete([stat.path for stat in room.list()])
    if isinstance(storage, LocalStorage):
        shutil.rmtree(storage.root / FOLDER / token, ignore_errors=True)
        with contextlib.suppress(OSError):  # another doctor's is still in it
            (storage.root / FOLDER).rmdir()
    return tried


def _attempt(room: Storage, where: str) -> Tried:
    exclusive = room.exclusive

    def written() -> bool:
        room.write("probe", BODY)
        return True

    def created() -> bool:
        nonlocal exclusive
        if exclusive:
            first, second = room.create("once", BODY), room.create("once", OTHER)
            exclusive = first and not second
        return True

    def deleted() -> bool:
        room.delete(["probe", "once"])
        return room.read("probe") is None

    steps: tuple[tuple[str, Callable[[], bool], str], ...] = (
        ("write", written, ""),
        ("read", lambda: room.read("probe") == BODY, "it does not read back as it was written"),
        ("list", lambda: "probe" in {stat.path for stat in room.list()}, "what was written is not listed"),
        ("create", created, ""),
        ("delete", deleted, "it is still there"),
    )
    for step, done, otherwise in steps:
        try:
            if not done():
                return Tried(where, step, otherwise)
        except StorageTrouble as trouble:
            return Tried(where, step, str(trouble))
    return Tried(where, exclusive=exclusive)


def skew(storage: Storage, now: Callable[[], datetime]) -> timedelta:
    """How much this machine's clock is ahead of the storage's, at least: the way there and back is left out."""
    before = now()
    theirs = storage.now()
    return apart(before, theirs, now())


def apart(before: datetime, theirs: datetime, after: datetime) -> timedelta:
    """Ours minus theirs, where theirs was read between two looks at ours (to the second, as HTTP tells it)."""
    second = timedelta(seconds=1)
    if before - theirs > second:
        return before - theirs
    if theirs - after > second:
        return after - theirs
    return timedelta(0)
