"""What may be set right without asking: what nobody owns any more, and what is generated. Says what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flows.doctor.books import temporary
from flows.errors import StorageTrouble
from flows.history.lock import release_dead
from flows.report import words
from flows.starter.files import schemas
from flows.storage import LocalStorage
from flows.workspace import Workspace


def mend(ws: Workspace) -> list[str]:
    """Do it: a sentence for each thing done, or tried in vain."""
    done: list[str] = []
    for what, step in (("locks", _locks), ("temporary files", _files), ("schemas", _schemas)):
        done += _tried(what, step, ws)
    return done


def _tried(what: str, step: Callable[[Workspace], list[str]], ws: Workspace) -> list[str]:
    try:
        return step(ws)
    except (StorageTrouble, OSError) as trouble:
        return [f"could not mend the {what}: {trouble}"]


def _locks(ws: Workspace) -> list[str]:
    return [f"removed the lock {name}, whose owner is dead" for name in release_dead(ws.history)]


def _files(ws: Workspace) -> list[str]:
    found = temporary(ws)
    for path in found:
        path.unlink(missing_ok=True)
    return [f"removed {words.count(len(found), 'temporary file')} of killed runs"] if found else []


def _schemas(ws: Workspace) -> list[str]:
    """Whole or not at all, as everything is written."""
    storage = LocalStorage(ws.settings.project)
    stale = stale_schemas(ws)
    for name, text in stale.items():
        storage.write(name, text.encode())
    return [f"wrote {name} anew" for name in stale]


def stale_schemas(ws: Workspace) -> Mapping[str, str]:
    """Generated files of the project that another version of ideoflow wrote, with what they should say."""
    found: dict[str, str] = {}
    for name, text in schemas().items():
        path = ws.settings.project / name
        if path.is_file() and path.read_bytes() != text.encode():
            found[name] = text
    return found
