"""Below the routes: headers that every answer carries, and hanging up without a word."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from email.utils import formatdate

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HANG_UP = "sandbox.hang_up"


class Stamp:
    """Gives every answer an ``x-request-id`` and the `Date` of the sandbox's own clock."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float], entropy: Callable[[int], bytes]) -> None:
        self._app = app
        self._clock = clock
        self._entropy = entropy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = str(uuid.UUID(bytes=self._entropy(16), version=4))
                headers["date"] = formatdate(self._clock(), usegmt=True)
            await send(message)

        await self._app(scope, receive, stamped)


class HungUp:
    """An answer that is no answer: sends `head`, if any, and closes the connection.

    Needs the server to lend the connection (see `server.py`); under any other server it fails loudly.
    """

    def __init__(self, head: list[Message] | None = None) -> None:
        self._head = head or []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        hang_up = scope.get(HANG_UP)
        if hang_up is None:
            raise ConnectionResetError("the sandbox hangs up here")
        for message in self._head:
            await send(message)
        hang_up()
        while (await receive())["type"] != "http.disconnect":
            pass


async def gone(request: Request) -> bool:
    """Whether the client has left."""
    return await request.is_disconnected()
