"""Downloads wait their turn: the link that dies first goes first."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.pipeline.queue import ByExpiry

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_earliest_expiry_goes_first_and_never_too_many_at_once(virtually: Any) -> None:
    """Forty links in any order, three places."""
    queue, order, running, peak = ByExpiry(3), [], [0], [0]

    async def one(minutes: int) -> None:
        async with queue.turn(NOON + timedelta(minutes=minutes)):
            order.append(minutes)
            running[0] += 1
            peak[0] = max(peak[0], running[0])
            await asyncio.sleep(1)
            running[0] -= 1

    async def scenario() -> None:
        minutes = list(range(40))
        random.Random(1).shuffle(minutes)
        await asyncio.gather(*(one(minute) for minute in minutes))

    virtually(scenario())
    assert peak[0] == 3
    assert order[3:] == sorted(order[3:])


def test_a_cancelled_turn_costs_nobody_a_place(virtually: Any) -> None:
    """Cancelled while waiting, at the moment of being let in, and inside."""

    async def scenario() -> None:
        queue = ByExpiry(1)

        async def one(seconds: float) -> None:
            async with queue.turn(NOON):
                await asyncio.sleep(seconds)

        inside = asyncio.create_task(one(10))
        await asyncio.sleep(1)
        waiting, let_in = asyncio.create_task(one(1)), asyncio.create_task(one(1))
        await asyncio.sleep(1)
        waiting.cancel()
        inside.cancel()
        await asyncio.sleep(0)
        let_in.cancel()
        for task in (inside, waiting, let_in):
            with pytest.raises(asyncio.CancelledError):
                await task
        await one(1)

    _, took = virtually(scenario())
    assert took < 5
