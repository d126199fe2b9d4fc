"""The journal: small JSON objects ``<fingerprint>-<n>.<step>``, created exclusively and never overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from flows.errors import Refused
from flows.history.records import Record, RecordName, Step, dump, load
from flows.storage import Storage


class Journal:
    """The records of requests that are not sealed yet."""

    def __init__(self, storage: Storage, *, single_writer: bool = False) -> None:
        if not storage.exclusive and not single_writer:
            raise Refused(
                f"{storage.url} cannot create an object exclusively, so two runs at once could pay twice. "
                "If only one run at a time ever uses it, set storage.single_writer: true"
            )
        self.storage = storage
        self._single_writer = single_writer

    def prove(self) -> None:
        """Refused where the storage says that it creates exclusively, and does not: to be asked before any claim."""
        if not self._single_writer and not self.storage.creates_once():
            raise Refused(
                f"{self.storage.url} overwrites what it was to create only if it is not there (conditional puts, "
                "If-None-Match), so two runs at once could pay twice. Use a server that honours them; if only one run "
                "at a time ever uses it, set storage.single_writer: true"
            )

    def names(self) -> list[RecordName]:
        """All records there are, by name."""
        return [name for stat in self.storage.list() if (name := _parse(stat.path, stat.modified))]

    def read(self, names: Sequence[RecordName]) -> list[tuple[RecordName, Record | None]]:
        """Those of the records that are (still) there, and what they say: None when one is torn."""
        found = self.storage.read_many([name.path for name in names])
        return [(name, load(name.step, data)) for name in names if (data := found[name.path]) is not None]

    def find(self, fingerprint: str, n: int, step: Step) -> Record | None:
        """One record, or None when it is torn or not there."""
        data = self.storage.read(f"{fingerprint}-{n}.{step}")
        return None if data is None else load(step, data)

    def put(self, fingerprint: str, n: int, step: Step, record: Record) -> bool:
        """Create a record; False when another one holds its name already, which then stands."""
        return self.storage.create(f"{fingerprint}-{n}.{step}", dump(step, record))

    def drop(self, names: Iterable[RecordName]) -> None:
        """Delete records that are sealed or rubbish."""
        self.storage.delete([name.path for name in names])

    def withdraw(self, fingerprint: str, n: int) -> None:
        """Delete a claim that turned out to name a number already used."""
        self.storage.delete([f"{fingerprint}-{n}.{Step.CLAIM}"])


def _parse(path: str, made: datetime) -> RecordName | None:
    stem, _, step = path.rpartition(".")
    fingerprint, _, number = stem.rpartition("-")
    if step not in list(Step) or not number.isdecimal() or not fingerprint:
        return None
    return RecordName(fingerprint, int(number), Step(step), made)
