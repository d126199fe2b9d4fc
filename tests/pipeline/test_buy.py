"""Buying one order: claim, check, post once, record the answer; and everything that can come in between."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from flows.budget.limits import Cap
from flows.errors import MaybeSent, NotSent, Unfinished
from flows.history.records import End, Outcome
from flows.pipeline import governor
from flows.pipeline.buy import LeftOut, buy
from flows.pipeline.finish import Unfinished as Open


def bought(kit: Any, item: Any, images: int = 1) -> Any:
    return asyncio.run(asyncio.wait_for(buy(kit, item, images), 30))


def test_one_order_leaves_claim_ack_and_end(world: Any) -> None:
    """Posted once, the picture stored, three records in the journal."""
    claim, end = bought(world.kit(), world.item())
    assert isinstance(end, End)
    assert end.outcome is Outcome.COMPLETED
    assert end.generation_id == "g1"
    assert world.journal() == ["0.ack", "0.claim", "0.end"]
    assert len(world.api.posted) == 1
    assert world.pictures() == [end.images[0].local_path]
    assert claim.body == world.api.posted[0]


def test_the_claim_is_on_storage_before_the_post_and_the_ack_before_the_poll(world: Any) -> None:
    """Whoever dies in between leaves enough for a stranger."""
    seen: list[list[str]] = []
    world.api.submits = [lambda: seen.append(world.journal())]
    world.api.polls = [lambda: seen.append(world.journal())]
    bought(world.kit(), world.item())
    assert seen == [["0.claim"], ["0.ack", "0.claim"]]


def test_the_slot_is_held_from_before_the_claim_until_the_generation_has_ended(world: Any) -> None:
    """Not while pictures are downloaded."""
    kit = world.kit()
    seen: list[tuple[str, int]] = []
    world.api.submits = [lambda: seen.append(("post", kit.governor.in_flight))]
    world.api.polls = [lambda: seen.append(("poll", kit.governor.in_flight))]
    world.api.downloads = [lambda: seen.append(("download", kit.governor.in_flight))]
    bought(kit, world.item(4), 4)
    assert seen == [("post", 4), ("poll", 4), ("download", 0)]


def test_a_post_that_never_left_is_tried_again(world: Any) -> None:
    """Void, nothing on the wire, a pause, a new number."""
    world.api.submits = [NotSent("no connection"), NotSent("no connection")]
    _, end = bought(world.kit(), world.item())
    assert end.outcome is Outcome.COMPLETED
    assert end.claim.n == 2
    assert world.journal() == ["0.claim", "0.end", "1.claim", "1.end", "2.ack", "2.claim", "2.end"]
    assert len(world.clock.slept) >= 2


def test_a_post_that_never_leaves_is_given_up(world: Any) -> None:
    """After three tries a run, with nothing billed and nothing in doubt."""
    world.api.submits = [NotSent("no connection")] * 3
    _, end = bought(world.kit(), world.item())
    assert (end.outcome, end.answered) == (Outcome.VOID, False)
    assert world.book(end.claim.fingerprint).of(end.claim.fingerprint).counted == 0


def test_a_lost_answer_is_in_doubt_and_the_claim_stays(world: Any) -> None:
    """It counts as bought, so nobody buys it again."""
    kit = world.kit()
    item = world.item()
    world.api.submits = [MaybeSent("broken pipe")]
    _, result = bought(kit, item)
    assert isinstance(result, Open)
    assert result.doubt
    assert world.journal() == ["0.claim"]
    assert bought(kit, item) == (None, None)
    assert len(world.api.posted) == 1
    assert kit.till.budget.run_micros == 60_000, "assumed paid"


@pytest.mark.parametrize("answer", [b"<html>", b"", b'{"hello": 1}', b"[1]", b"\xff\xfe"])
def test_an_answer_that_says_nothing_is_recorded_as_it_came(world: Any, reply: Any, answer: bytes) -> None:
    """Raw on record before anybody interprets it: in doubt, for a person to read."""
    from dataclasses import replace

    world.api.submits = [replace(reply(), body=answer)]
    _, result = bought(world.kit(), world.item())
    assert result.doubt
    (entry,) = world.book().live
    assert entry.ack.raw() == answer


def test_a_server_error_is_in_doubt(world: Any, reply: Any) -> None:
    """A 500 does not say whether the work ran."""
    world.api.submits = [reply(500, error="oops")]
    _, result = bought(world.kit(), world.item())
    assert result.doubt
    assert world.journal() == ["0.ack", "0.claim"]


def test_a_machine_that_slept_before_the_post_sends_nothing(world: Any) -> None:
    """Others may hold its claim for dead by now: void, and a new claim."""
    naps = [100.0]

    def nap(op: str, path: str) -> bool:
        if op == "create" and path.endswith(".claim") and naps:
            world.clock.forward(naps.pop())
        return False

    world.history.broken = nap
    _, end = bought(world.kit(), world.item())
    assert end.outcome is Outcome.COMPLETED
    assert end.claim.n == 1
    assert len(world.api.posted) == 1
    (void,) = [entry.end for entry in world.book().live if entry.n == 0]
    assert "slept" in void.reason


def test_a_stop_between_claim_and_post_voids_the_claim(world: Any) -> None:
    """Nothing is sent, nothing is in doubt."""
    kit = world.kit()

    def stop(op: str, path: str) -> bool:
        if op == "create" and path.endswith(".claim"):
            kit.stop.ask("stopped by a signal")
        return False

    world.history.broken = stop
    _, result = bought(kit, world.item())
    assert isinstance(result, (End, LeftOut))
    assert world.api.posted == []
    (entry,) = world.book().live
    assert entry.final.outcome is Outcome.VOID


def test_a_claim_that_could_not_be_checked_is_disowned_when_the_storage_is_back(world: Any) -> None:
    """The history is away between claim and check: nothing is sent, and the claim ends void instead of in doubt."""
    away = [0]

    def fail(op: str, path: str) -> bool:
        if op == "create" and path.endswith(".claim"):
            away[0] = 4
            return False
        if away[0]:
            away[0] -= 1
            return True
        return False

    kit = world.kit()
    world.history.broken = fail
    with pytest.raises(Unfinished, match="could not list"):
        bought(kit, world.item())
    assert kit.stop
    assert world.api.posted == []
    (entry,) = world.book().live
    assert (entry.final.outcome, entry.final.answered) == (Outcome.VOID, False)


def test_a_claim_whose_creation_failed_may_be_there_all_the_same(world: Any) -> None:
    """The put arrived, its confirmation did not: it is found, and voided."""

    def fail(op: str, path: str) -> bool:
        if op == "create" and path.endswith(".claim") and not world.journal():
            world.history.inner.sub(".journal").create(path.removeprefix(".journal/"), kit_claims[-1])
            return True
        return False

    from flows.history import records

    kit_claims: list[bytes] = []
    kit = world.kit()
    put = kit.journal.put

    def remember(fingerprint: str, n: int, step: Any, record: Any) -> bool:
        kit_claims.append(records.dump(step, record))
        return bool(put(fingerprint, n, step, record))

    kit.journal.put = remember
    world.history.broken = fail
    with pytest.raises(Unfinished):
        bought(kit, world.item())
    (entry,) = world.book().live
    assert entry.final.outcome is Outcome.VOID


def test_somebody_elses_claim_is_never_disowned(world: Any) -> None:
    """Under the number stands another run's claim: our failure does not touch it."""
    theirs = world.kit()
    world.api.submits = [MaybeSent("theirs")]
    bought(theirs, world.item(1))
    looking = [False]

    def fail(op: str, path: str) -> bool:
        if op == "create" and path.endswith(".claim"):
            looking[0] = True
        return looking[0] and op == "list" and path == "requests"

    ours = world.kit()
    ours.desk._standings[world.item().fingerprint] = type(world.book().of("x"))()
    world.history.broken = fail
    with pytest.raises(Unfinished):
        bought(ours, world.item(2))
    assert world.journal() == ["0.claim"]


