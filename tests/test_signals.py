"""Ctrl-C and SIGTERM: the first stops cleanly, the second ends the process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flows.pipeline.kit import Stop
from flows.signals import ECHO_S, stopping

ROOT = Path(__file__).resolve().parents[1]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_with_a_reason(number: signal.Signals) -> None:
    """Outside a loop too, and what is said tells of the second."""
    stop, said = Stop(), list[str]()
    with stopping(stop, say=said.append):
        signal.raise_signal(number)
    assert stop
    assert stop.reason == f"stopped by {number.name}"
    assert "ideoflow generate" in stop.remedy
    assert len(said) == 1
    assert "once more" in said[0]


def test_a_running_loop_is_not_disturbed() -> None:
    """The work itself goes on and notices; asyncio cancels nothing."""

    async def work() -> str | None:
        stop = Stop()
        with stopping(stop, say=lambda _: None):
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0)
            return stop.reason

    assert asyncio.run(work()) == "stopped by SIGINT"


def test_an_echo_is_no_second_wish() -> None:
    """A supervisor that passes on the Ctrl-C which we heard as well does not end us."""
    stop, said, clock = Stop(), list[str](), Clock()
    with stopping(stop, say=said.append, clock=clock):
        signal.raise_signal(signal.SIGINT)
        clock.now = ECHO_S / 2
        signal.raise_signal(signal.SIGTERM)
    assert stop.reason == "stopped by SIGINT"
    assert len(said) == 1


def test_where_nobody_insists_every_later_signal_is_an_echo() -> None:
    """A run that a runner stops, in a group that a supervisor stops as well, still finishes what was sent."""
    stop, said, clock = Stop(), list[str](), Clock()
    with stopping(stop, insist=False, say=said.append, clock=clock):
        signal.raise_signal(signal.SIGTERM)
        clock.now = 20 * ECHO_S
        signal.raise_signal(signal.SIGTERM)
    assert stop.reason == "stopped by SIGTERM"
    assert len(said) == 1
    assert "once more" not in said[0]


def test_handlers_are_put_back() -> None:
    """Nested blocks too leave everything as it was, also when they end with an error."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(RuntimeError), stopping(Stop()), stopping(Stop()):
        raise RuntimeError
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_thread_is_deaf_and_works() -> None:
    """Only the main thread can listen; elsewhere the block simply runs."""
    done: list[bool] = []

    def work() -> None:
        with stopping(Stop()):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


STUBBORN = """
import asyncio, signal, sys, time
from flows.pipeline.kit import Stop
from flows.signals import stopping
async def main():
    with stopping(Stop(), clock=iter([0.0, 60.0]).__next__):
        print("listening", flush=True)
        await asyncio.to_thread(time.sleep, 600)
asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_the_process_by_itself(number: signal.Signals) -> None:
    """At once, whatever threads are doing, with the exit status that a shell expects."""
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "listening\n"
        process.send_signal(number)
        assert process.stderr.readline() == "\n"
        assert process.stderr.readline().startswith("stopping")
        process.send_signal(number)
        process.communicate(timeout=30)
        assert process.returncode == -number
    finally:
        process.kill()
        process.communicate()
