"""The command as a process: on a terminal and off it, interrupted once and twice."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LONGEST_S = 60
SLOW = "sandbox: {latency_s: 2, pictures: plain}\napi: {poll_interval_s: 0.02, max_in_flight: 2}\n"


class Terminal:
    """A process on a terminal of eighty columns, and what it has shown so far."""

    def __init__(self, argv: list[str], cwd: Path, env: dict[str, str]) -> None:
        self.text = ""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._fd = ours
        self.process = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def until(self, happened: Callable[[str], bool]) -> str:
        """Read until what is shown satisfies this."""
        deadline = time.monotonic() + LONGEST_S
        while not happened(self.text):
            assert time.monotonic() < deadline, self.text
            if not self._read():
                assert happened(self.text), self.text
        return self.text

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._fd, text.encode())

    def end(self) -> tuple[int, str]:
        """The exit code, and all that was shown."""
        while self._read():
            pass
        return self.process.wait(LONGEST_S), self.text

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._fd)

    def _read(self) -> bool:
        with contextlib.suppress(OSError):  # the last reader of a terminal that is gone hears EIO
            ready, _, _ = select.select([self._fd], [], [], LONGEST_S)
            data = os.read(self._fd, 65536) if ready else b""
            self.text += data.decode(errors="replace")
            return bool(data)
        return False


@pytest.fixture
def terminal(project: Any) -> Iterator[Callable[..., Terminal]]:
    """Start the command line on a terminal."""
    opened: list[Terminal] = []

    def start(*argv: str, **env: str) -> Terminal:
        root = str(Path(__file__).resolve().parents[2])
        whole = {**os.environ, "PYTHONPATH": root, "TERM": "xterm-256color", **env}
        opened.append(Terminal([sys.executable, "-m", "flows.cli", *argv], project.root, whole))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_terminal_is_shown_the_plan_and_asked(project: Any, terminal: Callable[..., Terminal]) -> None:
    """`n` buys nothing and exits 2; the plan was there to read."""
    shown = terminal("generate")
    shown.until(lambda text: "Buy 4 images for $0.23?" in text)
    assert "tile" in shown.text
    assert "\x1b[" in shown.text
    shown.type("n\n")
    code, text = shown.end()
    assert code == 2
    assert "nothing was changed" in text
    assert project.billed() == 0


@pytest.mark.slow
def test_yes_buys_behind_a_progress_bar(project: Any, terminal: Callable[..., Terminal]) -> None:
    """Enter means yes; while it goes on a bar counts images; the summary stands at the end."""
    project.settings("", "base")
    (project.root / "configs" / "base.yaml").write_text(SLOW, encoding="utf-8")
    shown = terminal("generate")
    shown.until(lambda text: "Buy 4 images" in text)
    shown.type("\n")
    shown.until(lambda text: "buying" in text and "/4" in text)
    code, text = shown.end()
    assert code == 0
    assert "generate: done, 4 images bought" in text
    assert project.billed() == 4


def test_no_color_is_respected(terminal: Callable[..., Terminal]) -> None:
    """On a terminal with NO_COLOR a plan has no escape codes."""
    code, text = terminal("plan", NO_COLOR="1").end()
    assert code == 0
    assert "4 images to buy" in text
    assert "\x1b" not in text


def test_eighty_columns_are_enough(terminal: Callable[..., Terminal]) -> None:
    """No line of the help or of a plan is longer than the terminal."""
    for verb in (["--help"], ["plan"], ["generate", "--help"]):
        code, text = terminal(*verb, NO_COLOR="1").end()
        assert code == 0
        plain = re.sub(r"\x1b\[[0-9;]*m|\r", "", text)  # NO_COLOR leaves the help its bold letters
        assert [line for line in plain.splitlines() if len(line) > 80] == []


@pytest.mark.slow
def test_a_pipe_gets_words_only(project: Any) -> None:
    """Nothing that drives a terminal, on either stream, of a whole run."""
    for verb in (["generate", "--yes"], ["history"]):
        said = project.spawn(*verb)
        assert said.code == 0, said
        assert "\x1b" not in said.out + said.err
        assert said.err == ""


def test_a_reader_that_has_seen_enough_is_no_error(project: Any) -> None:
    """`ideoflow plan | head -1` ends quietly."""
    with project.start("plan") as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def in_progress(project: Any, until: Any) -> subprocess.Popen[str]:
    """A slow run that has been answered once and has more to ask for."""
    (project.root / "configs" / "base.yaml").write_text(SLOW, encoding="utf-8")
    process: subprocess.Popen[str] = project.start("generate", "--yes")
    until(lambda: project.journal.exists() and list(project.journal.glob("*.ack")))
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_the_first_signal_stops_cleanly(project: Any, ideoflow: Any, until: Any, number: signal.Signals) -> None:
    """What was sent is finished, the summary is printed, exit 4; the next run completes, and pays for nothing twice."""
    with in_progress(project, until) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 4, (out, err)
    assert "stopping: what was sent is being finished" in err
    assert "Traceback" not in err
    assert out.splitlines()[-1] == "next     run `ideoflow generate` again, it goes on from here"
    assert 0 < project.billed() < 4
    assert len(project.pictures()) == project.billed()
    project.settings("")
    assert ideoflow("generate", "--yes").code == 0
    assert project.billed() == len(project.pictures()) == 4


def test_the_second_signal_ends_at_once(project: Any, ideoflow: Any, until: Any) -> None:
    """Whoever insists is obeyed, by the signal itself; nothing that was paid for is lost."""
    project.faults({"match": {"kind": "poll"}, "fault": "500_poll"})  # it would go on for ten minutes
    with in_progress(project, until) as process:
        deadline = time.monotonic() + LONGEST_S
        while process.poll() is None:
            assert time.monotonic() < deadline
            process.send_signal(signal.SIGINT)
            # An echo of the first within a second is one wish: this goes on asking.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.3)
    assert process.returncode == -signal.SIGINT
    project.faults()
    project.settings("")
    said = ideoflow("generate", "--yes")
    if said.code == 4:  # killed between claim and answer: a person settles that
        ideoflow("recover", "--resubmit", "all")
        ideoflow("generate", "--yes")
    assert len(project.pictures()) == project.billed() >= 4
