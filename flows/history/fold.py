"""The fold: what journal and history together say has been bought. Counting never asks who is alive."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flows.errors import HistoryBusy
from flows.history.index import Sealed, SealedIndex
from flows.history.journal import Journal
from flows.history.records import Ack, Claim, End, Entry, Outcome, Record, RecordName, Step

FOLD_TRIES = 50
TOGETHER = 100


@dataclass
class Standing:
    """One fingerprint's place in the books. Mutable: a run keeps its own copy up to date between folds.

    `replaced` are images that an event gave up; `counted` is without them.
    """

    counted: int = 0
    next: int = 0
    live: dict[int, Entry] = field(default_factory=dict)
    sealed: Mapping[str, Sealed] = field(default_factory=dict)
    replaced: frozenset[str] = frozenset()

    def knows(self, request_id: str) -> bool:
        """Whether that very request is on record, whatever became of it."""
        return request_id in self.sealed or any(entry.id == request_id for entry in self.live.values())


@dataclass(frozen=True)
class Book:
    """The result of a fold: a standing per fingerprint, and records that may be deleted, never acted on."""

    standings: Mapping[str, Standing]
    rubbish: tuple[RecordName, ...]

    def of(self, fingerprint: str) -> Standing:
        """The standing of a fingerprint; an empty one when nothing is known of it."""
        return self.standings.get(fingerprint) or Standing()

    def requests(self, fingerprints: Iterable[str]) -> frozenset[str]:
        """Every request that is on record for these fingerprints, but those of which no record can be read."""
        found: set[str] = set()
        for standing in map(self.of, fingerprints):
            found |= standing.sealed.keys()
            found |= {entry.request.request_id for entry in standing.live.values() if entry.request}
        return frozenset(found)

    @property
    def live(self) -> list[Entry]:
        """All entries that are not sealed, in a stable order."""
        return [entry for _, standing in sorted(self.standings.items()) for _, entry in sorted(standing.live.items())]


def fold(
    journal: Journal,
    index: SealedIndex,
    fingerprints: Iterable[str],
    *,
    wait: Callable[[int], None] = lambda _: None,
    only: bool = False,
) -> Book:
    """Read the books. `only` limits the journal to these fingerprints; else every live entry is included.

    The journal is listed first and the history after it: an entry that is being sealed meanwhile is then seen
    in at least one of them. Numbers that are not dense from 0 mean that something was missed: again, after
    `wait(attempt)`.
    """
    asked = frozenset(fingerprints)
    for attempt in range(FOLD_TRIES):
        names = [name for name in journal.names() if not only or name.fingerprint in asked]
        records = _read(journal, names)
        try:
            with index.lock:
                index.refresh(asked | {name.fingerprint for name in names})
                index.refresh_replaced(asked)
                book, dense = _assemble(asked, records, index)
        except HistoryBusy:
            wait(attempt)
            continue
        if dense:
            return book
        wait(attempt)
    raise HistoryBusy(
        "the journal and the history do not fit together (numbers are missing). If files below .journal or "
        "requests/ were deleted or are still being copied, restore them first"
    )


def _read(journal: Journal, names: Sequence[RecordName]) -> list[tuple[RecordName, Record | None]]:
    """The records that are still there. Those of one entry repeat its claim, which is held once: memory stays small."""
    claims: dict[str, Claim] = {}
    found: list[tuple[RecordName, Record | None]] = []
    for start in range(0, len(names), TOGETHER):
        found += [(name, _shared(record, claims)) for name, record in journal.read(names[start : start + TOGETHER])]
    return found


def _shared(record: Record | None, claims: dict[str, Claim]) -> Record | None:
    if record is None:
        return None
    claim = record if isinstance(record, Claim) else record.claim
    first = claims.setdefault(record.request_id, claim)
    if first is claim or first != claim:
        return record
    return first if isinstance(record, Claim) else replace(record, claim=first)


def _assemble(
    asked: frozenset[str], records: list[tuple[RecordName, Record | None]], index: SealedIndex
) -> tuple[Book, bool]:
    groups: dict[str, dict[int, list[tuple[RecordName, Record | None]]]] = defaultdict(lambda: defaultdict(list))
    for name, record in records:
        groups[name.fingerprint][name.n].append((name, record))
    standings: dict[str, Standing] = {}
    rubbish: list[RecordName] = []
    dense = True
    for fingerprint in asked | groups.keys():
        sealed = index.of(fingerprint)
        live: dict[int, Entry] = {}
        for n, group in groups.get(fingerprint, {}).items():
            entry, waste = judge(fingerprint, n, group, sealed)
            rubbish += waste
            if entry:
                live[n] = entry
        numbers = {row.n for row in sealed.values()} | set(groups.get(fingerprint, {}))
        dense = dense and numbers == set(range(len(numbers)))
        reopened = {entry.ack.request_id for entry in live.values() if entry.given_up and entry.ack}
        counts = {row.request_id: row.counted for row in sealed.values() if row.request_id not in reopened}
        counts |= {entry.id: entry.counted for entry in live.values()}
        replaced = index.replaced(fingerprint)
        counted = sum(counts.values()) - _freed(replaced, counts)
        standings[fingerprint] = Standing(counted, len(numbers), live, sealed, replaced)
    return Book(standings, tuple(rubbish)), dense


def _freed(replaced: Iterable[str], counts: Mapping[str, int]) -> int:
    """How many places replaced images free: never more than their own request counts for."""
    per_request = Counter(image.rpartition("-")[0] for image in replaced)
    return sum(min(number, counts.get(request, 0)) for request, number in per_request.items())


def judge(
    fingerprint: str, n: int, group: list[tuple[RecordName, Record | None]], sealed: Mapping[str, Sealed]
) -> tuple[Entry | None, list[RecordName]]:
    """Tell the live records of one entry from rubbish.

    Rubbish: a record whose request is sealed already, or whose number is sealed under another request and
    which has no answer. Never rubbish: an answer to a request that is unknown, or was given up without one.
    """
    paid = {record.request_id for _, record in group if isinstance(record, Ack)}
    taken = any(row.n == n for row in sealed.values())
    entry = Entry(fingerprint, n)
    rubbish: list[RecordName] = []
    for name, record in group:
        if not _alive(name, record, sealed, paid=paid, taken=taken):
            rubbish.append(name)
            continue
        entry = _with(replace(entry, names=(*entry.names, name)), name, record)
    if entry.ack and (row := sealed.get(entry.ack.request_id)):
        entry = replace(entry, given_up=row.given_up, written_off=row.outcome is Outcome.WRITTEN_OFF)
    return (entry if entry.names else None), rubbish


def _alive(
    name: RecordName, record: Record | None, sealed: Mapping[str, Sealed], *, paid: set[str], taken: bool
) -> bool:
    if record is None:
        return not taken
    row = sealed.get(record.request_id)
    if row is None:
        return not taken or record.request_id in paid
    return row.given_up and record.request_id in paid and name.step in (Step.ACK, Step.AMEND)


def _with(entry: Entry, name: RecordName, record: Record | None) -> Entry:
    match name.step, record:
        case Step.CLAIM, Claim():
            return replace(entry, claim=record)
        case Step.ACK, Ack():
            return replace(entry, ack=record)
        case Step.END, End():
            return replace(entry, end=record)
        case Step.AMEND, End():
            return replace(entry, amend=record)
        case _:
            return replace(entry, torn=True)
