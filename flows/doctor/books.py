"""The journal, its locks, and what killed processes left behind: read as a run reads them, nothing taken."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from flows.doctor.verdicts import Books
from flows.history.lock import taken
from flows.pipeline.doubt import abandoned, doubtful
from flows.storage import LocalStorage, Storage
from flows.storage.local import ABANDONED_S
from flows.workspace import Workspace


def read(ws: Workspace) -> Books:
    """How the books stand."""
    locks = taken(ws.history)
    live = [entry for entry in ws.desk().open(()).live if entry.origin in {None, ws.settings.origin}]
    open_, doubts, orphans = {entry.id for entry in live}, {}, []
    if live:  # only then the storage's clock, which costs a write
        now = ws.history.now()
        book = ws.desk().open(())
        doubts = {name: why for name, why in doubtful(book, now).items() if name in open_}
        orphans = [entry for entry in abandoned(book, now) if entry.id in open_]
    return Books(
        open=len(live),
        waiting=sum(entry.ack is not None and entry.id not in doubts for entry in orphans),
        in_doubt=len(doubts),
        unreadable=sum(entry.request is None for entry in live),
        dead_locks=tuple(lock.name for lock in locks if lock.dead),
        live_locks=tuple(lock.name for lock in locks if not lock.dead),
        leftovers=tuple(str(path) for path in temporary(ws)),
    )


def temporary(ws: Workspace) -> list[Path]:
    """Files that a killed process was writing: an hour old, so that nobody writes at them any more."""
    found: set[Path] = set()
    for storage in (ws.assets, ws.history, ws.reports):
        found.update(_temporary(storage))
    return sorted(found)


def _temporary(storage: Storage) -> Iterator[Path]:
    """Below the root, and below the hidden rooms in it (journal, locks), which are storages of their own."""
    if not isinstance(storage, LocalStorage):
        return
    for pattern in (".tmp/*", ".*/.tmp/*", ".doctor/*/*"):
        for path in storage.root.glob(pattern):
            try:
                if path.is_file() and time.time() - path.stat().st_mtime > ABANDONED_S:
                    yield path
            except FileNotFoundError:  # its owner was alive after all
                continue
