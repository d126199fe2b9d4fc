"""A small project on the sandbox at full speed, and the command line in it: in this process, or in one of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flows.campaign.run import generate
from flows.campaign.steps import Ask
from flows.cli import main
from flows.sandbox.faults import FaultPlan
from flows.sandbox.state import Store, read_ledger
from flows.workspace import open_workspace

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 60
BASE = """\
api: {poll_interval_s: 0.02}
sandbox: {latency_s: 0, pictures: plain}
"""
MANIFEST = """\
version: 1
brand: helio
defaults: {campaign: summer, model: ideogram-3}
prompts:
  - {id: tile, prompt: "Seamless citrus pattern, flat colours", count: 2, tags: [pattern]}
  - {id: strasse, prompt: "Eine ruhige STRASSE am Meer, Öl auf Leinwand", options: {rendering_speed: turbo}}
  - {id: badge, prompt: "Round enamel badge of a rising sun", model: V_2, aspect_ratio: 1:1}
"""


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A project's folder, and what one asks of it in tests."""

    root: Path
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The embedded sandbox's state."""
        return self.root / "data" / "history" / ".sandbox"

    @property
    def journal(self) -> Path:
        """The journal's folder."""
        return self.root / "data" / "history" / ".journal"

    def manifest(self, text: str) -> None:
        """Write prompts.yaml anew."""
        (self.root / "prompts.yaml").write_text(text, encoding="utf-8")

    def settings(self, text: str, name: str = "base") -> None:
        """Write a file of configs/; base.yaml goes on being quick."""
        (self.root / "configs" / f"{name}.yaml").write_text((BASE if name == "base" else "") + text, encoding="utf-8")

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """What shall go wrong at the sandbox from now on."""
        store = Store.open(self.state, time.time, os.urandom)
        store.set_faults(FaultPlan.of(list(rules)))
        store.close()

    def billed(self) -> int:
        """Images that the sandbox's own ledger says were paid for."""
        if not self.state.exists():
            return 0
        return sum(entry["images"] for entry in read_ledger(self.state)["requests"] if entry["billed"])

    def pictures(self) -> list[Path]:
        """The pictures on disk."""
        return sorted((self.root / "data" / "images").rglob("*.png"))

    def files(self) -> dict[str, bytes]:
        """Every file there is, with its bytes."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}

    def buy(self) -> None:
        """Buy all that the manifest wants, in this process."""
        report, _ = asyncio.run(generate(open_workspace(self.root, (), {}), Ask()))
        assert report.exit_code == 0, report

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """A command in a process of its own, with `env` on top of the environment."""
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *argv],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.env},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def spawn(self, *argv: str) -> Said:
        """The same, to its end."""
        with self.start(*argv) as process:
            out, err = process.communicate(timeout=LONGEST_S)
        return Said(process.returncode, out, err)


def made(root: Path) -> Project:
    """A project with three prompts that want four images."""
    (root / "configs").mkdir(parents=True)
    project = Project(root)
    project.manifest(MANIFEST)
    project.settings("")
    return project


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """For what several tests start from."""
    return lambda: made(tmp_path_factory.mktemp("shared") / "project")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """One of one's own, and the working directory in it."""
    project = made(tmp_path / "project")
    monkeypatch.chdir(project.root)
    return project


Ideoflow = Callable[..., Said]


@pytest.fixture
def ideoflow(project: Project, capsys: pytest.CaptureFixture[str]) -> Ideoflow:
    """The command line in this process, within the project."""

    def run(*argv: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(argv)
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out, err)

    return run


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Wait for something that another process does, and give what came of it."""

    def wait(happened: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + LONGEST_S
        while not (found := happened()):
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.01)
        return found

    return wait
