"""``python -m flows.orchestrator.served PORT --ui|--no-ui``: Prefect's server on loopback, until standard input ends.

It ends with whoever started it: a pipe closes even when its other end is killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main(port: str, pages: str) -> None:
    """Never returns."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    # As typed at a prompt: Prefect's command line is its public face, unlike the modules behind it.
    sys.argv = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", port, pages]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
