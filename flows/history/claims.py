"""Taking a claim: the one moment at which somebody decides to spend, made safe against everybody else.

Create number max+1 exclusively; then look at the history once more. Whoever loses folds again and asks only for
what is then still missing.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

from flows.errors import HistoryBusy, IdeoflowError, Unfinished
from flows.history.fold import FOLD_TRIES, Book, Standing, fold
from flows.history.index import SealedIndex
from flows.history.journal import Journal
from flows.history.records import Claim, Entry, Step

CLAIM_TRIES = 100


class Unsettled(Unfinished):
    """A claim may be on record, but the books could not be looked at again: nothing may be sent for it."""

    def __init__(self, claim: Claim, trouble: IdeoflowError) -> None:
        self.claim = claim
        super().__init__(str(trouble))


class ClaimDesk:
    """The claims of one run. Thread-safe: claims of one fingerprint queue up, others do not wait for them."""

    def __init__(self, journal: Journal, index: SealedIndex, wait: Callable[[int], None]) -> None:
        self.journal = journal
        self.index = index
        self._wait = wait
        self._standings: dict[str, Standing] = {}
        self._queues: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._reading = threading.Lock()

    def open(self, fingerprints: Iterable[str]) -> Book:
        """Fold the books for a run's fingerprints, and remember where each one stands."""
        with self._reading:
            book = fold(self.journal, self.index, fingerprints, wait=self._wait)
        self._standings.update(book.standings)
        return book

    def take(self, fingerprint: str, *, wanted: int, at_most: int, make: Callable[[int, int], Claim]) -> Claim | None:
        """Claim up to `at_most` of the images still missing from `wanted`; None when none is missing.

        `make(n, images)` builds the claim for number n. When this returns a claim, its record is on storage,
        nobody else holds its number, and the images are counted. Raises Unsettled when it may be on record but
        could not be checked, HistoryBusy when others were always faster.
        """
        return self._win(fingerprint, lambda standing: min(at_most, wanted - standing.counted), make)

    def enter(self, fingerprint: str, request_id: str, make: Callable[[int], Claim]) -> Claim | None:
        """Claim a number for a request whose id was fixed beforehand; None when that id is on record already.

        For pictures that are taken over. An id never gets two numbers: whoever else entered it after our look did so
        at the number that we try first, or behind it, and then our creation or our check fails and we look again.
        The one thing neither sees is our very number with our very id, sealed meanwhile: then what is written is
        rubbish from the start, and the next sealer deletes it.
        """

        def entry(n: int, _: int) -> Claim:
            return make(n)

        return self._win(fingerprint, lambda standing: int(not standing.knows(request_id)), entry, remember=True)

    def _win(
        self,
        fingerprint: str,
        missing: Callable[[Standing], int],
        make: Callable[[int, int], Claim],
        *,
        remember: bool = False,
    ) -> Claim | None:
        """Create the next number for as many images as are `missing` by what is known, until nobody was faster."""
        with self._queues[fingerprint]:
            standing = self._standings.get(fingerprint) or self._look(fingerprint)
            for _ in range(CLAIM_TRIES):
                images = missing(standing)
                if images <= 0:
                    return None
                claim = make(standing.next, images)
                try:
                    won = self.journal.put(fingerprint, claim.n, Step.CLAIM, claim)
                    taken = won and self._taken(claim)
                except IdeoflowError as trouble:
                    self._standings.pop(fingerprint, None)
                    raise Unsettled(claim, trouble) from trouble
                if won and not taken:
                    standing.counted += claim.images
                    standing.next += 1
                    if remember:  # only where it is asked for by its id again: a run's memory must not grow
                        standing.live[claim.n] = Entry(fingerprint, claim.n, claim=claim)
                    return claim
                if taken:
                    self.journal.withdraw(fingerprint, claim.n)
                standing = self._look(fingerprint)
        raise HistoryBusy(f"others claim the same pictures faster than this run can ({CLAIM_TRIES} tries); run again")

    def release(self, claim: Claim) -> None:
        """Its request did not run after all, and its end is on record: the images are wanted again.

        Not by subtraction: another thread may have read the books since, and they count it no more.
        """
        with self._queues[claim.fingerprint]:
            self._standings.pop(claim.fingerprint, None)

    def _taken(self, claim: Claim) -> bool:
        """Whether that number was bought and sealed by someone between our fold and our claim."""
        for attempt in range(FOLD_TRIES):
            try:
                with self.index.lock:
                    self.index.refresh([claim.fingerprint])
                    row = self.index.at(claim.fingerprint, claim.n)
            except HistoryBusy:
                self._wait(attempt)
            else:
                return row is not None and row.request_id != claim.request_id
        raise HistoryBusy("the history changes too fast to be read; run again in a minute")

    def _look(self, fingerprint: str) -> Standing:
        with self._reading:
            book = fold(self.journal, self.index, [fingerprint], wait=self._wait, only=True)
        self._standings[fingerprint] = book.of(fingerprint)
        return self._standings[fingerprint]
