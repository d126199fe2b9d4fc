"""`serve` as a process: what it runs, what it never pays twice, how it ends, and what it leaves behind: nobody."""

from __future__ import annotations

import signal
from typing import Any

import pytest

pytestmark = [pytest.mark.prefect, pytest.mark.slow]


def test_every_minute_a_run_and_only_the_first_buys(project: Any, wait: Any, every_minute: str) -> None:
    """Runs appear by the clock; the second finds all there. Ctrl-C ends it, and everything it started."""
    project.settings(every_minute)
    serving = project.serve()
    said = serving.text()
    assert "generate  Every minute, Europe/Berlin; next " in said
    assert "maintain  only when started by hand" in said

    other, words = project.party.start(["-m", "flows.cli", "serve", "--port", "0"], project.root)
    assert other.wait(120) == 2
    assert f"`ideoflow serve` is at work here already (process {serving.process.pid})" in words.read_text()

    first, second = wait(lambda: serving.ended()[:2] if len(serving.ended()) > 1 else None, "two runs")
    assert [first["state_type"], second["state_type"]] == ["COMPLETED"] * 2
    assert project.billed() == project.pictures() == 3
    message = {run["id"]: run["state"]["message"] for run in (first, second)}
    assert message[first["id"]] == "3 images bought, $0.18"
    assert message[second["id"]] == "nothing to buy, 3 images there already"
    assert first["parameters"]["project"] == str(project.root)

    assert serving.end(signal.SIGINT) == 0
    assert "stopped;" in serving.text()
    assert "Traceback" not in serving.text()
    wait(lambda: not project.party.alive(), "nobody is left")


def test_killed_in_mid_run_and_started_again(project: Any, wait: Any) -> None:
    """The machine goes down while pictures are made; the next serve's run pays for nothing that is paid for.

    What was under way is said to have crashed, and does not hold the place of the run that goes on from there. Where
    the settings drop a schedule, Prefect's copy of it goes too.
    """
    project.wants(5)
    project.settings('{cron: "0 0 1 1 *", timezone: UTC}', latency=3, lanes=1)
    serving = project.serve()
    assert len(serving.deployments()["generate"]["schedules"]) == 1
    cut_off = serving.begin("generate")
    # One picture at a time: while this one is being made nothing is being sent.
    wait(lambda: project.pictures() >= 1 and project.records("ack") > project.records("end"), "in mid-run")
    project.party.kill()
    assert 0 < project.billed() + 1 < 5
    assert project.pictures() < 5

    project.settings("null", latency=0.05, lanes=4)
    serving = project.serve()
    assert serving.deployments()["generate"]["schedules"] == []
    crashed = serving.run(cut_off)
    assert crashed["state_type"] == "CRASHED"
    assert "the next run goes on from there" in crashed["state"]["message"]
    again = serving.begin("generate")
    run = wait(lambda: next((one for one in serving.ended() if one["id"] == again), None), "the second run")
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert "1 recovered" in run["state"]["message"]
    assert project.billed() == project.pictures() == 5

    # As after a weekend without power: several are late, and all are handed out at once.
    late = [serving.begin("generate") for _ in range(3)]
    wait(lambda: len(serving.over(late)) == len(late), "the late runs")
    ends = {one["state_type"] for one in serving.over(late)}
    assert "COMPLETED" in ends
    assert ends <= {"COMPLETED", "CANCELLED"}
    assert project.billed() == project.pictures() == 5

    kept = serving.begin("maintain")
    run = wait(lambda: next((one for one in serving.ended() if one["id"] == kept), None), "maintain")
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert run["state"]["message"].startswith("5 images in order")
    assert serving.end() == 0
    wait(lambda: not project.party.alive(), "nobody is left")


def test_a_run_is_stopped_cleanly_with_its_serve(project: Any, wait: Any) -> None:
    """SIGTERM in mid-run: what was sent is finished and kept, nothing more is asked for, and the run says so."""
    project.wants(6)
    project.settings("null", latency=2, lanes=1)
    serving = project.serve()
    begun = serving.begin("generate")
    wait(lambda: project.pictures() >= 1, "it buys")
    doubled = serving.begin("generate")
    state = wait(lambda: (run := serving.run(doubled))["state_type"] == "CANCELLED" and run, "the doubled run")
    assert state["state"]["message"] == "Deployment concurrency limit reached."
    assert serving.run(begun)["state_type"] == "RUNNING"
    assert serving.end() == 0
    wait(lambda: not project.party.alive(), "nobody is left")
    assert project.billed() == project.pictures() < 6
    assert project.records("claim") == 0
    assert "Traceback" not in serving.text()
