"""Canonical JSON, digests, and ids that sort by time.

It knows how things are named and compared; never what they mean. Time and randomness are arguments.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any


def canonical_json(value: Any) -> str:
    """The one spelling of a JSON value: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, as 64 hex characters."""
    return sha256(canonical_json(value).encode())


def sha256(data: bytes) -> str:
    """SHA-256 of bytes, as 64 hex characters."""
    return hashlib.sha256(data).hexdigest()


def uuid7(now: datetime, entropy: Callable[[int], bytes]) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of `now` in milliseconds, then 74 bits from `entropy(10)`."""
    millis = int(now.timestamp() * 1000)
    random = int.from_bytes(entropy(10), "big")
    value = (millis & (2**48 - 1)) << 80
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | (random & (2**62 - 1))
    return str(uuid.UUID(int=value))


def time_of(uuid7_id: str) -> datetime:
    """The UTC instant inside a UUIDv7, to the millisecond."""
    millis = uuid.UUID(uuid7_id).int >> 80
    return datetime.fromtimestamp(millis / 1000, tz=UTC)


def month_of(uuid7_id: str) -> str:
    """The UTC month a UUIDv7 was made in, as ``2026-11``: the history's partition key."""
    return time_of(uuid7_id).strftime("%Y-%m")
