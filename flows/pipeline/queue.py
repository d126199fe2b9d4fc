"""Downloads wait here: the link that dies first goes first."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import AsyncIterator
from datetime import datetime


class ByExpiry:
    """So many at a time, the earliest expiry first. For one event loop."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._order = itertools.count()
        self._waiting: list[tuple[datetime, int, asyncio.Future[None]]] = []

    @contextlib.asynccontextmanager
    async def turn(self, expires_at: datetime) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (expires_at, next(self._order), ready))
        self._admit()
        try:
            await ready
        except asyncio.CancelledError:
            if ready.done() and not ready.cancelled():
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        while self._free and self._waiting:
            *_, ready = heapq.heappop(self._waiting)
            if not ready.done():
                self._free -= 1
                ready.set_result(None)
