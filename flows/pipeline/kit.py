"""Everything a run works with, handed in: the client, the storages, the clock, the rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Protocol

from flows.history.claims import ClaimDesk
from flows.history.journal import Journal
from flows.history.records import Owner
from flows.history.seal import Sealer
from flows.ids import uuid7
from flows.pipeline.governor import Governor
from flows.pipeline.queue import ByExpiry
from flows.pipeline.till import Till
from flows.storage import NO_SPACE, Storage


class Answer(Protocol):
    """An HTTP answer, uninterpreted."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def server_time(self) -> datetime | None: ...
    @property
    def elapsed_s(self) -> float: ...


class Fetched(Protocol):
    """A finished download."""

    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


class Api(Protocol):
    """The three calls of the API that a run makes. Errors are those of `flows.errors.ApiTrouble`."""

    async def submit(self, path: str, body: Mapping[str, Any], *, deadline_s: float) -> Answer: ...
    async def poll(self, generation_id: str) -> Answer: ...
    async def download(self, url: str, into: BinaryIO) -> Fetched: ...


@dataclass(frozen=True)
class Rules:
    """The numbers a run keeps to. Times in seconds, sizes in bytes."""

    images_per_request: int = 1
    private: bool = True
    submit_s: float = 30
    synchronous_s: float = 180
    poll_first_s: float = 1.0
    poll_most_s: float = 5.0
    job_s: float = 600
    busy_s: float = 600
    claim_to_post_s: float = 60
    record_patience_s: float = 600
    download_tries: int = 4
    void_tries: int = 3
    unreachable_tries: int = 6
    seal_entries: int = 250
    seal_s: float = 300
    reserve_bytes: int = 256 << 20
    image_bytes: int = 16 << 20
    lost_job_after: timedelta = timedelta(hours=24)
    name_template: str = "{brand}/{campaign}/{prompt_id}/{date}_{variant}_{image_id}.{ext}"


@dataclass
class Stop:
    """Why no further claim is made. The first reason stands; what was sent is still finished.

    `full` says that it is for want of space.
    """

    reason: str | None = None
    remedy: str = ""
    full: bool = False

    def ask(self, reason: str, remedy: str = "", *, full: bool = False) -> None:
        """Make no further claim."""
        if self.reason is None:
            self.reason, self.remedy, self.full = reason, remedy, full or NO_SPACE in reason

    def __bool__(self) -> bool:
        return self.reason is not None


@dataclass(frozen=True)
class Progress:
    """Something worth showing: `what` is bought, stored, withheld, lost, void, refused, doubt, recovered or sealed."""

    what: str
    name: str
    images: int = 0


@dataclass(frozen=True)
class Kit:
    """What a run is given. `uptime` counts seconds even while the machine sleeps."""

    api: Api
    assets: Storage
    history: Storage
    journal: Journal
    desk: ClaimDesk
    sealer: Sealer
    governor: Governor
    downloads: ByExpiry
    till: Till
    owner: Owner
    origin: str
    rules: Rules
    now: Callable[[], datetime]
    uptime: Callable[[], float]
    entropy: Callable[[int], bytes]
    random: Callable[[], float]
    tell: Callable[[Progress], None] = lambda _: None
    stop: Stop = field(default_factory=Stop)
    closed: dict[str, str] = field(default_factory=dict)  # endpoints that answered 403, and what they said
    unrecorded: dict[str, str] = field(default_factory=dict)  # request id -> answer the journal could not take
    sleep: Callable[[float], Any] = asyncio.sleep
    # Records have threads of their own: an answer must not wait for its place behind six uploads of pictures.
    recorder: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "journal"))
    # One seals at a time, and always in the same thread: the C library keeps a heap for each thread, and sealing
    # hundreds of requests in one after the other would let every heap grow to the size of the largest batch.
    sealing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "sealing"))

    # A picture takes four bytes a pixel while it is looked at, and some milliseconds: far less than it takes to arrive,
    # so that several at once would gain nothing but a larger peak.
    inspecting: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "inspect"))

    @property
    def run_id(self) -> str:
        """This run."""
        return self.owner.run_id

    def new_id(self) -> str:
        """A fresh id that sorts by time."""
        return uuid7(self.now(), self.entropy)
