"""Sealing: ended entries become rows, and only then leave the journal.

Any run seals whatever has ended, its own or not. The order is the promise: ``images`` part, ``requests`` part,
both read back, then the records go. A crash in between leaves records whose request is already in
``requests/`` (rubbish, deleted by the next sealer) or images without their request (not written again).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow.compute as pc

from flows.history.fold import fold
from flows.history.index import SealedIndex
from flows.history.journal import Journal
from flows.history.lock import lock
from flows.history.parts import Parts
from flows.history.records import End, Entry, ImageStatus, Owner
from flows.history.schema import billed, image_rows, request_row
from flows.ids import month_of

BATCH = 5000


@dataclass(frozen=True)
class SealResult:
    """What one sealing did. `held_elsewhere`: another process was sealing, so nothing was done here."""

    entries: int = 0
    images: int = 0
    rubbish: int = 0
    held_elsewhere: bool = False


class Sealer:
    """Seals a journal into its history, as often as asked. Not for use by several threads at once.

    `index` may be shared with who takes claims meanwhile: what it knows of a long run is then held once.
    """

    def __init__(
        self,
        journal: Journal,
        parts: Parts,
        owner: Owner,
        wait: Callable[[int], None],
        index: SealedIndex | None = None,
    ) -> None:
        self._journal = journal
        self._parts = parts
        self._owner = owner
        self._wait = wait
        self._index = index or SealedIndex(parts)
        self._examined: set[str] = set()

    def seal(self, *, token: str, now: datetime) -> SealResult:
        """Seal every ended entry of the journal. `token` is unique to this call."""
        with lock(self._parts.storage, "history", self._owner, token=token, now=now) as held:
            if not held:
                return SealResult(held_elsewhere=True)
            # The books are read anew under the lock: what another sealer wrote meanwhile must be seen.
            book = fold(self._journal, self._index, (), wait=self._wait)
            ended = [entry for entry in book.live if entry.final is not None]
            images = 0
            for start in range(0, len(ended), BATCH):
                batch = ended[start : start + BATCH]
                images += self._write(batch)
                self._journal.drop([name for entry in batch for name in entry.names])
            self._journal.drop(book.rubbish)
            return SealResult(len(ended), images, len(book.rubbish))

    def _write(self, batch: Sequence[Entry]) -> int:
        months: defaultdict[str, list[tuple[Entry, End]]] = defaultdict(list)
        for entry in batch:
            if entry.final:
                months[month_of(entry.final.request_id)].append((entry, entry.final))
        written = 0
        parts = []
        for month, entries in sorted(months.items()):
            done = self._already(month, entries)
            new = [end for _, end in entries if end.request_id not in done]
            if images := sum(len(billed(end)) for end in new):
                parts.append(self._parts.write("images", month, (row for end in new for row in image_rows(end))))
            written += images
        for month, entries in sorted(months.items()):
            self._parts.write("requests", month, (request_row(end, revision(entry)) for entry, end in entries))
        # Not sooner: had a ``requests`` part failed, the next try must find these images in their part.
        self._examined.update(parts)
        return written

    def _already(self, month: str, entries: Sequence[tuple[Entry, End]]) -> set[str]:
        """Requests whose images a sealer wrote before it died: raw readers should not see them twice.

        Parts looked at before need no second look: what was in the journal then was dealt with then. An image
        that was written off and has turned up after all does get its true row.
        """
        ids = [end.request_id for _, end in entries]
        amended = {end.request_id for entry, end in entries if entry.amend}
        folder = f"images/month={month}/"
        listing = [part for part in self._parts.listing("images") if part.startswith(folder)]
        fresh = listing if amended else [part for part in listing if part not in self._examined]
        self._examined.update(listing)
        rows = self._parts.read(fresh, "images", ["request_id", "status"], pc.field("request_id").isin(ids))
        return {
            row["request_id"]
            for row in rows.to_pylist()
            if row["request_id"] not in amended or row["status"] != ImageStatus.LOST
        }


def revision(entry: Entry) -> int:
    """1 for an entry whose first row may say void because its answer came late, else 0."""
    return int(entry.amend is not None)
