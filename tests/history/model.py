"""A world of several processes over one storage, stepped at random: every storage call is a place to switch or die.

The journal, fold, claims and sealing that run in it are the real ones. Only Parquet is replaced, by pickled rows,
because its inside is not what is on trial here. Listings are not atomic, as on an object store: half of the names
are read, then the others, and anything may happen in between.
"""

from __future__ import annotations

import contextlib
import pickle
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from greenlet import GreenletExit, getcurrent, greenlet

from flows.errors import HistoryBusy
from flows.history import replaced, view
from flows.history.claims import ClaimDesk
from flows.history.fold import fold
from flows.history.index import SealedIndex
from flows.history.journal import Journal
from flows.history.parts import Parts
from flows.history.records import Ack, Claim, End, Entry, ImageRecord, ImageStatus, Labels, Outcome, Owner, Step
from flows.history.schema import DATASETS, table
from flows.history.seal import Sealer
from flows.ids import uuid7
from flows.storage import Stat, Storage

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
FINGERPRINT = "f" * 64


@dataclass
class World:
    """The storage's content, the vendor's till, and the clock."""

    rng: random.Random
    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)
    clock: datetime = START
    withhold: bool = False
    running: bool = False
    dead: list[greenlet] = field(default_factory=list)

    def step(self) -> None:
        """A place where another process may go on, or this one may be killed."""
        if getcurrent() in self.dead:
            raise GreenletExit  # what is killed runs no clean-up
        self.clock += timedelta(milliseconds=1)
        if self.running:
            parent = getcurrent().parent
            assert parent is not None
            parent.switch()

    def bury(self) -> None:
        """Take the killed processes off their stacks, which they would otherwise do at a moment of their own."""
        for process in self.dead:
            process.throw()

    def entropy(self, size: int) -> bytes:
        return self.rng.randbytes(size)

    def new_id(self) -> str:
        return uuid7(self.clock, self.entropy)


class WorldStorage(Storage):
    """The world's objects as a storage with exclusive create."""

    exclusive = True

    def __init__(self, world: World, root: str = "") -> None:
        self.world = world
        self.url = f"world://{root}"
        self._root = root

    def read(self, path: str) -> bytes | None:
        self.world.step()
        found = self.world.objects.get(self._root + path)
        return found[0] if found else None

    def write(self, path: str, data: bytes | BinaryIO) -> None:
        self.world.step()
        assert isinstance(data, bytes)
        self.world.objects[self._root + path] = (data, self.world.clock)

    def create(self, path: str, data: bytes) -> bool:
        self.world.step()
        key = self._root + path
        if key in self.world.objects:
            return self.world.objects[key][0] == data
        self.world.objects[key] = (data, self.world.clock)
        return True

    def list(self, prefix: str = "") -> list[Stat]:
        seen: list[Stat] = []
        for half in (0, 1):
            self.world.step()
            for key, (data, made) in self.world.objects.items():
                name = key.removeprefix(self._root)
                below = key.startswith(self._root + prefix) and "/." not in f"/{name}"
                if below and sum(key.encode()) % 2 == half:
                    seen.append(Stat(name, len(data), made))
        return sorted(seen, key=lambda stat: stat.path)

    def stat(self, path: str) -> Stat | None:
        self.world.step()
        found = self.world.objects.get(self._root + path)
        return Stat(path, len(found[0]), found[1]) if found else None

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.world.step()
            self.world.objects.pop(self._root + path, None)

    def now(self) -> datetime:
        return self.world.clock

    def sub(self, path: str) -> WorldStorage:
        return WorldStorage(self.world, f"{self._root}{path}/")

    def arrow(self) -> tuple[Any, str]:
        raise NotImplementedError


class WorldParts(Parts):
    """Parts whose inside is a pickle."""

    def write(self, dataset: str, month: str, rows: Iterable[Mapping[str, Any]]) -> str:
        path = f"{dataset}/month={month}/{self._new_name()}.parquet"
        self.storage.write(path, pickle.dumps(table(dataset, rows).to_pylist()))
        return path

    def read(
        self,
        parts: Sequence[str],
        dataset: str,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,  # noqa: ARG002  filters only narrow what is read, and cost more than a life
    ) -> pa.Table:
        rows: list[Any] = []
        for part in parts:
            data = self.storage.read(part)
            if data is None:
                raise HistoryBusy(part)
            rows += pickle.loads(data)  # noqa: S301  we wrote it a moment ago
        schema = DATASETS[dataset]
        wanted = pa.schema([schema.field(name) for name in columns]) if columns else schema
        return pa.Table.from_pylist([{name: row[name] for name in wanted.names} for row in rows], schema=wanted)

    def among(
        self,
        parts: Sequence[str],
        dataset: str,
        columns: Sequence[str],
        column: str,  # noqa: ARG002  as above
        values: Collection[str],  # noqa: ARG002  as above
    ) -> pa.Table:
        return self.read(parts, dataset, columns)


