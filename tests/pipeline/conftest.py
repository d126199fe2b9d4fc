"""An event loop whose clock jumps: minutes of waiting in no time, and a deadlock that is seen at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest


class _Jumping(selectors.DefaultSelector):
    """Never waits: tells the loop instead how much time would have passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("deadlock: everybody waits and nothing is due")
        if not ready and timeout:
            self.now += timeout
            if self.now > 1_000_000:
                raise RuntimeError("livelock: days have passed")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """For coroutines that use neither threads nor sockets."""

    def __init__(self) -> None:
        self._clock = _Jumping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


Virtually = Callable[[Coroutine[Any, Any, Any]], tuple[Any, float]]


@pytest.fixture
def virtually() -> Virtually:
    """Runs a coroutine in virtual time: its result, and how many seconds it took."""

    def run(work: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            loop = runner.get_loop()
            began = loop.time()
            return runner.run(work), loop.time() - began

    return run
