"""The journal's records, and the pure rules for what an entry's records mean together.

An entry is (fingerprint, n), n = 0, 1, 2 ... without gaps and never used twice. Its records are created once and
never changed, in this order:

``claim``  everything a stranger needs to finish the work, written before the money is spent
``ack``    the answer as it came, before anyone interprets it (it carries its claim along)
``end``    what became of each image; the entry is then waiting to be sealed into the history
``amend``  the true end of an entry that had been given up as void when its answer turned up after all
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError


class Step(StrEnum):
    """The kinds of record, in the order they come to be."""

    CLAIM = "claim"
    ACK = "ack"
    END = "end"
    AMEND = "amend"


class Outcome(StrEnum):
    """How a request ended. Only `COMPLETED` and `WRITTEN_OFF` count as bought."""

    COMPLETED = "completed"
    VOID = "void"
    REFUSED = "refused"
    WRITTEN_OFF = "written_off"

    @property
    def counted(self) -> bool:
        """Whether its images count towards what the manifest wants."""
        return self in (Outcome.COMPLETED, Outcome.WRITTEN_OFF)


class ImageStatus(StrEnum):
    """What became of one billed image."""

    STORED = "stored"
    WITHHELD = "withheld"
    LOST = "lost"


IMPORTED = "import"
"""Stands for the endpoint, and for the source of the price, where a picture was not bought here but taken over."""


# Else pydantic keeps the last 16,000 texts of all records that it read, each alone in its page of memory.
_UNCACHED = ConfigDict(cache_strings="keys")


@dataclass(frozen=True)
class Owner:
    """The process that made a claim, named so that its death can be proved on the same machine."""

    run_id: str
    boot_id: str
    pid_namespace: str
    pid: int
    started: str


@dataclass(frozen=True)
class Labels:
    """What people call the picture, and what was asked for: none of it is needed to find the money."""

    prompt_id: str
    variant: str
    prompt: str
    brand: str | None = None
    campaign: str | None = None
    tags: tuple[str, ...] = ()
    negative_prompt: str | None = None
    lettering: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    options: Mapping[str, Any] | None = None
    seed: int | None = None
    edition: str | None = None
    retention: str | None = None


@dataclass(frozen=True)
class Claim:
    """The intention to buy `images` pictures with one request. `price_usd` is per image."""

    __pydantic_config__ = _UNCACHED
    request_id: str
    run_id: str
    fingerprint: str
    n: int
    images: int
    origin: str
    model: str
    path: str
    body: Mapping[str, Any]
    labels: Labels
    name_template: str
    price_usd: Decimal
    price_source: str
    claimed_at: datetime
    owner: Owner

    @property
    def imported(self) -> bool:
        """Whether this takes a picture over that is on storage already: nothing is sent, and nothing costs anything."""
        return self.path == IMPORTED


@dataclass(frozen=True)
class Ack:
    """The answer to the paid request: HTTP status and body as received (`body` is base64 when not UTF-8)."""

    __pydantic_config__ = _UNCACHED
    request_id: str
    claim: Claim
    answered_at: datetime
    status: int
    body: str
    binary: bool = False
    x_request_id: str | None = None
    elapsed_s: float | None = None

    def raw(self) -> bytes:
        """The body's bytes."""
        return base64.b64decode(self.body) if self.binary else self.body.encode()


@dataclass(frozen=True)
class ImageRecord:
    """One billed image. `local_path` is relative to the asset storage; `url` has its signature removed.

    `etag` is the storage's own mark of these bytes (see `flows.storage.Stat`), taken once they were written.
    """

    index: int
    status: ImageStatus
    url: str | None = None
    is_image_safe: bool | None = None
    final_prompt: str | None = None
    resolution_reported: str | None = None
    seed: int | None = None
    expires_at: datetime | None = None
    stored_at: datetime | None = None
    local_path: str | None = None
    media_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    etag: str | None = None
    width: int | None = None
    height: int | None = None
    flaw: str | None = None


