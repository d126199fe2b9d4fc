"""The whole examination, in the order in which one thing rests on another. One failure never hides the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from flows.doctor import books, deployments, machine, mend, service, storages, verdicts
from flows.doctor.check import Check, bad, odd, ok, skipped
from flows.doctor.validation import validate
from flows.documents import parse
from flows.errors import IdeoflowError, InvalidInput
from flows.report import words
from flows.storage import Storage
from flows.workspace import Workspace

Look = Callable[[], deployments.Server]


def without_project(error: Exception) -> list[Check]:
    """What can be said where the settings cannot be read."""
    rest = [skipped(name, "the settings have to be mended first") for name in ("manifest", "key", "storage", "journal")]
    return [*machine.program(), settings_refused(error), *rest]


def settings_refused(error: Exception) -> Check:
    """The settings, wrong."""
    return bad("settings", _gist(error), "`ideoflow validate` shows every problem with its place")


def examine(ws: Workspace, look: Look | None) -> Iterator[Check]:
    """Every check, as it is done. `look` asks the Prefect server; None where none is configured."""
    yield from machine.program()
    yield ok("settings", f"in order, the project is {ws.settings.project}")
    yield from _guarded("manifest", lambda: [_manifest(ws)])
    yield from _guarded("schemas", lambda: [_schemas(ws)])
    yield from _guarded(service.KEY, lambda: asyncio.run(service.ask(ws)))
    # Before the storages are tried: a first write tidies up, and would hide what a killed run left.
    yield from _guarded("journal", lambda: _books(ws))
    places: tuple[tuple[str, Storage], ...] = (
        ("pictures", ws.assets),
        ("history", ws.history),
        ("reports", ws.reports),
    )
    for name, storage in places:
        yield from _guarded(f"storage ({name})", partial(_storage, ws, name, storage))
    yield from _guarded("disk", lambda: machine.room(ws))
    yield from _guarded("prefect", lambda: _prefect(ws, look))


def _guarded(name: str, find: Callable[[], Iterable[Check]]) -> list[Check]:
    try:
        return list(find())
    except (IdeoflowError, OSError) as error:
        return [bad(name, _gist(error), "")]


def _gist(error: Exception) -> str:
    if isinstance(error, InvalidInput):
        more = len(error.problems) - 1
        return words.one_line(str(error.problems[0]), 200) + (f" (and {more} more)" if more else "")
    return words.one_line(str(error), 400)


def _manifest(ws: Workspace) -> Check:
    try:
        loaded = validate(ws)
    except InvalidInput as error:
        return bad("manifest", _gist(error), "`ideoflow validate` shows every problem with its place and its remedy")
    wanted = words.count(sum(variant.count for variant in loaded.variants), "image")
    if loaded.warnings:
        odd_things = words.count(len(loaded.warnings), "warning")
        return odd(
            "manifest", f"{', '.join(loaded.files)}: {wanted} wanted, {odd_things}", "`ideoflow validate` shows them"
        )
    return ok("manifest", f"{', '.join(loaded.files)}: in order, {wanted} wanted")


def _schemas(ws: Workspace) -> Check:
    stale = mend.stale_schemas(ws)
    if stale:
        said = f"of another version of ideoflow: {', '.join(stale)}"
        return odd("schemas", said, "`ideoflow doctor --fix` writes them anew; editors complete by them")
    return ok("schemas", "what editors complete by is up to date")


def _books(ws: Workspace) -> list[Check]:
    found = books.read(ws)
    return [verdicts.journal(found), verdicts.leftovers(found)]


def _storage(ws: Workspace, name: str, storage: Storage) -> Iterator[Check]:
    tried = storages.attempt(storage, ws.new_id())
    single = ws.settings.storage.single_writer
    yield verdicts.storage(f"storage ({name})", tried, single_writer=single, ledger=name == "history")
    if name == "history" and not tried.trouble:
        yield verdicts.clock("clock (storage)", storages.skew(storage, ws.now), "the storage's")


def _prefect(ws: Workspace, look: Look | None) -> list[Check]:
    if look is None:
        none = "no server is configured (PREFECT_API_URL): flows run without one"
        return [skipped("prefect", none), skipped(deployments.NAME, "there is no server to look at")]
    found = look()
    check = deployments.server(found)
    if found.trouble:
        return [check, skipped(deployments.NAME, "the server did not answer")]
    return [check, *deployments.compare(_file(ws), found.deployments)]


def _file(ws: Workspace) -> tuple[deployments.Deployment, ...] | None:
    path = ws.settings.project / deployments.FILE
    if not path.is_file():
        return None
    document = parse(path.read_bytes(), deployments.FILE)
    try:
        return deployments.wanted(document.data)
    except ValueError as error:
        raise InvalidInput([document.problem((), str(error), "")]) from error
