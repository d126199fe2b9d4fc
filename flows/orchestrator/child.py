"""A Prefect server as a child of this process: started, waited for, ended. Used for a run and for `serve` alike.

It has a session of its own, so that a Ctrl-C meant for us does not reach it; it ends when whoever started it does,
however that comes; and it complains into a file.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from flows.errors import Unfinished

START_S = 180.0
END_S = 10.0


class ServerChild:
    """A server of Prefect's on loopback. `url` is its API's address."""

    def __init__(self, environ: Mapping[str, str], log: Path, *, port: int, with_ui: bool) -> None:
        self.url = f"http://127.0.0.1:{port}/api"
        self._log = log
        command = [sys.executable, "-m", "flows.orchestrator.served", str(port), "--ui" if with_ui else "--no-ui"]
        env = {name: value for name, value in environ.items() if name not in {"PREFECT_API_URL", "PREFECT_API_KEY"}}
        # The console that is kept quiet for people is the file here, which is for finding out what went wrong.
        env.pop("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", None)
        with log.open("wb") as file:
            self._process = subprocess.Popen(  # noqa: S603  our own module, by this very Python
                command, stdin=subprocess.PIPE, stdout=file, stderr=file, env=env, start_new_session=True
            )

    def ready(self, remedy: str) -> None:
        """Return once it answers; Unfinished, with what to do about it, when it does not come up."""
        # Not through a proxy: this is our own loopback.
        opener = build_opener(ProxyHandler({}))
        deadline = time.monotonic() + START_S
        while self.alive and time.monotonic() < deadline:
            with contextlib.suppress(URLError, OSError), opener.open(f"{self.url}/health", timeout=5):
                return
            time.sleep(0.1)
        raise Unfinished(f"Prefect's server did not start; its own words are in {self._log}. {remedy}")

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Let it go, and see that it does."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def free_port(wanted: int = 0) -> int:
    """A port of loopback that nobody listens at: the one wanted, if it can be had."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", port))
            found: int = taken.getsockname()[1]
            return found
    raise Unfinished("this machine has no free port on loopback")
