"""The governor: never more images in progress than the organisation may have, and none of the places idle.

Places are counted in images, held from before the claim until the generation has ended. Among those waiting the
largest request that fits goes first (small ones fill the gaps behind it); one that was passed over often goes
next whatever its size. A 429 closes the door until one of our own requests ends, or, when none is running,
until a growing pause is over. It also says that others use the organisation's places: from then on only so many
are used as there was room for, and one more is tried now and then, the more seldom the more often it fails.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

PATIENCE = 20
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
SELDOM = 32


@dataclass(eq=False)
class _Waiting:
    images: int
    ready: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    passed_over: int = 0


class Place:
    """Room for one request's images, held until released."""

    def __init__(self, governor: Governor, images: int) -> None:
        self._governor = governor
        self.images = images
        self._held = True
        self._refused = False

    def release(self) -> None:
        """Give the room back; once is enough, more is harmless."""
        if self._held:
            self._held = False
            self._governor._leave(self.images, reopen=not self._refused)  # noqa: SLF001  two halves of one thing

    def refused(self, learned: int | None) -> None:
        """The API answered 429 to this request; `learned` is the limit it named, if any."""
        self._refused = True
        self._governor._close(self.images, learned)  # noqa: SLF001  see release

    def accepted(self) -> None:
        """The API took this request: pauses start small again, and there may be more room than we use."""
        self._governor._took(self.images)  # noqa: SLF001  see release


class Governor:
    """A weighted semaphore that learns its limit. For one event loop.

    `limit` is what the organisation may have; `room` what of it seems to be ours just now.
    """

    def __init__(self, limit: int, random: Callable[[], float] = lambda: 0.5) -> None:
        self.limit = limit
        self.room = limit
        self.in_flight = 0
        self.peak = 0
        self._random = random
        self._waiting: list[_Waiting] = []
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._refusals = 0
        self._streak = 0  # requests taken since the room last changed
        self._step = 1  # how long a streak earns more room
        self._earned = False  # the last change was for the better

    @contextlib.asynccontextmanager
    async def hold(self, images: int) -> AsyncIterator[Place]:
        """Wait for room and hold it until the block ends or the place is released."""
        await self._enter(images)
        place = Place(self, images)
        try:
            yield place
        finally:
            place.release()

    def occupy(self, images: int) -> Place:
        """Count work that is running already, whether or not there is room for it."""
        self._count(images)
        return Place(self, images)

    async def _enter(self, images: int) -> None:
        waiting = _Waiting(images)
        self._waiting.append(waiting)
        self._admit()
        try:
            await waiting.ready
        except asyncio.CancelledError:
            if waiting.ready.done() and not waiting.ready.cancelled():
                self._leave(images, reopen=False)
            else:
                self._admit()  # it may have been the one that all others waited behind
            raise

    def _leave(self, images: int, *, reopen: bool) -> None:
        self.in_flight -= images
        if self._closed and reopen:
            self._open()
        elif self._closed:
            self._pause_if_idle()
        self._admit()

    def _close(self, images: int, learned: int | None) -> None:
        if learned is not None and learned > 0:
            self.limit = min(self.limit, learned)
        self.room = max(1, min(self.room, self.limit, self.in_flight - images))
        if not self._closed:  # of several refusals at once the first says it all
            self._step = min(SELDOM, self._step * 2)
        self._streak, self._earned = 0, False
        self._closed = True

    def _took(self, images: int) -> None:
        self._refusals = 0
        self._streak += 1
        if self.room < self.limit and self._streak >= self._step:
            self.room = min(self.limit, self.room + images)
            if self._earned:
                self._step = max(1, self._step // 2)
            self._streak, self._earned = 0, True
            self._admit()

    def _pause_if_idle(self) -> None:
        """Nothing of ours is running whose end could tell us that there is room again: wait a while instead."""
        if self.in_flight or self._timer:
            return
        pause = PAUSES_S[min(self._refusals, len(PAUSES_S) - 1)] * (0.5 + self._random())
        self._refusals += 1
        self._timer = asyncio.get_running_loop().call_later(pause, self._open)

    def _open(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._closed = False
        self._admit()

    def _count(self, images: int) -> None:
        self.in_flight += images
        self.peak = max(self.peak, self.in_flight)

    def _fits(self, waiting: _Waiting) -> bool:
        # A request larger than a learned limit goes alone: it can only be tried.
        return self.in_flight + waiting.images <= self.room or self.in_flight == 0

    def _admit(self) -> None:
        # Whoever is being cancelled no longer waits, even if its task has not heard of it yet.
        self._waiting = [waiting for waiting in self._waiting if not waiting.ready.done()]
        while self._waiting and not self._closed:
            first = self._waiting[0]
            if first.passed_over >= PATIENCE:
                chosen = first if self._fits(first) else None
            else:
                chosen = max(filter(self._fits, self._waiting), key=lambda w: w.images, default=None)
            if chosen is None:
                return
            for waiting in self._waiting[: self._waiting.index(chosen)]:
                waiting.passed_over += 1
            self._waiting.remove(chosen)
            self._count(chosen.images)
            chosen.ready.set_result(None)
