"""What is sealed for the fingerprints somebody asks about, kept up to date part by part.

That is their rows of ``requests/``, and which of their images ``lifecycle/`` says are to be replaced.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow.compute as pc

from flows.history.conditions import texts
from flows.history.events import Event
from flows.history.parts import Parts
from flows.history.records import Outcome

COLUMNS = ("fingerprint", "n", "request_id", "revision", "outcome", "answered", "images", "counted", "cost_micros")


@dataclass(frozen=True, slots=True)
class Sealed:
    """One row of ``requests/``, as far as counting needs it. A long run holds very many of them."""

    fingerprint: str
    n: int
    request_id: str
    revision: int
    outcome: Outcome
    answered: bool
    images: int
    counted: int
    cost_micros: int

    @property
    def given_up(self) -> bool:
        """Ended without an answer: if one turns up after all, it was paid for and must be finished."""
        return not self.answered


class SealedIndex:
    """A cache of immutable parts. `refresh` is what makes an answer current.

    Whoever shares one with other threads holds `lock` from a refresh to the last answer that is to be of that moment.
    """

    def __init__(self, parts: Parts) -> None:
        self.lock = threading.Lock()
        self._parts = parts
        self._seen: frozenset[str] = frozenset()
        self._covered: frozenset[str] = frozenset()
        self._rows: dict[str, dict[str, Sealed]] = {}
        self._events_seen: frozenset[str] = frozenset()
        self._events_covered: frozenset[str] = frozenset()
        self._replaced: dict[str, set[str]] = {}

    def refresh(self, fingerprints: Iterable[str]) -> None:
        """Bring the rows of these fingerprints (and of all asked for before) up to date."""
        listing = self._parts.listing("requests")
        wanted = self._covered | frozenset(fingerprints)
        if wanted != self._covered or not self._seen <= set(listing):
            self._rows, self._seen = {}, frozenset()  # parts were merged, or new questions: read all again
        fresh = [part for part in listing if part not in self._seen]
        self._read(fresh, wanted)
        self._seen, self._covered = frozenset(listing), wanted

    def refresh_replaced(self, fingerprints: Iterable[str]) -> None:
        """Bring the events of these fingerprints up to date. One that is missed only makes us buy less."""
        wanted = self._events_covered | frozenset(fingerprints)
        if not wanted:
            return
        listing = self._parts.listing("lifecycle")
        if wanted != self._events_covered:
            self._replaced, self._events_seen = {}, frozenset()
        # Merged parts say nothing new, and events are never taken back: what is known stays.
        fresh = [part for part in listing if part not in self._events_seen]
        if fresh:
            columns = ["event", "fingerprint", "image_id"]
            rows = self._parts.among(fresh, "lifecycle", columns, "event", [Event.REPLACED])
            rows = rows.filter(pc.is_in(rows["fingerprint"], texts(wanted)))
            for row in rows.to_pylist():
                self._replaced.setdefault(row["fingerprint"], set()).add(row["image_id"])
        self._events_seen, self._events_covered = frozenset(listing), wanted

    def replaced(self, fingerprint: str) -> frozenset[str]:
        """Ids of the images of a fingerprint that somebody gave up, so that others are bought in their place."""
        return frozenset(self._replaced.get(fingerprint, ()))

    def of(self, fingerprint: str) -> dict[str, Sealed]:
        """By request id; of several rows for one request the latest revision."""
        return self._rows.get(fingerprint, {})

    def at(self, fingerprint: str, n: int) -> Sealed | None:
        """The sealed entry of that number, or None."""
        return next((row for row in self.of(fingerprint).values() if row.n == n), None)

    def _read(self, parts: list[str], wanted: frozenset[str]) -> None:
        if not parts or not wanted:
            return
        rows = self._parts.among(parts, "requests", COLUMNS, "fingerprint", wanted)
        for row in rows.to_pylist():
            # One text for all rows of a fingerprint.
            same = {"fingerprint": sys.intern(row["fingerprint"]), "outcome": Outcome(row["outcome"])}
            sealed = Sealed(**(row | same))
            known = self._rows.setdefault(sealed.fingerprint, {})
            before = known.get(sealed.request_id)
            if before is None or sealed.revision > before.revision:
                known[sealed.request_id] = sealed
