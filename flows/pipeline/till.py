"""The till: who wants to spend asks here before a claim, and once more when the claim is on storage.

A claim is the reservation. What everybody has spent is looked at anew every 30 seconds and, when little is left below
a cap, after every claim: a cap that is now exceeded voids the claim, and nothing is sent. Two runs that claim at the
same time then see each other, because each looks after its own claim is on storage.

How far a cap can be passed: by what *other* processes claimed between our last look and our sending, that is in at
most 30 seconds while plenty was left (a fifth of the cap and twenty requests), and by nothing while little was. And by
what cannot be known before: a request that turns out dearer than its price.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from flows.budget.limits import Booking, Budget, Cap, Spent

LOOK_S = 30.0


@dataclass(frozen=True)
class Short:
    """There is no room below a cap."""

    cap: Cap
    words: str


class Till:
    """The caps of one run, kept together with everybody else who buys for the same history. Thread-safe.

    `look` tells what everybody has spent on a day and in its month, in micro-dollars; it may take a while, and raise
    what reading a history raises.
    """

    def __init__(
        self,
        budget: Budget,
        look: Callable[[date], tuple[int, int]],
        now: Callable[[], datetime],
        uptime: Callable[[], float],
    ) -> None:
        self.budget = budget
        self._look = look
        self._now = now
        self._uptime = uptime
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._looked_at: float | None = None
        self._full: int | None = None

    @property
    def looks(self) -> bool:
        """Whether asking may have to wait for a look at what others spent."""
        return self.budget.caps.shared

    def admit(self, micros: int, images: int) -> Booking | Short:
        """Set money aside for a request, or say which cap is in the way."""
        if not self._current():
            self._refresh()
        short = self._try(micros, images)
        if isinstance(short, Booking) or short.cap not in (Cap.DAY, Cap.MONTH):
            return short
        with self._lock:
            certain = self._full is not None and micros >= self._full
        if not certain:  # others may have freed some since we looked
            self._refresh()
            short = self._try(micros, images)
            if isinstance(short, Short):
                with self._lock:
                    self._full = micros
        return short

    def confirm(self, booking: Booking, at: datetime) -> Short | None:
        """Its claim, made `at` that instant, is on storage: may it be sent? If not, the booking is settled."""
        with self._lock:
            written = self.budget.claimed(booking, at)
            if not self.budget.caps.shared:
                return None
            careful = self.budget.little(booking.micros, self._now())
        if careful or not self._current():
            self._refresh(since=written)
        with self._lock:
            cap = self.budget.over(self._now())
            if cap is None:
                return None
            # Others of ours that wait here meanwhile see this one gone, and may fit.
            self.budget.settle(booking, 0, 0)
            return Short(cap, self.budget.caps.words(cap))

    def settle(self, booking: Booking, micros: int, images: int) -> None:
        """Its cost is known now (see `Budget.settle`); a booking that `confirm` refused is settled already."""
        with self._lock:
            if not booking.settled:
                if micros < booking.micros:
                    self._full = None
                self.budget.settle(booking, micros, images)

    def _try(self, micros: int, images: int) -> Booking | Short:
        with self._lock:
            now = self._now()
            cap = self.budget.short(micros, images, now)
            return Short(cap, self.budget.caps.words(cap)) if cap else self.budget.book(micros, images, now)

    def _current(self) -> bool:
        with self._lock:
            if not self.budget.caps.shared:
                return True
            known = self.budget.known
            fresh = self._looked_at is not None and self._uptime() - self._looked_at < LOOK_S
            return fresh and known is not None and known.day == self.budget.day_of(self._now())

    def _refresh(self, since: int | None = None) -> None:
        """Look anew, one at a time. `since`: a look begun by another thread after that moment will do."""
        with self._lock:
            asked = self.budget.begin()
        with self._looking:
            with self._lock:
                if self.budget.looked_since(asked if since is None else since):
                    return
                began, started = self.budget.begin(), self._uptime()
                day = self.budget.day_of(self._now())
            today, month = self._look(day)
            with self._lock:
                self.budget.know(began, Spent(day, today, month))
                self._looked_at, self._full = started, None
