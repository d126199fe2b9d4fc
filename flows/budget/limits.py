"""How much may be spent: by one run, on one day, in one month. Money is booked before a request and settled after.

Whole micro-dollars only. Pure: what everybody together has spent is told to it (`know`); between two tellings it adds
what this process has claimed itself. It never waits and never reads. Not for several threads at once: see
`flows.pipeline.till`, which also says how far others can push the sum beyond a cap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

from flows.budget.prices import micros

# Little is left when it is less than this part of the cap, or than this many requests like the one at hand.
LITTLE_PART = 5
LITTLE_REQUESTS = 20
_CENT = Decimal("0.01")


class Cap(StrEnum):
    """The caps, by the names of their settings below ``budget``."""

    RUN = "per_run_usd"
    DAY = "per_day_usd"
    MONTH = "per_month_usd"
    IMAGES = "per_run_images"


@dataclass(frozen=True)
class Caps:
    """What the settings allow; None is no cap. Dollars, but for `per_run_images`."""

    per_run_usd: Decimal | None = None
    per_day_usd: Decimal | None = None
    per_month_usd: Decimal | None = None
    per_run_images: int | None = None

    def micros(self, cap: Cap) -> int | None:
        """A cap in micro-dollars; the one on images in images."""
        if cap is Cap.IMAGES:
            return self.per_run_images
        usd: Decimal | None = getattr(self, cap)
        return None if usd is None else micros(usd)

    @property
    def shared(self) -> bool:
        """Whether one of them counts what other runs spend as well."""
        return self.per_day_usd is not None or self.per_month_usd is not None

    @staticmethod
    def remedy(cap: Cap) -> str:
        """What to do when a cap is in the way."""
        again = {Cap.DAY: "run again tomorrow", Cap.MONTH: "run again next month"}
        return f"raise budget.{cap}, or {again.get(cap, 'run again for the next part')}"

    def words(self, cap: Cap) -> str:
        """A cap as a person says it."""
        if cap is Cap.IMAGES:
            return f"the cap of {self.per_run_images} images a run"
        period = {Cap.RUN: "a run", Cap.DAY: "a day", Cap.MONTH: "a month"}[cap]
        usd: Decimal = getattr(self, cap)
        return f"the cap of ${usd.quantize(_CENT) if usd == usd.quantize(_CENT) else usd} {period}"


@dataclass(frozen=True)
class Spent:
    """What everybody has spent on that day and in its month, in micro-dollars, open requests at their full price."""

    day: date
    day_micros: int
    month_micros: int


@dataclass(eq=False)
class Booking:
    """Money set aside for one request. `at` says which day it counts for; `covered`, that `Spent` has it already."""

    micros: int
    images: int
    at: datetime
    written: int | None = None
    covered: bool = False
    settled: bool = False


class Budget:
    """The caps of one run, and what is left below each."""

    def __init__(self, caps: Caps, zone: tzinfo) -> None:
        self.caps = caps
        self.zone = zone
        self.known: Spent | None = None
        self._known_at = 0
        self._count = 0
        self.run_micros = 0
        self.run_images = 0
        self._open: list[Booking] = []

    def day_of(self, moment: datetime) -> date:
        """The day a moment belongs to, in the configured time zone."""
        return moment.astimezone(self.zone).date()

    def left(self, cap: Cap, now: datetime) -> int | None:
        """What is left below a cap, in its own unit, below zero where others overshot it; None is no cap.

        Of the shared caps this is what `know` was told last, less what this run has booked since.
        """
        limit = self.caps.micros(cap)
        return None if limit is None else limit - self._sum(cap, self.day_of(now))

    def short(self, micros: int, images: int, now: datetime) -> Cap | None:
        """The first cap that this much more would pass; reaching it is fine."""
        for cap, left in self._lefts(now):
            if (images if cap is Cap.IMAGES else micros) > left:
                return cap
        return None

    def little(self, micros: int, now: datetime) -> bool:
        """Whether so little is left below a shared cap that others could use it up before we look again."""
        lefts = {cap: left for cap, left in self._lefts(now) if cap in (Cap.DAY, Cap.MONTH)}
        enough = LITTLE_REQUESTS * micros
        return any(left < max((self.caps.micros(cap) or 0) // LITTLE_PART, enough) for cap, left in lefts.items())

    def book(self, micros: int, images: int, now: datetime) -> Booking:
        """Set money aside. The caller has asked `short`."""
        if micros < 0 or images < 0:
            raise ValueError(f"{micros} micro-dollars for {images} images is no purchase")
        booking = Booking(micros, images, now)
        self.run_micros += micros
        self.run_images += images
        self._open.append(booking)
        return booking

    def claimed(self, booking: Booking, at: datetime) -> int:
        """Its claim is on storage, made `at` that instant: whoever begins to look from now on sees it."""
        booking.at = at
        booking.written = self._tick()
        return booking.written

    def begin(self) -> int:
        """Call before looking at what everybody spent, and hand the answer to `know`."""
        return self._tick()

    def know(self, began: int, spent: Spent) -> None:
        """What everybody has spent, looked at since `began`."""
        if began < self._known_at:
            return
        self.known, self._known_at = spent, began
        for booking in self._open:
            booking.covered = booking.written is not None and booking.written < began
        # What is settled and counted by others' eyes too needs no remembering: memory must not grow with the run.
        self._open = [booking for booking in self._open if not (booking.settled and booking.covered)]

    def looked_since(self, written: int) -> bool:
        """Whether what is known was looked at after that claim was on storage."""
        return self.known is not None and self._known_at > written

    def over(self, now: datetime) -> Cap | None:
        """The first shared cap that is passed by all that is known."""
        return next((cap for cap, left in self._lefts(now) if cap in (Cap.DAY, Cap.MONTH) and left < 0), None)

    def settle(self, booking: Booking, micros: int, images: int) -> None:
        """Its cost is known now: zero where it provably did not run, all of it where it may have."""
        if booking.settled:
            raise ValueError("a booking is settled once")
        if micros < 0 or images < 0:
            raise ValueError(f"{micros} micro-dollars for {images} images is no purchase")
        change = micros - booking.micros
        self.run_micros += change
        self.run_images += images - booking.images
        booking.settled = True
        booking.micros, booking.images = micros, images
        if booking.covered and self.known is not None:
            self.known = self._changed(self.known, self.day_of(booking.at), change)
        shared = self.caps.shared and micros > 0
        if booking.covered or booking.written is None or not shared:
            self._open.remove(booking)

    def _lefts(self, now: datetime) -> Iterator[tuple[Cap, int]]:
        for cap in Cap:
            left = self.left(cap, now)
            if left is not None:
                yield cap, left

    def _sum(self, cap: Cap, day: date) -> int:
        if cap is Cap.RUN:
            return self.run_micros
        if cap is Cap.IMAGES:
            return self.run_images
        since = sum(
            booking.micros for booking in self._open if not booking.covered and _same(cap, self.day_of(booking.at), day)
        )
        if self.known is None or not _same(cap, self.known.day, day):
            return since
        return since + (self.known.day_micros if cap is Cap.DAY else self.known.month_micros)

    def _changed(self, known: Spent, day: date, change: int) -> Spent:
        return Spent(
            known.day,
            known.day_micros + (change if _same(Cap.DAY, day, known.day) else 0),
            known.month_micros + (change if _same(Cap.MONTH, day, known.day) else 0),
        )

    def _tick(self) -> int:
        self._count += 1
        return self._count


def _same(cap: Cap, one: date, other: date) -> bool:
    """Whether two days share the period of a cap."""
    return one == other if cap is Cap.DAY else (one.year, one.month) == (other.year, other.month)
