"""A real S3 API on a free loopback port, printed on stdout; it ends when stdin does.

moto answers as S3 does, If-None-Match included, but looks and puts in two moves. Requests are let in one by one,
so that a conditional put is as atomic here as it is at Amazon's.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    """HTTP/1.1, so that connections are kept, and no line per request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  as werkzeug names it
        pass


def main() -> None:
    """Serve until stdin ends."""
    app = DomainDispatcherApplication(create_backend_app)
    turn = threading.Lock()

    def one_by_one(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with turn:
            return list(app(environ, start))

    server = make_server("127.0.0.1", 0, one_by_one, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
