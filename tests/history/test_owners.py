"""Who is dead: provably on this machine, by silence elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.history.owners import STALE_AFTER, is_dead, is_gone, lives, this_process

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_we_are_alive() -> None:
    """This process, by its own description."""
    assert not is_gone(this_process("run"))
    assert this_process("run").pid == os.getpid()


def test_a_process_that_has_ended_is_gone() -> None:
    """Also while nobody has collected it yet, and when its number is used again."""
    code = (
        "from flows.history.owners import *; o=this_process('r'); print(o.pid, o.started, o.boot_id, o.pid_namespace)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        pid, started, boot_id, namespace = child.stdout.read().split()
        owner = replace(this_process("r"), pid=int(pid), started=started)
        assert (owner.boot_id, owner.pid_namespace) == (boot_id, namespace)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(owner), "a zombie does nothing any more"
    assert is_gone(owner)
    assert is_gone(replace(this_process("r"), started="1")), "the number is ours now, the process was another"


def test_a_process_that_we_may_not_look_at_is_not_gone(tmp_path: Path) -> None:
    """Where /proc hides the processes of others, that one is not to be seen there proves nothing."""
    parent = replace(this_process("r"), pid=os.getppid(), started="77")
    assert not is_gone(parent, proc=tmp_path)
    assert not lives(parent, proc=tmp_path)
    assert is_gone(replace(parent, pid=2**22 + 1), proc=tmp_path)


def test_who_lives_is_proved_too() -> None:
    """Only on this machine, in this container, by pid and start time."""
    me = this_process("r")
    assert lives(me)
    assert not lives(replace(me, started="1"))
    assert not lives(replace(me, boot_id="x"))
    assert not lives(replace(me, pid=2**22 + 1))


@pytest.mark.parametrize("other", [{"boot_id": "x"}, {"pid_namespace": "x"}, {"boot_id": ""}, {"started": ""}])
def test_what_cannot_be_proved_is_not_claimed(other: dict[str, str]) -> None:
    """Another machine, another container, or a system that does not tell."""
    assert not is_gone(replace(this_process("r"), pid=2**22 + 1, **other))


def test_silence_is_judged_by_the_storages_clock() -> None:
    """Fifteen minutes; exactly fifteen is not yet too long, and no record is no evidence."""
    away = replace(this_process("r"), boot_id="x")
    assert not is_dead(away, NOW - STALE_AFTER, NOW)
    assert is_dead(away, NOW - STALE_AFTER - timedelta(seconds=1), NOW)
    assert not is_dead(away, None, NOW)
    assert is_dead(None, NOW - timedelta(hours=1), NOW)
