"""What an answer of the API means, decided from its status and body alone.

Pure: a recorded answer is read the same way by the process that received it and by one that finds it in the
journal a day later. Unknown fields are ignored, missing ones tolerated: vendors add, and it is paid for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flows.ideogram.catalogue import Endpoint


class Decline(StrEnum):
    """Why a request was turned away before it ran, grouped by what to do."""

    BUSY = "busy"  # 429: wait for own work to end
    KEY = "key"  # 401: stop the run
    FUNDS = "funds"  # 402: stop the run
    FORBIDDEN = "forbidden"  # 403: stop using this endpoint
    UNSAFE = "unsafe"  # 422: the prompt must change
    INVALID = "invalid"  # any other 4xx: the request must change


@dataclass(frozen=True)
class ImageAnswer:
    """One picture of an answer. `url` is None when the safety check withheld it (billed all the same)."""

    index: int
    url: str | None
    is_image_safe: bool | None = None
    prompt: str | None = None
    resolution: str | None = None
    upscaled_resolution: str | None = None
    seed: int | None = None
    style_type: str | None = None


@dataclass(frozen=True)
class Accepted:
    """The job runs; poll it by this id."""

    generation_id: str


@dataclass(frozen=True)
class Delivered:
    """The job is done and billed.

    `images` may be fewer than asked for; `cost_micros` is there only where the API states it.
    """

    images: tuple[ImageAnswer, ...]
    generation_id: str | None = None
    created: datetime | None = None
    cost_micros: int | None = None


@dataclass(frozen=True)
class Pending:
    """Still running."""


@dataclass(frozen=True)
class Failed:
    """The job failed and is not billed. `policy` says that the prompt, not luck, is to blame."""

    reason: str
    policy: bool


@dataclass(frozen=True)
class Declined:
    """Turned away before it ran, not billed."""

    decline: Decline
    status: int
    message: str
    reject_reason: str | None = None
    max_inflight: int | None = None


@dataclass(frozen=True)
class Doubtful:
    """The answer does not say whether the work ran (5xx, a page of HTML): assume it did."""

    why: str


@dataclass(frozen=True)
class Missing:
    """The API knows no generation of that id (poll only)."""

    message: str


Submission = Accepted | Delivered | Declined | Failed | Doubtful
Poll = Delivered | Pending | Failed | Missing | Doubtful


def read_submission(endpoint: Endpoint, status: int, body: bytes) -> Submission:
    """What the answer to a paid POST means."""
    if 400 <= status < 500:
        return _declined(status, body)
    if not 200 <= status < 300:
        return Doubtful(f"HTTP {status} without a word on whether the work ran")
    data = _object(body)
    if data is None:
        return Doubtful(f"HTTP {status} with a body that is not a JSON object")
    if data.get("status") == "failed":
        return _failed(data)
    generation = _text(data.get("generation_id"))
    # An empty list beside an id may only mean "not yet": the poll is free and knows, so ask it.
    if endpoint.asynchronous and generation and (not data.get("data") or data.get("status") == "pending"):
        return Accepted(generation)
    if isinstance(data.get("data"), list):
        return _delivered(data)
    return Doubtful(f"HTTP {status} with neither images nor a generation id")


def read_poll(status: int, body: bytes) -> Poll:
    """What the answer to ``GET /v2/generations/{id}`` means."""
    if status == 404:
        return Missing(_message(body) or "the API knows no such generation")
    if status != 200:
        return Doubtful(f"HTTP {status} from the poll")
    data = _object(body)
    if data is None:
        return Doubtful("the poll answered something that is not a JSON object")
    state = data.get("status")
    if state == "pending":
        return Pending()
    if state == "failed":
        return _failed(data)
    if isinstance(data.get("data"), list):
        return _delivered(data)
    return Doubtful(f"the poll answered an unknown status {state!r}")


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _text(value: Any) -> str | None:
    return _clean(value) if isinstance(value, str) and value else None


def _clean(text: str) -> str:
    # JSON can spell half a surrogate pair, which no file can hold: a paid answer must not fail on that.
    return text.encode(errors="replace").decode()


def _whole(value: Any) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value if fits else None


def _message(body: bytes) -> str:
    """The human words of an error body: ``error``, ``message``, or a problem's ``detail`` and ``title``."""
    data = _object(body) or {}
    words = (data.get(key) for key in ("error", "message", "detail", "title"))
    return next((_clean(word).strip() for word in words if isinstance(word, str) and word.strip()), "")[:500]


def _declined(status: int, body: bytes) -> Declined:
    data = _object(body) or {}
    known = {
        401: Decline.KEY,
        402: Decline.FUNDS,
        403: Decline.FORBIDDEN,
        422: Decline.UNSAFE,
        429: Decline.BUSY,
    }
    return Declined(
        decline=known.get(status, Decline.INVALID),
        status=status,
        message=_message(body) or f"HTTP {status}",
        reject_reason=_text(data.get("reject_reason")),
        max_inflight=_whole(data.get("max_inflight_requests")),
    )


def _failed(data: dict[str, Any]) -> Failed:
    reason = _text(data.get("failure_reason")) or "no reason given"
    policy = any(word in reason.lower() for word in ("policy", "safety", "unsafe", "moderation", "copyright"))
    return Failed(reason, policy)


def _delivered(data: dict[str, Any]) -> Delivered:
    images = tuple(_image(index, item) for index, item in enumerate(data["data"]) if isinstance(item, dict))
    return Delivered(
        images=images,
        generation_id=_text(data.get("generation_id")),
        created=_instant(data.get("created")),
        cost_micros=_whole(data.get("usage_cost_usd_micros")),
    )


def _image(index: int, item: dict[str, Any]) -> ImageAnswer:
    safe = item.get("is_image_safe")
    return ImageAnswer(
        index=index,
        url=_text(item.get("url")),
        is_image_safe=safe if isinstance(safe, bool) else None,
        prompt=_clean(item["prompt"]) if isinstance(item.get("prompt"), str) else None,
        resolution=_text(item.get("resolution")),
        upscaled_resolution=_text(item.get("upscaled_resolution")),
        seed=_whole(item.get("seed")),
        style_type=_text(item.get("style_type")),
    )


def _instant(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None