@dataclass
class Safeguards:
    """What a process uses; a test swaps one for a version without it, to see that money is then lost."""

    desk: type[ClaimDesk] = ClaimDesk
    parts: type[WorldParts] = WorldParts
    fold: Callable[..., Any] = fold


class Process:
    """One run of ideoflow, as far as money goes: fold, claim, pay, record, end, seal."""

    def __init__(self, world: World, number: int, wanted: int, safeguards: Safeguards) -> None:
        self.world, self.wanted = world, wanted
        self.owner = Owner(f"run-{number}", "", "", number, "")
        storage = WorldStorage(world)
        self.parts = safeguards.parts(storage, world.new_id)
        self.journal = Journal(storage.sub(".journal"))
        self.desk = safeguards.desk(self.journal, SealedIndex(self.parts), lambda _: world.step())
        self.sealer = Sealer(self.journal, self.parts, self.owner, lambda _: world.step())
        self._fold = safeguards.fold

    def buy(self) -> None:
        """What a generate run does."""
        self.desk.open([FINGERPRINT])
        for _ in range(self.wanted + 2):
            images = self.world.rng.choice((1, 1, 2))
            claim = self.desk.take(FINGERPRINT, wanted=self.wanted, at_most=images, make=self._claim)
            if claim is None:
                break
            self._send(claim)
            if self.world.rng.random() < 0.5:
                self.seal()
        self.seal()

    def retry(self) -> None:
        """What `generate --retry withheld` does: give up what was withheld, in an event, then buy what is missing."""
        book = self._fold(self.journal, SealedIndex(self.parts), [FINGERPRINT], wait=lambda _: self.world.step())
        images = view.images(self.parts, ["image_id", "fingerprint", "status"])
        freed = replaced.candidates(images, book, [FINGERPRINT], ["withheld"])
        rows = replaced.rows(
            freed, new_id=self.world.new_id, at=self.world.clock, run_id=self.owner.run_id, why="a test"
        )
        if rows:
            self.parts.write("lifecycle", "2026-11", rows)
        self.buy()

    def recover(self) -> None:
        """What any later run does for entries that have an answer and a dead owner (age is not on trial here)."""
        book = self._fold(self.journal, SealedIndex(self.parts), (), wait=lambda _: self.world.step())
        for entry in book.live:
            if entry.ack is not None and entry.final is None:
                step = Step.AMEND if entry.late else Step.END
                self.journal.put(entry.fingerprint, entry.n, step, _completed(entry.ack.claim, self.world))
        self.seal()

    def give_up(self) -> None:
        """What `recover --resubmit` does, at its most careless: any entry without an answer is given up."""
        book = self._fold(self.journal, SealedIndex(self.parts), (), wait=lambda _: self.world.step())
        for entry in book.live:
            claim = entry.request
            if claim is not None and entry.ack is None and entry.final is None:
                self.journal.put(entry.fingerprint, entry.n, Step.END, _void(claim, self.world.clock, answered=False))
        self.seal()

    def seal(self) -> None:
        self.sealer.seal(token=self.world.new_id(), now=self.world.clock)

    def compact(self) -> None:
        """Merge all parts of ``requests/`` into one: the new part first, then the old ones go."""
        for _ in range(3):
            old = self.parts.listing("requests")
            if old:
                rows = self.parts.read(old, "requests").to_pylist()
                self.parts.write("requests", "2026-11", rows)
                self.parts.storage.delete(old)
            else:
                self.world.step()

    def _send(self, claim: Claim) -> None:
        self.world.step()
        if self.world.rng.random() < 0.15:
            self.journal.put(claim.fingerprint, claim.n, Step.END, _void(claim, self.world.clock, answered=True))
            self.desk.release(claim)
            return
        self.world.paid[claim.request_id] = claim.images
        self.world.step()
        self.journal.put(
            claim.fingerprint, claim.n, Step.ACK, Ack(claim.request_id, claim, self.world.clock, 200, "{}")
        )
        self.journal.put(claim.fingerprint, claim.n, Step.END, _completed(claim, self.world))

    def _claim(self, n: int, images: int) -> Claim:
        return Claim(
            request_id=self.world.new_id(),
            run_id=self.owner.run_id,
            fingerprint=FINGERPRINT,
            n=n,
            images=images,
            origin="sandbox",
            model="ideogram-3",
            path="/v2/image/generate/ideogram-3",
            body={},
            labels=Labels("hero", "hero", "a sun"),
            name_template="",
            price_usd=Decimal("0.06"),
            price_source="test",
            claimed_at=self.world.clock,
            owner=self.owner,
        )


