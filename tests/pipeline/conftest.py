"""An event loop whose clock jumps, so that a deadlock is seen at once; and a run whose API and storages can fail."""

from __future__ import annotations

import asyncio
import io
import json
import os
import selectors
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from PIL import Image

from flows.budget.limits import Budget, Caps
from flows.errors import StorageTrouble
from flows.history.claims import ClaimDesk
from flows.history.fold import Book, fold
from flows.history.index import SealedIndex
from flows.history.journal import Journal
from flows.history.owners import this_process
from flows.history.parts import Parts
from flows.history.seal import Sealer
from flows.ideogram.catalogue import CATALOGUE
from flows.ids import sha256, uuid7
from flows.manifest.variant import Variant, fingerprint
from flows.pipeline.governor import Governor
from flows.pipeline.kit import Kit, Progress, Rules
from flows.pipeline.queue import ByExpiry
from flows.pipeline.till import Till
from flows.planner import Item, Plan, Verdict
from flows.storage import LocalStorage, Storage


class _Jumping(selectors.DefaultSelector):
    """Never waits: tells the loop instead how much time would have passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("deadlock: everybody waits and nothing is due")
        if not ready and timeout:
            self.now += timeout
            if self.now > 1_000_000:
                raise RuntimeError("livelock: days have passed")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """For coroutines that use neither threads nor sockets."""

    def __init__(self) -> None:
        self._clock = _Jumping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


Virtually = Callable[[Coroutine[Any, Any, Any]], tuple[Any, float]]


@pytest.fixture
def virtually() -> Virtually:
    """Runs a coroutine in virtual time: its result, and how many seconds it took."""

    def run(work: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            loop = runner.get_loop()
            began = loop.time()
            return runner.run(work), loop.time() - began

    return run


@dataclass
class Clock:
    """Time that passes only where somebody waits, or a test says so."""

    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def uptime(self) -> float:
        return self.now.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.forward(seconds)
        await asyncio.sleep(0.001)


@dataclass(frozen=True)
class Reply:
    """An answer of the API."""

    status: int = 200
    body: bytes = b"{}"
    request_id: str | None = "x-1"
    server_time: datetime | None = None
    elapsed_s: float = 0.1


@dataclass(frozen=True)
class Got:
    """A finished download."""

    bytes: int
    sha256: str


def png(size: tuple[int, int] = (64, 64), colour: int = 0) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (colour % 256, 90, 20)).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class FakeApi:
    """An API that takes every request and delivers at the first poll, unless a script says otherwise.

    A script is a list of replies, exceptions and functions that make them, used up one by one.
    """

    submits: list[Any] = field(default_factory=list)
    polls: list[Any] = field(default_factory=list)
    downloads: list[Any] = field(default_factory=list)
    posted: list[Mapping[str, Any]] = field(default_factory=list)
    polled: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    exp: int = 1_900_000_000

    async def submit(self, path: str, body: Mapping[str, Any], *, deadline_s: float) -> Any:
        assert path.startswith("/")
        assert deadline_s > 0
        self.posted.append(body)
        if (scripted := await _next(self.submits)) is not None:
            return scripted
        generation = f"g{len(self.posted)}"
        request = body.get("image_request", body)
        self.asked[generation] = request["num_images"]
        if "image_request" in body:
            return Reply(body=json.dumps({"created": None, "data": self.links(generation)}).encode())
        return Reply(body=json.dumps({"generation_id": generation}).encode())

    async def poll(self, generation_id: str) -> Any:
        self.polled.append(generation_id)
        if (scripted := await _next(self.polls)) is not None:
            return scripted
        return self.delivery(self.links(generation_id))

    async def download(self, url: str, into: BinaryIO) -> Got:
        self.fetched.append(url)
        data = await _next(self.downloads)
        data = png() if data is None else data
        into.write(data)
        return Got(len(data), sha256(data))

    def links(self, generation: str, mark: str = "") -> list[dict[str, Any]]:
        images = range(self.asked.get(generation, 1))
        url = f"https://ideogram.ai/{generation}"
        return [{"url": f"{url}/{n}{mark}.png?exp={self.exp}&sig=s", "resolution": "64x64", "seed": n} for n in images]

    @staticmethod
    def delivery(data: list[dict[str, Any]], **more: Any) -> Reply:
        return Reply(body=json.dumps({"status": "completed", "data": data, **more}).encode())


async def _next(script: list[Any]) -> Any:
    if not script:
        return None
    step = script.pop(0)
    if callable(step):
        step = step()
    if asyncio.iscoroutine(step):
        step = await step
    if isinstance(step, BaseException):
        raise step
    return step


@dataclass
class Flaky:
    """A storage that can be made to fail: `broken` says for which operations on which paths."""

    inner: Storage
    broken: Callable[[str, str], bool] = lambda _op, _path: False
    role: str = ""
    free: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _check(self, op: str, path: str) -> None:
        if self.broken(op, path):
            raise StorageTrouble(f"could not {op} {path}")

    def sub(self, path: str) -> Flaky:
        return Flaky(self.inner.sub(path), lambda op, name: self.broken(op, f"{path}/{name}"))

    def read(self, path: str) -> bytes | None:
        self._check("read", path)
        return self.inner.read(path)

    def write(self, path: str, data: Any) -> None:
        self._check("write", path)
        self.inner.write(path, data)

    def create(self, path: str, data: bytes) -> bool:
        self._check("create", path)
        return self.inner.create(path, data)

    def list(self, prefix: str = "") -> list[Any]:
        self._check("list", prefix)
        return self.inner.list(prefix)

    def delete(self, paths: Iterable[str]) -> None:
        paths = list(paths)
        for path in paths:
            self._check("delete", path)
        self.inner.delete(paths)

    def free_bytes(self) -> int | None:
        return self.free


@dataclass
class World:
    """All that a run works with, in one process, with a clock of its own."""

    assets: Flaky
    history: Flaky
    clock: Clock = field(default_factory=Clock)
    api: FakeApi = field(default_factory=FakeApi)
    told: list[Progress] = field(default_factory=list)

    def new_id(self) -> str:
        self.clock.forward(0.001)
        return uuid7(self.clock.now, os.urandom)

    def kit(self, *, cap: str | None = None, limit: int = 10, **rules: Any) -> Kit:
        """A kit for one run of a process of its own."""
        history: Any = self.history
        assets: Any = self.assets
        journal = Journal(history.sub(".journal"))
        parts = Parts(history, self.new_id)
        owner = this_process(self.new_id())
        return Kit(
            api=self.api,
            assets=assets,
            history=history,
            journal=journal,
            desk=ClaimDesk(journal, SealedIndex(parts), lambda _: None),
            sealer=Sealer(journal, parts, owner, lambda _: None),
            governor=Governor(limit),
            downloads=ByExpiry(4),
            till=Till(
                Budget(Caps(per_run_usd=Decimal(cap) if cap else None), UTC),
                lambda _: (0, 0),
                lambda: self.clock.now,
                self.clock.uptime,
            ),
            owner=owner,
            origin="sandbox",
            rules=Rules(**{"reserve_bytes": 0, **rules}),
            now=lambda: self.clock.now,
            uptime=self.clock.uptime,
            entropy=os.urandom,
            random=lambda: 0.5,
            tell=self.told.append,
            sleep=self.clock.sleep,
        )

    @staticmethod
    def item(count: int = 1, *, name: str = "hero", model: str = "ideogram-3", counted: int = 0) -> Item:
        """A line of the plan that buys so many images."""
        variant = Variant(name, name, {}, CATALOGUE[model], f"a picture of {name}", count + counted, brand="helio")
        print_ = fingerprint(variant, "sandbox")
        return Item(variant, print_, Verdict.BUY, "new", count + counted, counted, count, Decimal("0.06"), "a test")

    @staticmethod
    def plan(*items: Item) -> Plan:
        return Plan("sandbox", items, {})

    def book(self, *prints: str) -> Book:
        """The books as anybody would read them now."""
        parts = Parts(self.history.inner, self.new_id)
        return fold(Journal(self.history.inner.sub(".journal")), SealedIndex(parts), prints)

    def rows(self, dataset: str) -> list[dict[str, Any]]:
        parts = Parts(self.history.inner, self.new_id)
        found: list[dict[str, Any]] = parts.read(parts.listing(dataset), dataset).to_pylist()
        return found

    def journal(self) -> list[str]:
        """What the journal holds: ``0.claim``, ``0.ack`` ... of all fingerprints."""
        names = [stat.path for stat in self.history.inner.sub(".journal").list()]
        return sorted(name.rpartition("-")[2] for name in names)

    def pictures(self) -> list[str]:
        return [stat.path for stat in self.assets.inner.list() if not stat.path.endswith(".json")]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Storages on this disk, an API that can be scripted."""
    return World(Flaky(LocalStorage(tmp_path / "assets")), Flaky(LocalStorage(tmp_path / "history")))


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Makes small pictures."""
    return png


@pytest.fixture
def reply() -> Callable[..., Reply]:
    """Makes answers: status, then the body as JSON."""

    def make(code: int = 200, /, **body: Any) -> Reply:
        return Reply(code, json.dumps(body).encode())

    return make
