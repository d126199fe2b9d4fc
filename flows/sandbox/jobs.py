"""Jobs, and the ledger that their rows add up to. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict


@dataclass(frozen=True)
class Job:
    """One accepted request. `failure` is why it will fail when its time has come, None if it will not."""

    id: str
    path: str
    model: str
    body_digest: str
    prompt: str
    final_prompt: str
    options: Mapping[str, Any]
    seed: int
    images: int
    image_ids: tuple[str, ...]
    withheld: tuple[int, ...]
    width: int
    height: int
    micros: int
    asynchronous: bool
    submitted_at: float
    due_at: float
    scale: int = 1
    failure: str | None = None
    acknowledged_at: float | None = None

    def status(self, now: float) -> str:
        """running, completed or failed."""
        if now < self.due_at:
            return "running"
        return "failed" if self.failure else "completed"


class LedgerEntry(TypedDict):
    """One request that ran."""

    generation_id: str
    path: str
    model: str
    body_digest: str
    prompt: str
    seed: int
    images: int
    micros: int
    status: str
    failure_reason: str | None
    billed: bool
    submitted_at: str
    completed_at: str | None
    acknowledged: bool


class Ledger(TypedDict):
    """Everything that ran, and what was charged for it."""

    billed_micros: int
    billed_images: int
    running_images: int
    requests: list[LedgerEntry]


def ledger_of(jobs: Iterable[Job], now: float) -> Ledger:
    """What ran and what it cost, in the order given."""
    listed = list(jobs)
    billed = [job for job in listed if job.status(now) == "completed"]
    return {
        "billed_micros": sum(job.micros for job in billed),
        "billed_images": sum(job.images for job in billed),
        "running_images": sum(job.images for job in listed if job.status(now) == "running"),
        "requests": [_entry(job, now) for job in listed],
    }


def to_row(job: Job) -> str:
    """All of a job that never changes, as JSON."""
    details = {name: value for name, value in job.__dict__.items() if name not in ("failure", "acknowledged_at")}
    return json.dumps({**details, "options": dict(job.options)}, ensure_ascii=False)


def from_row(details: str, failure: str | None, acknowledged_at: float | None) -> Job:
    """A job as its row tells it."""
    data = json.loads(details)
    data["image_ids"] = tuple(data["image_ids"])
    data["withheld"] = tuple(data["withheld"])
    return Job(**data, failure=failure, acknowledged_at=acknowledged_at)


def _entry(job: Job, now: float) -> LedgerEntry:
    status = job.status(now)
    return {
        "generation_id": job.id,
        "path": job.path,
        "model": job.model,
        "body_digest": job.body_digest,
        "prompt": job.prompt,
        "seed": job.seed,
        "images": job.images,
        "micros": job.micros,
        "status": status,
        "failure_reason": job.failure if status == "failed" else None,
        "billed": status == "completed",
        "submitted_at": instant(job.submitted_at),
        "completed_at": None if status == "running" else instant(job.due_at),
        "acknowledged": job.acknowledged_at is not None,
    }


def instant(seconds: float) -> str:
    """Epoch seconds as the ISO 8601 that the API writes."""
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds")
