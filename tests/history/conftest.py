"""A history on a disk, and records to put into its journal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.history.claims import ClaimDesk
from flows.history.fold import Book, fold
from flows.history.index import SealedIndex
from flows.history.journal import Journal
from flows.history.owners import this_process
from flows.history.parts import Parts
from flows.history.records import Ack, Claim, End, ImageRecord, ImageStatus, Labels, Outcome, Owner, Step
from flows.history.seal import Sealer, SealResult
from flows.ids import uuid7
from flows.storage import LocalStorage, Storage

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRINT = "a" * 64


@dataclass
class Books:
    """One history. `now` is the time that ids and records are made at, and moves with every id."""

    storage: Storage
    now: datetime = NOON
    owner: Owner = field(default_factory=lambda: this_process("run-1"))
    waits: list[int] = field(default_factory=list)

    def new_id(self) -> str:
        self.now += timedelta(milliseconds=1)
        return uuid7(self.now, os.urandom)

    @property
    def parts(self) -> Parts:
        return Parts(self.storage, self.new_id)

    @property
    def journal(self) -> Journal:
        return Journal(self.storage.sub(".journal"))

    def desk(self) -> ClaimDesk:
        return ClaimDesk(self.journal, SealedIndex(self.parts), self.waits.append)

    def sealer(self) -> Sealer:
        return Sealer(self.journal, self.parts, self.owner, self.waits.append)

    def seal(self) -> SealResult:
        return self.sealer().seal(token=self.new_id(), now=self.now)

    def fold(self, *prints: str) -> Book:
        return fold(self.journal, SealedIndex(self.parts), prints or (PRINT,))

    def claim(self, n: int = 0, *, images: int = 1, fingerprint: str = PRINT, **more: Any) -> Claim:
        made = Claim(
            request_id=self.new_id(),
            run_id=self.owner.run_id,
            fingerprint=fingerprint,
            n=n,
            images=images,
            origin="sandbox",
            model="ideogram-3",
            path="/v2/image/generate/ideogram-3",
            body={"prompt": "a sun"},
            labels=Labels("hero", "hero@language=de", "a sun", campaign="summer", tags=("one", "two")),
            name_template="{image_id}.{ext}",
            price_usd=Decimal("0.06"),
            price_source="a test",
            claimed_at=self.now,
            owner=self.owner,
        )
        return replace(made, **more)

    def ack(self, claim: Claim, body: str = '{"generation_id": "g"}', status: int = 200) -> Ack:
        return Ack(claim.request_id, claim, self.now, status, body)

    def end(self, claim: Claim, outcome: Outcome = Outcome.COMPLETED, *, answered: bool = True, **more: Any) -> End:
        images: tuple[ImageRecord, ...] = ()
        if outcome is Outcome.COMPLETED:
            images = tuple(ImageRecord(n, ImageStatus.STORED, sha256="0" * 64) for n in range(claim.images))
        if outcome is Outcome.WRITTEN_OFF:
            images = tuple(ImageRecord(n, ImageStatus.LOST) for n in range(claim.images))
        return replace(End(claim.request_id, claim, self.now, outcome, answered, images=images), **more)

    def put(self, record: Claim | Ack | End, step: Step | None = None) -> bool:
        claim = record if isinstance(record, Claim) else record.claim
        kinds = {Claim: Step.CLAIM, Ack: Step.ACK, End: Step.END}
        return self.journal.put(claim.fingerprint, claim.n, step or kinds[type(record)], record)

    def bought(self, n: int = 0, **more: Any) -> Claim:
        """An entry that has gone all the way to its end."""
        claim = self.claim(n, **more)
        for record in (claim, self.ack(claim), self.end(claim)):
            assert self.put(record)
        return claim

    def rows(self, dataset: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.parts.read(self.parts.listing(dataset), dataset).to_pylist()
        return found

    def journal_names(self) -> list[str]:
        return [name.path for name in self.journal.names()]


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """An empty history on this disk."""
    return Books(LocalStorage(tmp_path / "history"))


@dataclass
class Meddler:
    """A storage that does something of its own before an operation: raise, or let another process act."""

    inner: Storage
    before: Callable[[str, str], None]
    role: str = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def sub(self, path: str) -> Meddler:
        return Meddler(self.inner.sub(path), self.before, f"{path}/")

    def read(self, path: str) -> bytes | None:
        self.before("read", self.role + path)
        return self.inner.read(path)

    def write(self, path: str, data: Any) -> None:
        self.before("write", self.role + path)
        self.inner.write(path, data)

    def create(self, path: str, data: bytes) -> bool:
        self.before("create", self.role + path)
        return self.inner.create(path, data)

    def list(self, prefix: str = "") -> list[Any]:
        self.before("list", self.role + prefix)
        return self.inner.list(prefix)

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.before("delete", self.role + path)
            self.inner.delete([path])


@pytest.fixture
def meddle(books: Books) -> Callable[[Callable[[str, str], None]], Books]:
    """The same history through a storage that calls back before each operation."""

    def make(before: Callable[[str, str], None]) -> Books:
        storage: Any = Meddler(books.storage, before)
        return Books(storage, books.now + timedelta(seconds=1), waits=books.waits)

    return make
