"""A history on a disk, and records to put into its journal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.history.claims import ClaimDesk
from flows.history.events import Event
from flows.history.fold import Book, fold
from flows.history.index import SealedIndex
from flows.history.journal import Journal
from flows.history.owners import this_process
from flows.history.parts import Parts
from flows.history.records import Ack, Claim, End, ImageRecord, ImageStatus, Labels, Outcome, Owner, Step
from flows.history.schema import event_row, image_rows, request_row
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


@dataclass
class Collection:
    """A history of several months, campaigns and fates, made row by row; `happened` adds an event."""

    books: Books

    def buy(self, name: str, prompt: str, *, at: datetime | None = None, model: str = "ideogram-3", **more: Any) -> str:
        """One image, sealed: its id. `more` are labels or what became of the image."""
        self.books.now = max(self.books.now, at) if at else self.books.now
        labels = {key: more.pop(key) for key in ("brand", "campaign", "tags", "lettering") if key in more}
        claim = self.books.claim(model=model, fingerprint=more.pop("fingerprint", name * 8))
        claim = replace(claim, labels=replace(claim.labels, prompt_id=name, variant=name, prompt=prompt, **labels))
        image = ImageRecord(
            0, ImageStatus.STORED, local_path=f"{name}.png", sha256=name, bytes=3, stored_at=claim.claimed_at
        )
        end = replace(self.books.end(claim), images=(replace(image, **more),))
        month = f"{claim.claimed_at:%Y-%m}"
        self.books.parts.write("images", month, image_rows(end))
        self.books.parts.write("requests", month, [request_row(end, 0)])
        return f"{claim.request_id}-0"

    def happened(self, event: Event, image: str | None = None, **more: Any) -> None:
        now = self.books.now
        row = event_row(
            event_id=self.books.new_id(), at=now, event=event, actor="a test", run_id="r", image=image, **more
        )
        self.books.parts.write("lifecycle", f"{now:%Y-%m}", [row])

    @property
    def parts(self) -> Parts:
        return self.books.parts


@pytest.fixture
def collection(books: Books) -> Collection:
    """An empty history that is filled by hand."""
    return Collection(books)


@pytest.fixture(scope="session")
def seaside_once(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """Five pictures of three months: one trashed, one lost, one renamed, one held and approved, one doubled."""
    books = Books(LocalStorage(tmp_path_factory.mktemp("seaside") / "history"))
    collection = Collection(books)
    one = collection.buy("sunset", "A neon sunset over wet sand", brand="helio", seed=123)
    two = collection.buy("retro", "A neon sunset, retro", brand="helio", tags=("old", "Two Words"))
    december = NOON + timedelta(days=20)
    collection.buy("wave", "A wave over sand", at=december, campaign="winter", model="V_2", width=1024)
    lost = ImageStatus.LOST
    collection.buy("gull", "A gull, neon", campaign="winter", status=lost, local_path=None, stored_at=None, bytes=None)
    january = NOON + timedelta(days=50)
    collection.buy("dune", "Die Straße im Sand", at=january, brand="other", lettering="STRASSE")
    collection.happened(Event.TRASHED, two)
    collection.happened(Event.HELD, one)
    collection.happened(Event.APPROVED, one)
    named = {"prompt_id": "breaker", "variant": "breaker", "campaign": "spring", "tags": ["sea"]}
    collection.happened(Event.RELABELLED, fingerprint="wave" * 8, details=named)
    rows = [row for row in books.rows("images") if row["image_id"] in {one, two}]
    books.parts.write("images", "2026-11", rows)
    books.parts.write("images", "2026-11", [{**rows[0], "status": "lost", "local_path": None, "sha256": None}])
    books.parts.write("features", "2026-11", [{"sha256": "sunset", "extractor": 1, "image_id": one}] * 2)
    found = {"finding_id": "f", "audit_id": "a", "found_at": books.now, "brand": "helio", "campaign": "summer"}
    books.parts.write("findings", f"{books.now:%Y-%m}", [found, found | {"audit_id": "b"}])
    return books


@pytest.fixture
def seaside(seaside_once: Books, tmp_path: Path) -> Collection:
    """A copy of it."""
    shutil.copytree(seaside_once.storage.url, tmp_path / "history")
    return Collection(replace(seaside_once, storage=LocalStorage(tmp_path / "history")))
