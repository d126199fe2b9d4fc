"""The maintain verb: what killed runs left is finished, what is damaged is told, and what programs get."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

SLOW = "sandbox: {latency_s: 3, pictures: plain}\napi: {poll_interval_s: 0.02, max_in_flight: 1}\n"
QUICK = "sandbox: {latency_s: 0, pictures: plain}\napi: {poll_interval_s: 0.02, max_in_flight: 1}\n"


def overlay(project: Any, text: str) -> None:
    (project.root / "configs" / "base.yaml").write_text(text, encoding="utf-8")


def test_what_a_killed_run_paid_for_is_finished(project: Any, ideoflow: Any, until: Any) -> None:
    """It buys nothing more: that is for generate. Then all is in order, sealed and measured."""
    overlay(project, SLOW)
    process = project.start("generate", "--yes")
    until(lambda: list(project.journal.glob("*.ack")))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    overlay(project, QUICK)
    said = ideoflow("maintain", "--json")
    assert said.code == 0, said
    facts = json.loads(said.out)
    assert (facts["recovered"], facts["expected"], facts["measured"], facts["unfinished"]) == (1, 1, 1, 0)
    assert facts["next_step"] == "nothing to do"
    assert project.billed() == len(project.pictures()) == 1
    assert ideoflow("generate", "--yes").code == 0
    assert project.billed() == len(project.pictures()) == 4


def test_damage_is_exit_3_and_a_share_that_is_none_exit_2(project: Any, ideoflow: Any) -> None:
    """In words a person reads; the last line says what to do."""
    assert ideoflow("generate", "--yes").code == 0
    lost = project.pictures()[0]
    lost.unlink()
    said = ideoflow("maintain", "--subset", "1/1")
    assert said.code == 3
    assert said.out.startswith("maintain: damage found, 1 missing, 3 images in order")
    assert f"{lost.name}: missing (there is no such file)" in said.out
    assert said.out.splitlines()[-1] == "next     put the files back from a backup: the next maintain sees it"
    said = ideoflow("maintain", "--subset", "8/7")
    assert said.code == 2
    assert "--subset 8/7" in said.err
    # What is missing was paid for: nothing is bought in its place.
    assert json.loads(ideoflow("plan", "--json").out)["buy"] == 0


@pytest.mark.slow
def test_in_doubt_is_exit_4(project: Any, ideoflow: Any) -> None:
    """Nobody but a person settles it, and each run says so."""
    project.faults({"match": {"kind": "post"}, "fault": "lost_ack", "count": 1})
    assert project.spawn("generate", "--yes").code == 4
    said = ideoflow("maintain")
    assert said.code == 4
    assert "in doubt" in said.out
    assert said.out.splitlines()[-1].startswith("next     `ideoflow recover`")
