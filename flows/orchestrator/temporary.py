"""A Prefect server for as long as a run takes, where none is configured.

Prefect brings such a server itself, which hears the Ctrl-C meant for the run, dies of it and leaves the run
waiting; which outlives a run that is killed; and whose complaints while it ends land on the terminal.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping

from flows.orchestrator.child import ServerChild, free_port
from flows.orchestrator.configured import prefect_configured, prefect_home, quieten

LOG = "temporary-server.log"
REMEDY = "Nothing was changed. Go on without Prefect: `ideoflow generate --no-prefect`."


def prefect_ready(
    environ: MutableMapping[str, str] = os.environ, *, say: Callable[[str], object] = lambda _: None
) -> None:
    """From here on Prefect can be imported and flows can be run: quietly, and with a server.

    `say` hears why there is a wait, if there is one. Where Prefect is imported already its settings are read,
    and whoever imported it has chosen them: then this does nothing.
    """
    if "prefect" in sys.modules:
        return
    quieten(environ)
    if not prefect_configured(environ):
        environ["PREFECT_API_URL"] = temporary_server(environ, say)


def temporary_server(environ: Mapping[str, str], say: Callable[[str], object]) -> str:
    """The address of the API of a server that lives as long as this process. Its database is Prefect's own."""
    home = prefect_home(environ)
    home.mkdir(parents=True, exist_ok=True)
    first = not (home / "prefect.db").exists()
    say("starting Prefect" + (", which makes its database first: some ten seconds" if first else ""))
    server = ServerChild(environ, home / LOG, port=free_port(), with_ui=False)
    # Last of all, since what is registered first is called last: Prefect delivers logs and events on leaving.
    atexit.register(server.end)
    server.ready(REMEDY)
    return server.url
