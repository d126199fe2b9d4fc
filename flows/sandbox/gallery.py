"""Pictures on demand, off the event loop: two at a time, each drawn once, the latest kept within a bound."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from flows.sandbox.renderer import Picture, render

_WORKERS = 2
_CACHE_BYTES = 64 * 2**20


class Gallery:
    """Draws what is asked for. Belongs to one event loop."""

    def __init__(self, detail: Literal["rich", "plain"], cache_bytes: int = _CACHE_BYTES) -> None:
        self._bound = cache_bytes
        self._detail = detail
        self._threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="sandbox-picture")
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self.kept_bytes = 0
        self._drawing: dict[str, asyncio.Future[bytes]] = {}

    async def png(self, key: str, picture: Picture) -> bytes:
        """The picture known under `key`, drawn if it is not at hand."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        drawing = self._drawing.get(key)
        if drawing is None:
            loop = asyncio.get_running_loop()
            drawing = loop.run_in_executor(self._threads, self.draw, picture)
            self._drawing[key] = drawing
            drawing.add_done_callback(lambda done: self._keep(key, done))
        # Shielded: one client that goes away must not take the picture from another that waits for it.
        return await asyncio.shield(drawing)

    def draw(self, picture: Picture) -> bytes:
        """Draws at once, in the calling thread."""
        return render(picture, self._detail)

    def close(self) -> None:
        """Waits for the threads; what is not begun is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _keep(self, key: str, drawing: asyncio.Future[bytes]) -> None:
        del self._drawing[key]
        if drawing.cancelled() or drawing.exception() is not None:
            return
        png = drawing.result()
        self._kept[key] = png
        self.kept_bytes += len(png)
        while self.kept_bytes > self._bound and len(self._kept) > 1:
            self.kept_bytes -= len(self._kept.popitem(last=False)[1])
