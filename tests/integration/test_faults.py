"""Everything that can go wrong between us and the API, through the whole path: what is billed, what is said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flows.campaign.recovery import Verdicts, recover
from flows.pipeline.kit import Stop
from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import running

BOTH_MODELS = """
version: 1
prompts:
  - {id: one, prompt: "A bottle on sand", model: ideogram-3, count: 2}
  - {id: two, prompt: "An enamel badge", model: V_2, count: 2}
"""


def rule(kind: str, fault: str, **more: Any) -> dict[str, Any]:
    return {"match": {"kind": kind}, "fault": fault, **more}


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        ("402", "top up at https://ideogram.ai/manage-api"),
        pytest.param("401", "IDEOGRAM_API_KEY", marks=pytest.mark.slow),
    ],
)
def test_no_funds_or_no_key_stops_the_run_and_says_what_to_do(place: Any, fault: str, remedy: str) -> None:
    """Nothing is billed, everything is named as left out or not made, and the next run buys it all."""
    wanted = place.manifest(30)
    place.sandbox.set_faults(rule("post", fault))
    told = place.run()
    assert told["exit"] == 4
    assert remedy in told["next"]
    assert place.billed() == 0
    assert sum(told["counts"].values()) == wanted
    assert told["counts"]["failed"] <= 10  # those that were on their way when the first answer came
    place.sandbox.clear_faults()
    assert place.run()["exit"] == 0
    place.audit(wanted=wanted)


def test_funds_that_run_out_in_the_middle_keep_what_was_bought(place: Any) -> None:
    """What was accepted before the 402 is finished and kept."""
    wanted = place.manifest(30)
    place.sandbox.set_faults(rule("post", "402", skip=7))
    told = place.run()
    assert told["exit"] == 4
    assert told["counts"]["stored"] == place.billed() == len(place.rows()) == 7
    place.sandbox.clear_faults()
    assert place.run()["exit"] == 0
    place.audit(wanted=wanted)


def test_a_model_the_key_may_not_use_is_closed_and_the_others_go_on(place: Any) -> None:
    """403 closes that model only."""
    place.write(BOTH_MODELS)
    place.sandbox.set_faults({"match": {"kind": "post", "path": "/v2/"}, "fault": "403"})
    told = place.run()
    assert told["exit"] == 4
    assert {row["model"] for row in place.rows()} == {"V_2"}
    assert place.billed() == 2
    assert any("may not use ideogram-3" in trouble or "no access" in trouble for trouble in told["troubles"])
    place.sandbox.clear_faults()
    assert place.run()["exit"] == 0
    place.audit(wanted=4)


@pytest.mark.parametrize("model", ["v2", pytest.param("legacy", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("fault", "billed"), [("500_before", 0), ("500_after", 1), ("lost_ack", 1), ("html_200", 1), ("empty_200", 1)]
)
def test_an_answer_that_says_nothing_is_in_doubt_and_never_bought_again(
    place: Any, fault: str, billed: int, model: str
) -> None:
    """It counts as bought until a person decides; resubmitting it then buys it, once."""
    wanted = place.manifest(3, model=model)
    place.sandbox.set_faults(rule("post", fault, skip=1, count=1))
    told = place.run()
    assert told["exit"] == 4
    assert told["counts"] == {"stored": 2, "in doubt": 1}
    assert "recover" in told["next"]
    for _ in range(2):
        again = place.run()
        assert again["exit"] == 4
        assert again["bought"] == 0
        assert "in doubt" not in again["counts"], "the plan tells of it: once is enough"
        assert place.billed() == 2 + billed
        place.audit(wanted=wanted, doubts=1)
    ws = place.workspace()
    settled = asyncio.run(recover(ws, Verdicts(resubmit=("all",)), lambda _: None, Stop()))
    assert (settled.resubmitted, settled.doubts) == (1, ())
    assert place.run()["exit"] == 0
    assert place.billed() == wanted + billed  # paid twice where it had run: by that choice
    assert len(place.rows()) == wanted


@pytest.mark.parametrize("model", ["v2", "legacy"])
def test_busy_answers_cost_time_only(place: Any, model: str) -> None:
    """429 waits for own work to end, and everything arrives."""
    wanted = place.manifest(12, model=model)
    place.sandbox.set_faults(rule("post", "429", every=3, count=9))
    told = place.run()
    assert told["exit"] == 0
    place.audit(wanted=wanted)


def test_a_first_answer_of_busy_waits_a_moment(place: Any) -> None:
    """429 with nothing of ours in flight: a pause instead of an end that would never come."""
    wanted = place.manifest(1)
    place.sandbox.set_faults(rule("post", "429", count=1))
    assert place.run()["exit"] == 0
    place.audit(wanted=wanted)


def test_a_failed_job_is_tried_again(place: Any) -> None:
    """It was not billed, so it is wanted again."""
    wanted = place.manifest(3)
    place.sandbox.set_faults(rule("post", "job_failed", count=2))
    told = place.run()
    assert told["exit"] == 0, told
    place.audit(wanted=wanted)


def test_a_job_that_always_fails_is_given_up_after_three_tries(place: Any) -> None:
    """Three tries a run, then it is reported; the next run tries again."""
    place.manifest(1)
    place.sandbox.set_faults(rule("post", "job_failed"))
    told = place.run()
    assert told["exit"] == 4
    assert told["counts"] == {"failed": 1}
    assert len(place.sandbox.ledger()["requests"]) == 3
    assert place.billed() == 0
    place.sandbox.clear_faults()
    assert place.run()["exit"] == 0
    place.audit(wanted=1)


def test_refused_prompts_are_blocked_and_not_sent_again(place: Any) -> None:
    """422, and a job that fails for policy: nothing is billed, the next run does not even try."""
    place.write(
        "version: 1\ndefaults: {model: ideogram-3}\nprompts:\n"
        '  - {id: a, prompt: "An unsafe-prompt", count: 30}\n'
        '  - {id: b, prompt: "It fails-policy"}\n'
        '  - {id: c, prompt: "A bottle"}\n'
    )
    told = place.run()
    assert told["exit"] == 4
    assert told["counts"]["refused"] <= 11, "a refused prompt is not offered thirty times"
    assert place.billed() == 1
    before = len(place.sandbox.ledger()["requests"])
    again = place.run()
    assert (again["exit"], again["bought"]) == (4, 0)
    assert len(place.sandbox.ledger()["requests"]) == before


def test_a_withheld_image_is_billed_recorded_and_not_bought_again(place: Any) -> None:
    """It has a row without a picture."""
    place.write('version: 1\nprompts:\n  - {id: a, prompt: "A withheld-image", model: ideogram-3, count: 2}\n')
    place.settings = {"IDEOFLOW_API__IMAGES_PER_REQUEST": "2"}
    told = place.run()
    assert told["counts"] == {"stored": 1, "withheld": 1}
    assert sorted(row["status"] for row in place.rows()) == ["stored", "withheld"]
    assert place.run()["bought"] == 0
    place.audit(wanted=2)


@pytest.mark.parametrize(
    "rules",
    [
        [rule("poll", "429_poll", count=2, retry_after_s=0)],
        [rule("poll", "500_poll", count=2)],
        [rule("poll", "404_poll", count=3)],
        [rule("poll", "lost_ack", count=2)],
        *(
            pytest.param([rule(kind, fault, count=2, delay_s=0.2)], marks=pytest.mark.slow)
            for kind, fault in (("poll", "html_200"), ("poll", "empty_200"), ("poll", "slow"), ("post", "slow"))
        ),
        [rule("download", "truncated", count=2)],
        [rule("download", "corrupt", count=2)],
        [rule("download", "html_200", count=2)],
        *(
            pytest.param([rule("download", fault, count=2, delay_s=0.2)], marks=pytest.mark.slow)
            for fault in ("empty_200", "redirect", "500", "slow")
        ),
        [rule("download", "wrong_size", count=1)],
    ],
    ids=lambda rules: f"{rules[0]['match']['kind']}-{rules[0]['fault']}",
)
def test_what_passes_is_waited_out(place: Any, rules: list[dict[str, Any]]) -> None:
    """Polls and downloads are free: they are repeated until the verified picture is there."""
    wanted = place.manifest(3)
    place.sandbox.set_faults(*rules)
    told = place.run()
    assert told["exit"] == 0, told
    place.audit(wanted=wanted)
    assert not [row["flaw"] for row in place.rows() if row["flaw"]]


def test_a_flaw_that_stays_is_kept_as_it_came(place: Any) -> None:
    """The same bytes twice are what there is: a paid picture of the wrong size is better than none."""
    wanted = place.manifest(2)
    place.sandbox.set_faults(rule("download", "wrong_size"))
    told = place.run()
    assert told["exit"] == 0
    assert any("flaw" in trouble for trouble in told["troubles"])
    assert all(row["flaw"] for row in place.rows())
    place.audit(wanted=wanted)


@pytest.mark.parametrize("fault", ["403", "404", "expired"])
def test_a_dead_link_before_its_time_is_no_loss(place: Any, fault: str) -> None:
    """The host says no although the link should live: unfinished, and the next run fetches it."""
    wanted = place.manifest(2)
    place.sandbox.set_faults(rule("download", fault))
    told = place.run()
    assert told["exit"] == 4
    assert told["counts"] == {"unfinished": 2}
    assert place.billed() == wanted
    place.sandbox.clear_faults()
    again = place.run()
    assert (again["exit"], again["counts"]) == (0, {"recovered": 2})
    place.audit(wanted=wanted)


@dataclass
class Clock:
    """The sandbox's time: ours, and as far ahead as a test likes."""

    ahead: float = field(default=0)

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def late(tmp_path: Path, place: Any, clock: Clock, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A project whose run was killed right after the answer, a day before its links are looked at again."""
    config = SandboxConfig(
        tmp_path / "late",
        api_key="sandbox",
        latency_s=(0.02, 0.06),
        pictures="plain",
        clock=clock,
        renew_links=request.param,
    )
    with running(config) as sandbox:
        place.sandbox = sandbox
        place.manifest(2)
        assert place.run(trap={"op": "download", "path": "", "when": "before", "nth": 2}) is None
        clock.ahead = 25 * 3600
        yield place


@pytest.mark.parametrize("late", [True], indirect=True)
def test_a_link_that_has_expired_is_asked_for_anew(late: Any) -> None:
    """Where the API signs links again, nothing is lost."""
    again = late.run()
    assert again["exit"] == 0, again
    late.audit(wanted=2)


@pytest.mark.parametrize("late", [False], indirect=True)
def test_an_image_is_lost_past_its_expiry_by_the_hosts_own_clock(late: Any) -> None:
    """Then it is recorded as lost, once, and not bought again."""
    told = late.run()
    assert told["exit"] == 4
    assert told["counts"].get("lost", 0) >= 1
    assert {row["status"] for row in late.rows()} <= {"lost", "stored"}
    assert all(row["image_url"] and "sig=***" in row["image_url"] for row in late.rows())
    again = late.run()
    assert (again["bought"], late.billed()) == (0, 2)
    late.audit(wanted=2)


def test_storage_that_cannot_be_used_is_told_before_anything_is_bought(place: Any) -> None:
    """Something that is no folder stands where the history should be: exit 4 in words, nothing billed."""
    wanted = place.manifest(3)
    history = Path(place.storages["IDEOFLOW_STORAGE__HISTORY"])
    history.parent.mkdir(parents=True)
    history.write_bytes(b"")
    told = place.run()
    assert told["exit"] == 4, told
    assert place.billed() == 0
    history.unlink()
    assert place.run()["exit"] == 0
    place.audit(wanted=wanted)


def test_pictures_that_cannot_be_stored_are_fetched_by_the_next_run(place: Any) -> None:
    """The assets' storage fails in mid-run: the buying stops, what was paid for comes home later."""
    wanted = place.manifest(30)
    assets = Path(place.storages["IDEOFLOW_STORAGE__ASSETS"])
    assets.parent.mkdir(parents=True)
    assets.write_bytes(b"")
    told = place.run()
    assert told["exit"] == 4, told
    assert place.billed() < wanted
    assets.unlink()
    again = place.run()
    assert again["exit"] == 0
    place.audit(wanted=wanted)
