"""`serve` that is killed: what its run left, or goes on doing without it, is finished and paid once."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

pytestmark = [pytest.mark.prefect, pytest.mark.slow]


def in_mid_run(project: Any, wait: Any) -> Any:
    """A served run that has bought one picture and is waiting for the next."""
    project.wants(5)
    project.settings("null", latency=3, lanes=1)
    serving = project.serve()
    serving.begin("generate")
    wait(lambda: project.pictures() >= 1 and project.records("ack") > project.records("end"), "in mid-run")
    return serving


def said_by(project: Any, *argv: str) -> tuple[int, str]:
    """A command in a process of its own, without Prefect: its exit code and its words."""
    process, words = project.party.start(["-m", "flows.cli", *argv], project.root)
    return process.wait(240), words.read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", ["generate", "recover"])
def test_after_serve_and_all_its_children_were_killed(project: Any, wait: Any, verb: str) -> None:
    """Without any serve the commands go on: locks of the dead are taken over, nothing is paid twice or left open."""
    in_mid_run(project, wait)
    locks = project.root / "data" / "history" / ".locks"
    locks.mkdir(exist_ok=True)
    project.party.kill()
    paid = project.billed()
    assert 0 < project.pictures() < 5
    project.settings("null", latency=0.05, lanes=4)
    code, words = said_by(project, *(["recover"] if verb == "recover" else ["generate", "--yes", "--no-prefect"]))
    assert code == 0, words
    assert "recovered" in words
    if verb == "recover":
        assert project.billed() == project.pictures() in {paid, paid + 1}
        code, words = said_by(project, "generate", "--yes", "--no-prefect")
        assert code == 0, words
    assert project.billed() == project.pictures() == 5
    assert [project.records(step) for step in ("claim", "ack", "end")] == [0, 0, 0]
    assert list(locks.glob("*.lock")) == []


def test_what_a_serve_that_was_killed_alone_leaves_is_finished(project: Any, wait: Any) -> None:
    """Its server ends with it, and so may its run: a run beside it buys only the rest, recover fetches the last."""
    serving = in_mid_run(project, wait)
    os.kill(serving.process.pid, signal.SIGKILL)
    serving.process.wait()
    code, words = said_by(project, "generate", "--yes", "--no-prefect")
    assert code == 0, words
    assert "in doubt" not in words
    wait(lambda: not project.party.alive(), "nobody is left")
    code, words = said_by(project, "recover")
    assert code == 0, words
    assert project.billed() == project.pictures() == 5
    assert [project.records(step) for step in ("claim", "ack", "end")] == [0, 0, 0]
