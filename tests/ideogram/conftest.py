"""A scripted server on loopback that lives in the event loop of the test."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import stamina


@dataclass
class Seen:
    """One request as it came over the wire. `port` is the client's, so that connections can be told apart."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    port: int


Answer = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Loopback:
    """A server that answers each request by `answer`, and remembers it."""

    url: str = ""
    port: int = 0
    seen: list[Seen] = field(default_factory=list)

    @staticmethod
    def reply(status: int, body: bytes = b"", **headers: Any) -> Answer:
        """An honest answer; ``x_request_id="r1"`` becomes a header."""

        async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
            fields = {"content-length": len(body)} | headers
            lines = [f"HTTP/1.1 {status} Because"]
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            await writer.drain()

        return answer

    @staticmethod
    def raw(data: bytes, *, close: bool = True, reset: bool = False) -> Answer:
        """Exactly these bytes, and then the end, or silence, or a reset."""

        async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()
            if reset:
                writer.transport.abort()
            elif close:
                writer.close()
            else:
                await asyncio.Event().wait()

        return answer

    @staticmethod
    def in_turn(*answers: Answer) -> Answer:
        """The first answer, then the second, ...; the last one for ever."""
        left = list(answers)

        async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
            await (left.pop(0) if len(left) > 1 else left[0])(seen, writer)

        return answer

    @classmethod
    @contextlib.asynccontextmanager
    async def serve(cls, answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Loopback]:
        """Serve HTTP by `answer`."""
        server = cls()

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.strip().split("\r\n")
                pairs = (line.partition(":")[::2] for line in lines)
                headers = {name.lower(): value.strip() for name, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = first.split(" ")
                seen = Seen(method, target, headers, body, writer.get_extra_info("peername")[1])
                server.seen.append(seen)
                await answer(seen, writer)

        async with cls.listen(converse, tls=tls) as port:
            server.port = port
            server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
            yield server

    @staticmethod
    @contextlib.asynccontextmanager
    async def listen(converse: Conversation, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Hold any conversation at all; yields the port."""
        tasks: set[asyncio.Task[None]] = set()

        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    await converse(reader, writer)
            finally:
                tasks.discard(task)
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

        server = await asyncio.start_server(hold, "127.0.0.1", 0, ssl=tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()


@pytest.fixture
def loopback() -> type[Loopback]:
    """The scripted server."""
    return Loopback


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retries happen, at most three attempts, without their waits."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies and certificates of whoever runs the tests play no part in them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
