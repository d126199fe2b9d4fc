"""The run: what happens to all the others when something happens to one."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from flows.history.records import Outcome, Owner
from flows.pipeline import run as module
from flows.pipeline.buy import buy
from flows.pipeline.run import run


def fates(tally: Any) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (_, fate), images in tally.counts.items():
        found[fate] += images
    return dict(found)


def conduct(kit: Any, plan: Any, abandoned: Any = ()) -> Any:
    return asyncio.run(asyncio.wait_for(run(kit, plan, abandoned), 60))


def test_a_plan_is_carried_out_and_sealed(world: Any) -> None:
    """Everything bought, the journal empty, a row for each image."""
    kit = world.kit(images_per_request=4)
    tally = conduct(kit, world.plan(world.item(5, name="a"), world.item(3, name="b")))
    assert fates(tally) == {"stored": 8}
    assert world.journal() == []
    assert len(world.rows("images")) == 8
    assert sorted(body["num_images"] for body in world.api.posted) == [1, 3, 4]
    assert sum(tally.micros.values()) == 480_000
    assert kit.till.budget.run_micros == 480_000


def test_a_bug_in_one_order_lets_the_others_finish_and_is_then_raised(world: Any) -> None:
    """What was sent is recorded and sealed; nothing further is claimed."""
    world.api.submits = [None, RuntimeError("a bug of ours"), None]
    with pytest.raises(RuntimeError, match="a bug of ours"):
        conduct(world.kit(limit=3), world.plan(world.item(30)))
    rows = world.rows("requests")
    completed = [row for row in rows if row["outcome"] == "completed"]
    assert 1 <= len(completed) <= 6
    assert len(world.rows("images")) == len(completed)
    assert [entry.n for entry in world.book().live if entry.final is None] == [1], "in doubt: its answer was lost"


@pytest.mark.parametrize("moment", ["submits", "polls", "downloads"])
def test_being_cancelled_waits_for_what_was_sent(world: Any, moment: str) -> None:
    """No paid request is cut off from its answer; then the cancellation goes on its way."""
    kit = world.kit(limit=4)

    async def scenario() -> None:
        task = asyncio.create_task(run(kit, world.plan(world.item(40))))

        async def cancel() -> None:
            task.cancel()
            await asyncio.sleep(0.05)

        getattr(world.api, moment).extend([None, cancel])
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(scenario(), 30))
    book = world.book()
    assert [entry for entry in book.live if entry.final is None] == []
    assert len(world.api.posted) == len(world.rows("images")) < 40
    assert kit.stop.reason == "cancelled"


def test_being_cancelled_twice_leaves_acknowledged_work_to_the_next_run(world: Any) -> None:
    """Whoever insists is not kept waiting: the journal knows what was sent."""
    kit = world.kit(limit=1)
    never = asyncio.Event

    async def scenario() -> None:
        task = asyncio.create_task(run(kit, world.plan(world.item(3))))

        async def hang() -> None:
            task.cancel()
            await asyncio.sleep(0.05)
            task.cancel()
            await never().wait()

        world.api.polls = [hang]
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(scenario(), 30))
    assert world.journal() == ["0.ack", "0.claim"]
    (entry,) = world.book().live
    tally = conduct(world.kit(), world.plan(), [entry])
    assert fates(tally) == {"recovered": 1}


def test_a_history_that_cannot_be_written_does_not_cost_the_report(world: Any) -> None:
    """The tally is returned, the run counts as stopped, the journal holds everything for the next one."""
    kit = world.kit()
    world.history.broken = lambda op, path: op == "write" and path.startswith("requests/")
    tally = conduct(kit, world.plan(world.item(2)))
    assert fates(tally) == {"stored": 2}
    assert "history could not be written" in kit.stop.reason
    assert len(world.journal()) == 6
    world.history.broken = lambda _op, _path: False
    conduct(world.kit(), world.plan())
    assert world.journal() == []
    assert len(world.rows("images")) == 2


def test_books_that_do_not_fit_together_stop_the_run_in_words(world: Any) -> None:
    """Numbers are missing: nothing is bought on such books."""
    world.api.submits = []
    conduct(world.kit(), world.plan(world.item(1)))
    (part,) = [stat.path for stat in world.history.inner.list("requests")]
    world.history.inner.delete([part])
    claim: Any = asyncio.run(buy(world.kit(), world.item(1, name="other"), 1))[0]
    world.history.inner.sub(".journal").write(f"{claim.fingerprint}-7.claim", b"{}")
    kit = world.kit()
    tally = conduct(kit, world.plan(world.item(2, name="other")))
    assert fates(tally) == {"left out": 2}
    assert "numbers are missing" in (kit.stop.reason or "")


def test_a_sealer_elsewhere_is_waited_for_and_then_named(world: Any) -> None:
    """What is not sealed is safe in the journal, and the report says so."""
    from flows.history.lock import _HELD, _Held

    away = Owner("run-x", "another machine", "", 1, "1")
    held = _HELD.dump_json(_Held(away, "theirs", world.clock.now))
    world.history.inner.sub(".locks").create("history.lock", held)
    tally = conduct(world.kit(), world.plan(world.item(1)))
    assert any("another run is writing the history" in trouble.happened for trouble in tally.troubles)
    assert world.journal() == ["0.ack", "0.claim", "0.end"]


def test_what_the_dead_left_is_finished_beside_the_buying(world: Any) -> None:
    """Their answers are followed, never posted again; their images are told apart from ours."""
    world.history.broken = lambda op, path: op == "create" and path.endswith(".end")
    asyncio.run(buy(world.kit(record_patience_s=0), world.item(2, name="theirs"), 2))
    world.history.broken = lambda _op, _path: False
    posted = len(world.api.posted)
    abandoned = world.book().live
    tally = conduct(world.kit(), world.plan(world.item(1, name="ours")), abandoned)
    assert fates(tally) == {"recovered": 2, "stored": 1}
    assert len(world.api.posted) == posted + 1
    assert world.journal() == []


def test_what_another_api_owes_is_left_to_runs_that_speak_to_it(world: Any) -> None:
    """An entry of the real API is not looked for in the sandbox."""
    world.history.broken = lambda op, path: op == "create" and path.endswith(".end")
    asyncio.run(buy(replace(world.kit(record_patience_s=0), origin="api.ideogram.ai"), world.item(1), 1))
    world.history.broken = lambda _op, _path: False
    polled = len(world.api.polled)
    assert fates(conduct(world.kit(), world.plan(), world.book().live)) == {}
    assert len(world.api.polled) == polled


def test_a_bug_while_recovering_lets_the_others_finish(world: Any) -> None:
    """One entry of the dead cannot be finished for a reason nobody thought of: it is raised, after all the rest."""
    world.history.broken = lambda op, path: op == "create" and path.endswith(".end")
    for name in ("x", "y", "z"):
        asyncio.run(buy(world.kit(record_patience_s=0), world.item(1, name=name), 1))
    world.history.broken = lambda _op, _path: False
    world.api.polls = [None, RuntimeError("a bug of ours"), None]
    with pytest.raises(RuntimeError, match="a bug of ours"):
        conduct(world.kit(), world.plan(), world.book().live)
    assert len(world.rows("images")) == 2


def test_sealing_goes_on_during_a_long_run(world: Any) -> None:
    """After so many entries, so that the journal stays short."""
    kit = world.kit(seal_entries=10, limit=2)
    conduct(kit, world.plan(world.item(60)))
    assert len(world.history.inner.list("requests")) > 1
    assert len(world.rows("images")) == 60


def test_few_orders_are_in_hand_at_a_time(world: Any) -> None:
    """Memory must not grow with the plan: of a thousand orders only a window exists as tasks."""
    kit = world.kit(limit=2)
    most = [0]

    def count() -> None:
        most[0] = max(most[0], len(asyncio.all_tasks()))

    world.api.submits = [count] * 120
    conduct(kit, world.plan(world.item(120)))
    assert most[0] <= module.WINDOW * 2 + 10


@pytest.mark.slow
def test_memory_does_not_grow_with_the_images(world: Any) -> None:
    """Four times the images, nearly the same peak."""
    peaks = []
    for name, images in (("warm", 20), ("few", 100), ("many", 400)):
        tracemalloc.start()
        conduct(world.kit(seal_entries=50, limit=4), world.plan(world.item(images, name=name)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        world.api.posted.clear()
    print(f"peaks in MB: {[round(peak / 1e6, 1) for peak in peaks]}")
    assert peaks[2] < 2.5 * peaks[1]


def test_a_void_of_one_order_is_bought_by_no_other_too(world: Any, reply: Any) -> None:
    """Many orders of one picture, every third turned away: exactly as many are bought as are wanted."""
    busy = reply(429, error="busy", max_inflight_requests=10)
    world.api.submits = [step for _ in range(10) for step in (None, None, busy)]
    # Time flies in this world: patience with 429 must not run out.
    tally = conduct(world.kit(limit=5, busy_s=1e9), world.plan(world.item(20)))
    assert fates(tally) == {"stored": 20}
    assert sum(row["counted"] for row in world.rows("requests")) == 20
    voids = [row for row in world.rows("requests") if row["outcome"] == Outcome.VOID]
    # A claim that waited too long in this fast world is void without having been sent.
    assert len([row for row in voids if row["status"] == 429]) == len(world.api.posted) - 20