def test_an_answer_waits_in_memory_while_the_storage_is_away(world: Any) -> None:
    """Its images are fetched meanwhile, no further claim is made, and in the end all is on record."""
    kit = world.kit()
    refused = [0]

    def fail(op: str, path: str) -> bool:
        if op == "create" and path.endswith(".ack") and refused[0] < 3:
            refused[0] += 1
            assert kit.unrecorded
            return True
        return False

    world.history.broken = fail
    _, end = bought(kit, world.item())
    assert end.outcome is Outcome.COMPLETED
    assert world.journal() == ["0.ack", "0.claim", "0.end"]
    assert kit.unrecorded == {}
    assert "journal cannot be written" in kit.stop.reason
    assert isinstance(bought(kit, world.item(2))[1], LeftOut)


def test_an_answer_that_cannot_be_recorded_at_all_is_kept_for_the_person(world: Any) -> None:
    """Patience over: the picture is on storage, the generation id is in hand, the claim is in doubt."""
    kit = world.kit(record_patience_s=20)
    world.history.broken = lambda op, path: op == "create" and not path.endswith(".claim")
    claim, result = bought(kit, world.item())
    assert isinstance(result, Open)
    assert result.doubt
    assert f"ideoflow recover --generation g1 --request {claim.request_id}" in result.why
    assert '"g1"' in kit.unrecorded[claim.request_id]
    assert len(world.pictures()) == 1
    assert world.journal() == ["0.claim"]


def test_an_answer_is_recorded_while_all_threads_are_busy_with_pictures(world: Any) -> None:
    """Between answer and record a death means doubt: no upload may stand in its way."""
    go = threading.Event()
    seen: list[list[str]] = []

    def fill() -> None:
        for _ in range(64):
            asyncio.get_running_loop().run_in_executor(None, go.wait)

    def look() -> None:
        seen.append(world.journal())
        go.set()

    world.api.submits, world.api.polls = [fill], [look]
    _, end = bought(world.kit(), world.item())
    assert isinstance(end, End)
    assert seen == [["0.ack", "0.claim"]]


