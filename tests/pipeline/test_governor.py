"""The governor in virtual time, against an API that counts as the real one does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.pipeline.governor import PATIENCE, Governor


@dataclass
class Server:
    """Takes requests while there is room among `limit` images, some of which others may use."""

    limit: int
    tells: bool = True
    others: int = 0
    running: int = 0
    peak: int = 0
    busy: int = 0
    taken: list[int] = field(default_factory=list)

    def submit(self, images: int) -> bool:
        if self.running + self.others + images > self.limit:
            self.busy += 1
            return False
        self.running += images
        self.peak = max(self.peak, self.running)
        self.taken.append(images)
        return True


async def request(governor: Governor, server: Server, images: int, seconds: float, *, trip: float = 0.05) -> None:
    """What buying does: hold, ask, wait, and try again after 429."""
    while True:
        async with governor.hold(images) as place:
            await asyncio.sleep(trip)
            if server.submit(images):
                place.accepted()
                try:
                    await asyncio.sleep(seconds)
                finally:
                    server.running -= images
                place.release()
                return
            place.refused(server.limit if server.tells else None)


async def crowd(governor: Governor, server: Server, work: Sequence[tuple[int, float]], *, trip: float = 0.0) -> None:
    await asyncio.gather(*(request(governor, server, images, seconds, trip=trip) for images, seconds in work))


def bound(work: Sequence[tuple[int, float]], limit: int) -> float:
    """No schedule is shorter: the area of the work, its longest piece, and what can only go one by one."""
    area = sum(images * seconds for images, seconds in work) / limit
    alone = sum(seconds for images, seconds in work if images * 2 > limit)
    return max(area, alone, *(seconds for _, seconds in work))


@pytest.mark.parametrize("seed", range(20))
# Mixes whose pieces can fill ten places; for (4,) or (2, 4, 8) the area is no schedule that anybody could keep.
@pytest.mark.parametrize("kinds", [(1,), (1, 2, 4), (1, 1, 1, 8), (1, 2, 3, 4, 5)])
def test_mixed_requests_take_hardly_longer_than_they_must(virtually: Any, kinds: tuple[int, ...], seed: int) -> None:
    """Never more than ten images at once, no 429, and within a tenth of the shortest time there is."""
    rng = random.Random(seed)
    work = [(rng.choice(kinds), rng.uniform(4, 20)) for _ in range(150)]
    server, governor = Server(10), Governor(10)
    _, took = virtually(crowd(governor, server, work))
    assert server.peak <= 10
    assert server.busy == 0
    assert len(server.taken) == len(work)
    assert took <= 1.10 * bound(work, 10), took / bound(work, 10)
    assert governor.in_flight == 0
    assert governor.peak <= 10


def test_a_large_request_is_not_starved_by_small_ones(virtually: Any) -> None:
    """It is passed over a bounded number of times, however many small ones keep coming."""
    server, governor = Server(10), Governor(10)

    async def scenario() -> None:
        small = [asyncio.create_task(request(governor, server, 1, 5 + n % 7)) for n in range(300)]
        await asyncio.sleep(1)
        large = asyncio.create_task(request(governor, server, 8, 5))
        await large
        await asyncio.gather(*small)

    virtually(scenario())
    assert 8 in server.taken[: 10 + 10 + PATIENCE + 300]
    assert server.taken.index(8) <= 300


def test_small_requests_are_not_starved_by_large_ones(virtually: Any) -> None:
    """Large ones go first, but one that was passed over too often goes next whatever its size."""
    server, governor = Server(10), Governor(10)

    async def scenario() -> None:
        first = asyncio.create_task(request(governor, server, 10, 5))
        await asyncio.sleep(0.01)
        small = asyncio.create_task(request(governor, server, 1, 5))
        await asyncio.sleep(0.01)
        large = [asyncio.create_task(request(governor, server, 10, 5)) for _ in range(200)]
        await asyncio.gather(first, small, *large)

    virtually(scenario())
    assert server.taken.index(1) <= PATIENCE + 1


@pytest.mark.parametrize("seed", range(5))
def test_a_lower_limit_is_learned_from_the_first_refusals(virtually: Any, seed: int) -> None:
    """Six places where ten were expected: the first burst is refused in part, and nothing after it."""
    rng = random.Random(seed)
    work = [(rng.choice((1, 2)), rng.uniform(4, 20)) for _ in range(100)]
    server, governor = Server(6), Governor(10)
    _, took = virtually(crowd(governor, server, work, trip=0.05))
    assert governor.limit == 6
    assert server.busy <= 4
    assert server.peak <= 6
    assert took <= 1.15 * bound(work, 6)


@pytest.mark.parametrize("others", [3, 6, 9])
def test_places_that_others_use_are_found_out_without_a_storm(virtually: Any, others: int) -> None:
    """Nobody says how many places are ours: refusals stay rare, and the places that are free are used."""
    rng = random.Random(others)
    work = [(1, rng.uniform(4, 20)) for _ in range(200)]
    server, governor = Server(10, others=others), Governor(10)
    _, took = virtually(crowd(governor, server, work, trip=0.05))
    assert server.busy <= 10 + len(work) * 0.1
    assert took <= 1.3 * bound(work, 10 - others)


def test_places_that_others_leave_are_taken(virtually: Any) -> None:
    """When the others are done, the pace of the whole organisation is ours again."""
    server, governor = Server(10, others=9), Governor(10)

    async def scenario() -> float:
        running = asyncio.create_task(crowd(governor, server, [(1, 10.0)] * 200, trip=0.05))
        await asyncio.sleep(60)
        server.others = 0
        began = asyncio.get_running_loop().time()
        await running
        return asyncio.get_running_loop().time() - began

    took, _ = virtually(scenario())
    assert server.peak == 10
    assert took <= 2 * 200 * 10 / 10


def test_a_429_with_nothing_in_flight_waits_and_tries_again(virtually: Any) -> None:
    """All places are used by others: pauses grow, one request at a time knocks, and nothing hangs."""
    server, governor = Server(10, others=10), Governor(10)

    async def scenario() -> None:
        running = asyncio.create_task(crowd(governor, server, [(2, 5.0)] * 12, trip=0.05))
        await asyncio.sleep(120)
        assert server.busy <= 5 + 8, "the door stays shut in between"
        server.others = 0
        await running

    virtually(scenario())
    assert len(server.taken) == 12


def test_work_found_running_is_counted(virtually: Any) -> None:
    """What a dead run left in progress occupies places, even more of them than there are."""
    governor = Governor(10)

    async def scenario() -> None:
        found = [governor.occupy(4) for _ in range(3)]
        assert governor.in_flight == 12
        waiting = asyncio.create_task(request(governor, Server(10), 1, 1))
        await asyncio.sleep(1)
        assert not waiting.done()
        for place in found:
            place.release()
            place.release()  # harmless
        await waiting

    virtually(scenario())
    assert governor.in_flight == 0


def test_a_cancelled_wait_gives_its_room_back(virtually: Any) -> None:
    """Cancelled while waiting, and cancelled at the very moment of being let in."""
    governor = Governor(2)

    async def scenario() -> None:
        async with governor.hold(2):
            waiting = asyncio.create_task(request(governor, Server(10), 2, 1))
            await asyncio.sleep(1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            late = asyncio.create_task(request(governor, Server(10), 2, 1))
            await asyncio.sleep(1)
        late.cancel()  # it was let in a moment ago and does not know yet
        with pytest.raises(asyncio.CancelledError):
            await late
        assert governor.in_flight == 0
        await request(governor, Server(10), 2, 1)

    virtually(scenario())


JOBS = st.lists(
    st.tuples(
        st.integers(1, 8),  # images
        st.floats(0, 20),  # comes at
        st.floats(0.1, 10),  # takes
        st.one_of(st.none(), st.floats(0, 30)),  # is cancelled at
    ),
    min_size=1,
    max_size=30,
)


@given(
    jobs=JOBS,
    limit=st.integers(8, 12),
    real=st.integers(8, 12),
    tells=st.booleans(),
    foreign=st.lists(st.tuples(st.floats(0, 30), st.integers(0, 12)), max_size=5),
    found=st.lists(st.tuples(st.integers(1, 8), st.floats(0.1, 30)), max_size=3),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_nobody_waits_for_ever_and_no_place_is_lost(
    virtually: Any,
    jobs: list[tuple[int, float, float, float | None]],
    limit: int,
    real: int,
    tells: bool,
    foreign: list[tuple[float, int]],
    found: list[tuple[int, float]],
) -> None:
    """Cancellations, foreign load, refusals, work found running: every request ends, every place comes back."""
    governor, server = Governor(limit, random.Random(1).random), Server(real, tells=tells)

    async def job(images: int, start: float, seconds: float, cancel: float | None) -> None:
        await asyncio.sleep(start)
        task = asyncio.create_task(request(governor, server, images, seconds))
        if cancel is not None:
            await asyncio.wait({task}, timeout=cancel)
            if not task.done():
                task.cancel()
        await asyncio.wait({task})

    async def others(at: float, images: int) -> None:
        await asyncio.sleep(at)
        server.others = images

    async def inherited(images: int, seconds: float) -> None:
        place = governor.occupy(images)
        await asyncio.sleep(seconds)
        place.release()

    async def leave() -> None:
        await asyncio.sleep(60)
        server.others = 0

    async def scenario() -> None:
        await asyncio.gather(
            *(job(*one) for one in jobs),
            *(others(*one) for one in foreign),
            *(inherited(*one) for one in found),
            leave(),
        )

    virtually(scenario())
    assert governor.in_flight == 0
    assert governor.room >= 1
    most = max([governor.peak - sum(images for images, _ in found), 0])
    assert most <= max(limit, *(images for images, *_ in jobs))
