"""Serving the sandbox on loopback: inside this process, or as a program of its own."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from flows.sandbox.app import build_app
from flows.sandbox.config import SandboxConfig
from flows.sandbox.wire import HANG_UP


class _Protocol(H11Protocol):
    """uvicorn's HTTP, which also lends its connection to the faults that hang up."""

    def connection_made(  # type: ignore[override] # as uvicorn narrows it
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        app = self.app

        async def lending(scope: Scope, receive: Receive, send: Send) -> None:
            scope[HANG_UP] = transport.close
            await app(scope, receive, send)

        self.app = lending


@contextmanager
def embedded(config: SandboxConfig, port: int = 0) -> Iterator[str]:
    """Serves from a thread of this process, on a free port unless one is named; gives the base URL.

    No signal handlers, no logging. When the process is killed the state is as sound as when the block ends.
    """
    listener = _listen("127.0.0.1", port)
    try:
        app = build_app(config)
        server = _server(app)
        # The socket listens already: whoever connects before the thread is up simply waits.
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        thread.start()
        try:
            yield _url(listener)
        finally:
            app.state.sandbox.stop()
            server.should_exit = True
            thread.join()
    finally:
        listener.close()


def serve(host: str, port: int, config: SandboxConfig, ready: Callable[[str], object] | None = None) -> None:
    """Serves until SIGINT or SIGTERM, on a loopback address: the key is all that protects it.

    `ready` is told the base URL once connections are taken.
    """
    if host != "localhost" and not _is_loopback(host):
        raise ValueError(f"the sandbox listens on loopback addresses only, not on {host}")
    listener = _listen(host, port)
    try:
        server = _server(build_app(config))
        if ready is not None:
            ready(_url(listener))
        server.run(sockets=[listener])
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """uvicorn's server, which notices within a hundredth of a second that it should end."""

    async def main_loop(self) -> None:
        while not self.should_exit:  # noqa: ASYNC110 - set from a signal handler or from another thread
            await asyncio.sleep(0.01)


def _server(app: Starlette) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            log_level="error",
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns off Nagle's delay only where it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