def test_a_refusal_that_cannot_be_recorded_is_not_lost_in_a_traceback(world: Any, reply: Any) -> None:
    """The run ends with exit 4 and words."""
    kit = world.kit(record_patience_s=5)
    world.api.submits = [reply(400, error="no such field")]
    world.history.broken = lambda op, path: op == "create" and path.endswith(".end")
    _, result = bought(kit, world.item())
    assert isinstance(result, Open)
    assert "could not be recorded" in result.why


def test_a_job_that_fails_is_bought_again(world: Any, reply: Any) -> None:
    """Not billed, so its images are wanted again; three times a run."""
    failed = reply(status="failed", failure_reason="internal_error")
    world.api.polls = [failed, failed]
    _, end = bought(world.kit(), world.item())
    assert (end.outcome, end.claim.n) == (Outcome.COMPLETED, 2)
    world.api.polls = [failed] * 3
    _, end = bought(world.kit(), world.item(name="other"))
    assert (end.outcome, end.answered, end.claim.n) == (Outcome.VOID, True, 2)


@pytest.mark.parametrize("how", ["422", "policy"])
def test_a_refused_prompt_is_not_offered_again_in_this_run(world: Any, reply: Any, how: str) -> None:
    """At the post or by the job: the other images of the same prompt are left out."""
    kit = world.kit()
    if how == "422":
        world.api.submits = [reply(422, error="unsafe")]
    else:
        world.api.polls = [reply(status="failed", failure_reason="content_policy_violation")]
    _, end = bought(kit, world.item(3))
    assert end.outcome is Outcome.REFUSED
    _, left = bought(kit, world.item(3))
    assert "refused as unsafe" in left.why
    assert len(world.api.posted) == 1
    _, other = bought(kit, world.item(name="other"))
    assert other.outcome is Outcome.COMPLETED


def test_an_invalid_request_is_tried_once(world: Any, reply: Any) -> None:
    """The very same request would be turned away again."""
    world.api.submits = [reply(400, error="no")]
    _, end = bought(world.kit(), world.item())
    assert (end.outcome, end.status, end.reason) == (Outcome.VOID, 400, "no")
    assert len(world.api.posted) == 1


def test_funds_and_keys_stop_the_run_and_a_forbidden_model_only_itself(world: Any, reply: Any) -> None:
    """402, 401 and 403, with what to do about them."""
    for status, remedy in ((402, "top up"), (401, "IDEOGRAM_API_KEY")):
        kit = world.kit()
        world.api.submits = [reply(status, error="no")]
        bought(kit, world.item())
        assert remedy in kit.stop.remedy
    kit = world.kit()
    world.api.submits = [reply(403, message="no access")]
    bought(kit, world.item())
    assert not kit.stop
    assert isinstance(bought(kit, world.item())[1], LeftOut)
    _, end = bought(kit, world.item(model="V_2"))
    assert end.outcome is Outcome.COMPLETED


def test_being_turned_away_for_too_long_is_reported(world: Any, reply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """429 for longer than the rules allow: void, with the number of the answer."""
    kit = world.kit(busy_s=2, limit=1)

    def busy() -> Any:
        world.clock.forward(1)
        return reply(429, error="busy", max_inflight_requests=10)

    monkeypatch.setattr(governor, "PAUSES_S", (0.001,))  # pauses are on trial in test_governor
    world.api.submits = [busy] * 10
    _, end = bought(kit, world.item())
    assert (end.outcome, end.status) == (Outcome.VOID, 429)
    assert 2 <= len(world.api.posted) <= 5


def test_money_reserved_and_not_needed_comes_back(world: Any) -> None:
    """The claim found fewer images missing than were asked for: only those are spent."""
    kit = world.kit(cap="0.24")
    _, end = bought(kit, world.item(3), 4)
    assert end.claim.images == 3
    assert kit.till.budget.run_micros == 180_000
    assert bought(kit, world.item(3), 1) == (None, None)
    assert kit.till.budget.left(Cap.RUN, kit.now()) == 60_000


def test_the_cap_of_the_run_is_never_passed(world: Any) -> None:
    """What would not fit is left out before anything is claimed."""
    kit = world.kit(cap="0.11")
    bought(kit, world.item())
    _, left = bought(kit, world.item(2))
    assert "cap" in left.why
    assert len(world.api.posted) == 1


@pytest.mark.parametrize("full", ["assets", "history"])
def test_no_claim_without_room_for_what_it_brings(world: Any, full: str) -> None:
    """A full disk stops the buying, in time and with words."""
    getattr(world, full).free = 10 << 20
    kit = world.kit(reserve_bytes=256 << 20)
    _, left = bought(kit, world.item())
    assert "10 MB free" in left.why
    assert "make room" in kit.stop.remedy
    assert world.journal() == []
    assert kit.governor.in_flight == 0


def test_the_synchronous_endpoint_needs_no_poll(world: Any) -> None:
    """Its answer carries the links."""
    _, end = bought(world.kit(), world.item(2, model="V_2"), 2)
    assert end.outcome is Outcome.COMPLETED
    assert len(end.images) == 2
    assert world.api.polled == []