@dataclass(frozen=True)
class End:
    """What became of the request. `answered` is false when no answer is on record: it may yet turn up."""

    __pydantic_config__ = _UNCACHED
    request_id: str
    claim: Claim
    ended_at: datetime
    outcome: Outcome
    answered: bool
    reason: str = ""
    status: int | None = None
    reject_reason: str | None = None
    generation_id: str | None = None
    x_request_id: str | None = None
    generated_at: datetime | None = None
    answered_at: datetime | None = None
    latency_s: float | None = None
    cost_micros: int | None = None
    images: tuple[ImageRecord, ...] = ()


Record = Claim | Ack | End
_ADAPTERS: Mapping[Step, TypeAdapter[Any]] = {
    Step.CLAIM: TypeAdapter(Claim),
    Step.ACK: TypeAdapter(Ack),
    Step.END: TypeAdapter(End),
    Step.AMEND: TypeAdapter(End),
}


def dump(step: Step, record: Record) -> bytes:
    """A record as JSON."""
    return _ADAPTERS[step].dump_json(record)


def load(step: Step, data: bytes) -> Record | None:
    """A record from JSON, or None when it is torn: it then counts as present, with nothing known of it."""
    try:
        record: Record = _ADAPTERS[step].validate_json(data)
    except ValidationError:
        return None
    return record


def encoded(body: bytes) -> tuple[str, bool]:
    """A body for `Ack`: the text and whether it had to be base64."""
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


@dataclass(frozen=True, order=True)
class RecordName:
    """The name of one record, and when it was made by the storage's clock."""

    fingerprint: str
    n: int
    step: Step
    made: datetime

    @property
    def path(self) -> str:
        """Its path in the journal."""
        return f"{self.fingerprint}-{self.n}.{self.step}"


@dataclass(frozen=True)
class Entry:
    """The live records of one entry.

    `torn` says that a record is there but cannot be read; `given_up` that the history holds it as ended without
    an answer, `written_off` that it does so counting it as lost.
    """

    fingerprint: str
    n: int
    claim: Claim | None = None
    ack: Ack | None = None
    end: End | None = None
    amend: End | None = None
    torn: bool = False
    given_up: bool = False
    written_off: bool = False
    names: tuple[RecordName, ...] = ()

    @property
    def id(self) -> str:
        """Its request id; the entry's own name where even that cannot be read."""
        return self.request.request_id if self.request else f"{self.fingerprint}-{self.n}"

    @property
    def origin(self) -> str | None:
        """Which API it was asked of; None where that cannot be read."""
        return self.request.origin if self.request else None

    @property
    def touched(self) -> datetime | None:
        """When the newest record was made, by the storage's clock."""
        return max((name.made for name in self.names), default=None)

    @property
    def late(self) -> bool:
        """An answer that turned up after the entry had been given up: paid, and still to be finished."""
        abandoned = self.given_up or (self.end is not None and not self.end.answered)
        return self.ack is not None and abandoned and self.amend is None

    @property
    def final(self) -> End | None:
        """The end that stands, or None while the entry is open or its late answer is unfinished."""
        return self.amend or (None if self.late else self.end)

    @property
    def request(self) -> Claim | None:
        """The claim, wherever a copy of it survives."""
        if self.claim:
            return self.claim
        keeper = self.ack or self.amend or self.end
        return keeper.claim if keeper else None

    @property
    def imported(self) -> bool:
        """Whether it takes a picture over (see `Claim.imported`)."""
        return self.request is not None and self.request.imported

    @property
    def counted(self) -> int:
        """How many images this entry counts for towards what the manifest wants."""
        request = self.request
        if request is None:
            return 1  # torn: something was about to be bought, so assume it was
        if self.final is None:
            return request.images
        return request.images if self.final.outcome.counted else 0


def claimed_micros(claim: Claim) -> int:
    """What a request was expected to cost, in micro-dollars: prices have at most six decimals, so this is exact."""
    return int(claim.price_usd * claim.images * 1_000_000)


def settled_micros(end: End) -> int:
    """What a finished request cost in micro-dollars: by the API's word where it gave one, else by price."""
    if not end.outcome.counted:
        return 0
    if end.cost_micros is not None:
        return end.cost_micros
    return claimed_micros(end.claim)
