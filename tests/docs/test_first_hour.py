"""The first hour, command by command, in an empty folder and on a terminal of eighty columns.

``WRITE_DOCS=1 pytest -m slow tests/docs/test_first_hour.py`` writes what is printed now into the page.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "first-hour.md"
HOME = "~"  # what the page says for the folder in which the test runs
BLOCK = re.compile(r"(^```console\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
# What differs from day to day and from machine to machine; one and the same for page and program.
VOLATILE: Sequence[tuple[str, str]] = (
    (r"\s*\n {20,}", " "),  # a cell that was folded
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-\d+)?", "ID"),
    (r"\b(generate|audit|retain|maintain|import)-\d{6}-[0-9a-f]{8}", r"\1-RUN"),
    (r"(?<=generation )\S+", "ID"),
    (r"\b[0-9a-f]{8}\b", "ID"),
    (r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)", "DATE"),
    (r"\b\d\d-\d\d (?=\d\d:\d\d)", ""),
    (r"\b\d\d:\d\d(:\d\d)?\b", "TIME"),
    (r"\b[\d.,]+ (ms|s|min|h|d)\b", "SPAN"),
    (r"\b[\d.,]+ (bytes|B|kB|MB|GB|TB)\b", "SIZE"),
    (r"\b[\d.]+%", "SHARE"),
    (r"\d+ of 100", "SCORE"),
    (r"\b\d+\.\d+\.\d+(\.\w+)?\b", "VERSION"),
    (r"(?m) +$", ""),
    (r"  +", "  "),
)


@dataclass
class Said:
    """A command of the page, and what it prints."""

    command: str
    lines: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in [f"$ {self.command}", *self.lines])


def commands(block: str) -> list[Said]:
    """The commands of a block, each with the lines below it."""
    found: list[Said] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Said(line.removeprefix("$ ")))
        else:
            found[-1].lines.append(line)
    return found


def alike(text: str) -> list[str]:
    """The lines as they are compared."""
    for pattern, word in VOLATILE:
        text = re.sub(pattern, word, text)
    return text.strip("\n").splitlines()


class Terminal:
    """A shell whose folder and variables last, on a terminal without colours."""

    def __init__(self, folder: Path, columns: int = 80) -> None:
        self.folder, self.columns = folder, columns
        self.at = folder
        bin_ = folder / ".bin"
        bin_.mkdir()
        program = bin_ / "ideoflow"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m flows.cli "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "PREFECT_HOME") if name in os.environ}
        self.environ = {
            **kept,
            "HOME": str(folder),
            "PATH": f"{bin_}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            "TERM": "dumb",
            "NO_COLOR": "1",
        }

    def run(self, command: str) -> list[str]:
        """What it prints, on either stream."""
        front, back = pty.openpty()
        fcntl.ioctl(back, termios.TIOCSWINSZ, struct.pack("HHHH", 50, self.columns, 0, 0))
        script = f'{command}\ncode=$?\npwd > "{self.folder}/.at"\nexit $code'
        with subprocess.Popen(
            ["/bin/bash", "-c", script],
            cwd=self.at,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=back,
            stderr=back,
        ) as shell:
            os.close(back)
            text = b"".join(_read(front)).decode().replace("\r\n", "\n")
        assert shell.returncode == 0, f"$ {command}\n{text}"
        self.at = Path((self.folder / ".at").read_text(encoding="utf-8").strip())
        text = text.replace(str(self.folder), HOME)
        return [line.rstrip() for line in text.strip("\n").splitlines()]


def _read(front: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(front, 65_536)
        except OSError:  # how Linux says that the other end is closed
            data = b""
        if not data:
            os.close(front)
            return
        yield data


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """In a folder with a short name, as folders of people have."""
    with tempfile.TemporaryDirectory(prefix="h") as folder:
        yield Terminal(Path(folder).resolve())


@pytest.mark.slow
def test_the_first_hour(terminal: Terminal) -> None:
    """Every command of the page ends well and prints what the page says; lines of one answer may come in any order."""
    text = PAGE.read_text(encoding="utf-8")
    write = bool(os.environ.get("WRITE_DOCS"))
    blocks: list[str] = []
    for match in BLOCK.finditer(text):
        said = commands(match[2])
        for one in said:
            printed = terminal.run(one.command)
            assert max(map(len, printed), default=0) <= 160, one.command
            if write:
                one.lines = printed
            else:
                page, program = alike("\n".join(one.lines)), alike("\n".join(printed))
                assert sorted(program) == sorted(page), f"$ {one.command}\n" + "\n".join(printed)
                assert program[:1] == page[:1]
                assert program[-1:] == page[-1:]
        blocks.append("".join(map(str, said)))
    if write:
        answers = iter(blocks)
        PAGE.write_text(BLOCK.sub(lambda match: match[1] + next(answers) + match[3], text), encoding="utf-8")


def test_the_page_has_what_it_promises() -> None:
    """The verbs of a first hour are all in it, and their answers too."""
    said = [one for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")) for one in commands(match[2])]
    verbs = {word for one in said for word in re.findall(r"ideoflow (\w+)", one.command)}
    wanted = "init doctor validate plan generate history whois spend sql audit retain decide export import"
    assert verbs == set(wanted.split())
    for one in said:
        if one.command.startswith("ideoflow "):
            assert one.lines, one.command
            assert tempfile.gettempdir() not in str(one)


def test_what_differs_from_day_to_day_is_all_that_may() -> None:
    """Ids, times and sizes may be others; a word, a price or a count may not."""
    one = "hero_2026-11-23_01a206b9-7b37-79c6-81f3-5fc35e5694db-0.png 1.4 MB, 17 s, $0.36"
    other = "hero_2027-01-02_019aab3e-0000-7000-8000-000000000001-0.png 900 kB, 1.5 min, $0.36"
    assert alike(one) == alike(other)
    assert alike(one) != alike(one.replace("$0.36", "$0.37"))
    assert alike("7 images") != alike("8 images")