def _completed(claim: Claim, world: World) -> End:
    images = tuple(ImageRecord(index, _fate(claim.request_id, index, world)) for index in range(claim.images))
    return End(claim.request_id, claim, world.clock, Outcome.COMPLETED, answered=True, images=images)


def _fate(request_id: str, index: int, world: World) -> ImageStatus:
    """Whoever finishes a request finds the same: of withheld images about every third one."""
    withheld = world.withhold and sum(request_id.encode()) % 3 == index % 3
    return ImageStatus.WITHHELD if withheld else ImageStatus.STORED


def _void(claim: Claim, now: datetime, *, answered: bool) -> End:
    return End(claim.request_id, claim, now, Outcome.VOID, answered=answered)


@dataclass(frozen=True)
class Aftermath:
    """What a random life of the world left behind, after one calm process has tidied up."""

    wanted: int
    paid: int
    images_paid_known: int
    image_rows: int
    counted: int
    replaced: int
    in_doubt: list[Entry]
    resubmitted: bool
    journal_left: int


def live(
    seed: int,
    safeguards: Safeguards | None = None,
    *,
    resubmit: bool = False,
    compact: bool = True,
    retry: bool = False,
) -> Aftermath:
    """One random life: several processes interleaved at every storage call, some of them killed at any of them."""
    rng = random.Random(seed)
    world = World(rng, withhold=retry)
    guards = safeguards or Safeguards()
    wanted = rng.choice((1, 2, 3))
    buyers = rng.choice((2, 3, 4))
    actors = [greenlet(Process(world, number, wanted, guards).buy) for number in range(buyers)]
    extras = [Process(world, 10 + number, wanted, guards) for number in range(3)]
    actors.append(greenlet(extras[0].recover))
    if compact and rng.random() < 0.5:
        actors.append(greenlet(extras[1].compact))
    if resubmit:
        actors.append(greenlet(extras[2].give_up))
    if retry:
        actors += [greenlet(Process(world, 20 + number, wanted, guards).retry) for number in range(3)]
    world.running = True
    killed = rng.random() * 0.01
    while actors:
        actor = rng.choice(actors)
        # A process seldom runs alone for one call only: bursts make the rare orders likely.
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            if rng.random() < killed:
                world.dead.append(actor)  # never resumed: SIGKILL between two storage calls
                actors.remove(actor)
                break
            with contextlib.suppress(HistoryBusy):  # the command exits with 4 and is run again later
                actor.switch()
            if actor.dead:
                actors.remove(actor)
                break
        if rng.random() < 0.002:
            world.clock += timedelta(minutes=20)  # locks go stale, also under their living owners
    world.running = False
    world.bury()
    return _aftermath(world, wanted, resubmit=resubmit)


def _aftermath(world: World, wanted: int, *, resubmit: bool) -> Aftermath:
    world.clock += timedelta(hours=1)
    calm = Process(world, 99, wanted, Safeguards())
    calm.recover()
    calm.recover()
    book = fold(calm.journal, SealedIndex(calm.parts), [FINGERPRINT])
    standing = book.of(FINGERPRINT)
    requests = {row["request_id"]: row for row in _rows(calm, "requests") if row["outcome"] == "completed"}
    images = {row["image_id"] for row in _rows(calm, "images")}
    doubt = [entry for entry in book.live if entry.final is None]
    doubt_ids = {entry.request.request_id for entry in doubt if entry.request}
    given_up = {row["image_id"] for row in _rows(calm, "lifecycle") if row["event"] == "replaced"}
    known = sum(images_ for request, images_ in world.paid.items() if request in requests)
    lost = {request for request in world.paid if request not in requests and request not in doubt_ids}
    if not resubmit:
        assert not lost, "paid for, and neither in the history nor in doubt"
    return Aftermath(
        wanted=wanted,
        paid=sum(world.paid.values()),
        images_paid_known=known,
        image_rows=len(images),
        counted=standing.counted,
        replaced=len(given_up),
        in_doubt=doubt,
        resubmitted=resubmit,
        journal_left=len(calm.journal.names()),
    )


def _rows(process: Process, dataset: str) -> list[dict[str, Any]]:
    listing = process.parts.listing(dataset)
    return process.parts.read(listing, dataset).to_pylist()
