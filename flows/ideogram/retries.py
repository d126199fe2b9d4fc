"""The one retry policy: for requests that are free to repeat, and for those alone.

Knows when and how long to wait; not what is requested. A paid request never comes here.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import stamina

from flows.errors import ApiTrouble

T = TypeVar("T")

TRANSIENT_STATUSES = frozenset({408, 425, 429, *range(500, 600)})
"""Answers that say "not now" to a free request."""


@dataclass(frozen=True)
class RetryPolicy:
    """`attempts` counts the first one. Seconds; `retry_after_max_s` caps what a server may ask."""

    attempts: int
    wait_initial_s: float
    wait_max_s: float
    retry_after_max_s: float


class Again(Exception):
    """This attempt failed in a way that may pass.

    `final` is what the caller is told if it does not pass; `delay_s` is what the server asked us to wait.
    Its text is `final`'s: stamina logs it, so it must be as clean as any message.
    """

    def __init__(self, final: ApiTrouble, delay_s: float | None = None) -> None:
        super().__init__(str(final))
        self.final = final
        self.delay_s = delay_s


async def persist(policy: RetryPolicy, step: Callable[[], Awaitable[T]]) -> T:
    """Await `step()` until it succeeds or the policy gives up; then raise the last `Again.final`.

    Waits grow with jitter; where the server named a delay that is used instead, capped, with jitter on top
    so that ten waiting downloads do not come back in the same instant.
    """

    def wait(error: Exception) -> bool | float:
        if not isinstance(error, Again):
            return False
        if error.delay_s is None:
            return True
        return min(error.delay_s, policy.retry_after_max_s) + random.uniform(0, 1)

    try:
        async for attempt in stamina.retry_context(
            on=wait,
            attempts=policy.attempts,
            timeout=None,  # the caller's deadline bounds the whole, waits included
            wait_initial=policy.wait_initial_s,
            wait_max=policy.wait_max_s,
            wait_jitter=policy.wait_initial_s,
        ):
            with attempt:
                return await step()
    except Again as again:
        final = again.final
    # Raised out here, so that no frame and no chained exception of the HTTP library (which hold the request
    # with its key, and the signed link) hang on what we hand out.
    raise final


def parse_http_date(value: str | None) -> datetime | None:
    """An HTTP date as UTC, or None when there is none that can be read."""
    try:
        moment = parsedate_to_datetime(value or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait according to a ``Retry-After`` header in either of its forms; None without one."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    moment = parse_http_date(text)
    return max(0.0, (moment - now).total_seconds()) if moment else None
