"""A Prefect server of the project's own, for `serve` where none is configured: with its pages, and it remembers.

Its database lies in the project (PREFECT_HOME, else `.prefect`), so that runs and schedules are still there after
a restart. Only one `serve` may have it: two servers on one SQLite file get in each other's way.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from flows.errors import Refused
from flows.orchestrator.child import ServerChild, free_port

FOLDER = ".prefect"
LOG = "server.log"
LOCK = "serve.lock"
REMEDY = "Nothing was scheduled. Should another program use its database, end that first."


@dataclass(frozen=True)
class Served:
    """A server in its time: the address of its API, of its pages, and whether it still lives."""

    api: str
    ui: str
    alive: Callable[[], bool]


@contextlib.contextmanager
def lasting_server(
    environ: MutableMapping[str, str], project: Path, port: int, say: Callable[[str], object]
) -> Iterator[Served]:
    """For the block, a server with pages at `port` (or where there is room), and `environ` pointing Prefect at it.

    To be called before Prefect is imported. Refused while another `serve` has this project's server.
    """
    home = Path(environ.setdefault("PREFECT_HOME", str(project / FOLDER)))
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home / LOCK):
        if not (home / "prefect.db").exists():
            say("starting Prefect, which makes its database first: some ten seconds")
        found = free_port(port)
        if port and found != port:
            say(f"port {port} is taken: Prefect's pages are at {found} this time")
        ui = f"http://127.0.0.1:{found}"
        server = ServerChild({**environ, **_settings(home, ui)}, home / LOG, port=found, with_ui=True)
        try:
            server.ready(REMEDY)
            environ["PREFECT_API_URL"], environ["PREFECT_UI_URL"] = server.url, ui
            yield Served(server.url, ui, lambda: server.alive)
        finally:
            server.end()


def _settings(home: Path, ui: str) -> dict[str, str]:
    return {
        # The pages ask this address for everything, and learn it when the server starts.
        "PREFECT_UI_API_URL": f"{ui}/api",
        # Prefect would copy its pages into its own package, which may belong to somebody else.
        "PREFECT_UI_STATIC_DIRECTORY": str(home / "ui"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # Our truth is in the history: what Prefect remembers of old runs may go, or its file grows for ever.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    }


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the file's lock, which the system takes back from whoever dies."""
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read().strip()
            raise Refused(f"`ideoflow serve` is at work here already (process {who}): end it first") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
