"""A Prefect server for as long as a run takes, where none is configured.

Prefect brings such a server itself, which hears the Ctrl-C meant for the run, dies of it and leaves the run
waiting; which outlives a run that is killed; and whose complaints while it ends land on the terminal. This one
has a session of its own, ends when whoever started it does, however that comes, and complains into a file.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import BinaryIO
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from flows.errors import Unfinished
from flows.orchestrator.configured import prefect_configured, prefect_home, quieten

START_S = 180.0
END_S = 10.0
LOG = "temporary-server.log"


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
    port = _free_port()
    with (home / LOG).open("wb") as log:
        server = _start(environ, port, log)
    # Last of all, since what is registered first is called last: Prefect delivers logs and events on leaving.
    atexit.register(_end, server)
    url = f"http://127.0.0.1:{port}/api"
    _await(server, url, home / LOG)
    return url


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _start(environ: Mapping[str, str], port: int, log: BinaryIO) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "flows.orchestrator.served", str(port)]
    env = {name: value for name, value in environ.items() if name not in {"PREFECT_API_URL", "PREFECT_API_KEY"}}
    # The console that is kept quiet for people is the file here, which is for finding out what went wrong.
    env.pop("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", None)
    return subprocess.Popen(  # noqa: S603  our own module, by this very Python
        command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=env, start_new_session=True
    )


def _await(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    # Not through a proxy: this is our own loopback.
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(URLError, OSError), opener.open(f"{url}/health", timeout=5):
            return
        time.sleep(0.1)
    raise Unfinished(
        f"Prefect's server did not start; its own words are in {log}. Nothing was changed. "
        "Go on without Prefect: `ideoflow generate --no-prefect`."
    )


def _end(server: subprocess.Popen[bytes]) -> None:
    if server.stdin is not None:
        server.stdin.close()
    try:
        server.wait(END_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
