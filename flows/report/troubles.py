"""Troubles of a run as they come, told once for each kind: what happened, how often, to whom first, what to do.

Pure. Memory grows with the kinds of trouble and with the names, not with how often something happens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from flows.report import words
from flows.report.model import Trouble

MOST_KINDS = 200
NAMED = 3
# What differs between two reports of the same trouble: links, and the ids of requests and generations.
_OWN = re.compile(r"https?://[^\s,;)]+(?<![:.])|\b(?=[\w-]*\d)[\w-]{16,}")


@dataclass
class _Kind:
    happened: str
    remedy: str
    times: int = 0
    names: dict[str, None] = field(default_factory=dict)

    def told(self) -> Trouble:
        names = list(self.names)
        rest = len(names) - NAMED
        subject = ", ".join(names[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
        return Trouble(self.happened, subject, self.remedy, self.times)


def unwritten(why: object, place: str) -> Trouble:
    """The trouble of a run whose report cannot be written; all else it did is as safe as ever."""
    remedy = "pictures and their records are safe; make that folder writable (storage.reports) for the next report"
    return Trouble(f"the report could not be written: {why}", place, remedy)


class Troubles:
    """A run's troubles. Iterating gives one `Trouble` for each kind, in the order in which they first came."""

    def __init__(self) -> None:
        self.seen = 0
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._untold = 0

    def add(self, happened: str, subject: str, remedy: str) -> None:
        """Remember a trouble. Of very many kinds only the first are kept, the others are counted."""
        self.seen += 1
        key = (_OWN.sub("…", happened), remedy)
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= MOST_KINDS:
                self._untold += 1
                return
            kind = self._kinds[key] = _Kind(happened, remedy)
        elif kind.happened != happened:
            kind.happened = key[0]  # the id of the first would be wrong for all the others
        kind.times += 1
        if subject:
            kind.names[subject] = None

    def __len__(self) -> int:
        return len(self._kinds) + bool(self._untold)

    def __iter__(self) -> Iterator[Trouble]:
        yield from (kind.told() for kind in self._kinds.values())
        if self._untold:
            more = words.count(self._untold, "more problem")
            yield Trouble(more, "the rest", "they are much the same: see the items of the report", self._untold)
