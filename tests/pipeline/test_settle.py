"""Settling doubt: given up, written off, or answered by a generation that a person found."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.errors import MaybeSent, Refused
from flows.history.records import IMPORTED, Step, dump
from flows.pipeline.buy import buy
from flows.pipeline.doubt import abandoned, doubtful, may_resubmit
from flows.pipeline.finish import finish
from flows.pipeline.run import run
from flows.pipeline.settle import adopt, resubmit, resubmit_old, write_off


def in_doubt(world: Any, images: int = 1, **item: Any) -> Any:
    """An entry whose answer was lost."""
    world.api.submits = [MaybeSent("lost")]
    asyncio.run(buy(world.kit(), world.item(images, **item), images))
    (entry,) = world.book().live
    return entry


def counted(world: Any, entry: Any) -> int:
    return int(world.book(entry.fingerprint).of(entry.fingerprint).counted)


def test_given_up_is_wanted_again(world: Any) -> None:
    """It counts no more; doing it twice does nothing."""
    entry = in_doubt(world, 2)
    assert counted(world, entry) == 2
    kit = world.kit()
    assert asyncio.run(resubmit(kit, [entry], "a person said so")) == 1
    assert counted(world, entry) == 0
    assert asyncio.run(write_off(kit, [entry], "too late")) == 0
    assert counted(world, entry) == 0


def test_written_off_is_counted_and_lost(world: Any) -> None:
    """Rows that say lost, with what it cost; nothing is bought in its place."""
    entry = in_doubt(world, 2)
    asyncio.run(write_off(world.kit(), [entry], "a person said so"))
    assert counted(world, entry) == 2
    asyncio.run(run(world.kit(), world.plan()))
    assert [row["status"] for row in world.rows("images")] == ["lost", "lost"]
    assert sum(row["cost_usd"] for row in world.rows("images")) == pytest.approx(0.12)
    assert counted(world, entry) == 2


def test_a_generation_that_was_found_finishes_its_request(world: Any) -> None:
    """The image comes home under the request's own id."""
    entry = in_doubt(world)
    kit = world.kit()
    ready: Any = asyncio.run(adopt(kit, entry, "g7"))
    end: Any = asyncio.run(finish(kit, ready, ready.ack, kit.governor.occupy(1)))
    assert end.generation_id == "g7"
    assert len(world.pictures()) == 1
    assert counted(world, entry) == 1


def test_a_generation_that_cannot_be_the_answer_is_refused(world: Any, reply: Any) -> None:
    """Unknown to the API, or more images than were asked for; and legacy requests have none."""
    entry = in_doubt(world)
    world.api.polls = [reply(404)]
    with pytest.raises(Refused, match="does not know"):
        asyncio.run(adopt(world.kit(), entry, "g7"))
    world.api.asked["g8"] = 3
    with pytest.raises(Refused, match="3 images"):
        asyncio.run(adopt(world.kit(), entry, "g8"))
    assert world.journal() == ["0.claim"]


def test_a_legacy_request_has_no_generation_to_adopt(world: Any) -> None:
    """Its remedy is another one."""
    entry = in_doubt(world, model="V_2")
    with pytest.raises(Refused, match="no generation ids"):
        asyncio.run(adopt(world.kit(), entry, "g7"))


def test_only_the_old_are_resubmitted_by_themselves(world: Any) -> None:
    """Fifteen minutes by the storage's clock."""
    entry = in_doubt(world)
    now = datetime.now(UTC)
    assert not may_resubmit(entry, now)
    assert may_resubmit(entry, now + timedelta(minutes=16))
    assert asyncio.run(resubmit_old(world.kit(), [entry])) == 0
    then = (now - timedelta(minutes=16)).timestamp()
    folder = world.history.inner.root / ".journal"
    for path in folder.glob("*.claim"):
        os.utime(path, (then, then))
    (entry,) = world.book().live
    assert asyncio.run(resubmit_old(world.kit(), [entry])) == 1


def test_a_living_owner_is_not_in_doubt(world: Any) -> None:
    """This process holds the claim: nobody else may touch it, until it has been silent for too long."""
    in_doubt(world)
    book = world.book()
    now = datetime.now(UTC)
    assert abandoned(book, now) == []
    assert doubtful(book, now) == {}
    later = now + timedelta(minutes=16)
    assert len(abandoned(book, later)) == 1
    (why,) = doubtful(book, later).values()
    assert "no answer on record" in why


def test_an_owner_that_still_writes_is_alive(world: Any) -> None:
    """Its oldest claim may be an hour old: its newest record says that it lives."""
    entry = in_doubt(world)
    folder = world.history.inner.root / ".journal"
    old = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    os.utime(folder / entry.names[0].path, (old, old))
    kit = world.kit()
    from dataclasses import replace

    same_run = replace(kit, owner=entry.claim.owner)
    world.api.submits = [MaybeSent("lost")]
    asyncio.run(buy(same_run, world.item(1, name="other"), 1))
    assert abandoned(world.book(), datetime.now(UTC)) == []
    assert len(abandoned(world.book(), datetime.now(UTC) + timedelta(minutes=16))) == 2


def test_a_claim_that_cannot_be_read_is_in_doubt_once_it_is_old(world: Any) -> None:
    """Nobody knows whose it is: it is named by its entry."""
    world.history.inner.sub(".journal").write("f" * 64 + "-0.claim", b"{")
    book = world.book()
    assert doubtful(book, datetime.now(UTC)) == {}
    (name,) = doubtful(book, datetime.now(UTC) + timedelta(minutes=16))
    assert name == "f" * 64 + "-0"


def _silent(world: Any) -> None:
    """An hour goes by for the storage: everything in the journal is old."""
    journal = world.history.inner.root / ".journal"
    for record in journal.iterdir():
        if record.is_file():
            os.utime(record, (1_600_000_000, 1_600_000_000))


def test_what_a_living_process_asked_for_is_not_resubmitted(world: Any) -> None:
    """A machine that slept, or a clock that jumped, makes an old record of a request that is being sent just now."""
    entry = in_doubt(world)
    code = "from flows.history.owners import *; o = this_process('r'); print(o.pid, o.started, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        pid, started = other.stdout.readline().split()
        owner = replace(entry.claim.owner, pid=int(pid), started=started)
        claim = replace(entry.claim, owner=owner)
        (world.history.inner.root / ".journal" / entry.names[0].path).write_bytes(dump(Step.CLAIM, claim))
        _silent(world)
        (old,) = abandoned(world.book(), world.history.inner.now())
        assert asyncio.run(resubmit_old(world.kit(), [old])) == 0, "its answer may still come"
        other.kill()
        other.wait()
        assert asyncio.run(resubmit_old(world.kit(), [old])) == 1


def test_a_picture_that_was_being_taken_over_is_not_given_up(world: Any) -> None:
    """An import that was cut off was never sent: it is finished, whatever generate.in_doubt says."""
    entry = in_doubt(world)
    claim = replace(entry.claim, path=IMPORTED)
    (world.history.inner.root / ".journal" / entry.names[0].path).write_bytes(dump(Step.CLAIM, claim))
    _silent(world)
    (old,) = abandoned(world.book(), world.history.inner.now())
    assert old.imported
    assert asyncio.run(resubmit_old(world.kit(), [old])) == 0
    assert counted(world, old) == 1
