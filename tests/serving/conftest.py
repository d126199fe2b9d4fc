"""`serve` and workers as processes of their own, a project for them, and what Prefect's API knows of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from flows.sandbox.state import read_ledger

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 240
OVER = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
BASE = """\
api: {{poll_interval_s: 0.05, max_in_flight: {lanes}}}
sandbox: {{pictures: plain, latency_s: {latency}}}
storage: {{reserve_mb: 0}}
schedules:
  generate: {schedule}
  retain: null
  audit: null
  maintain: null
"""
MANIFEST = """\
version: 1
brand: helio
defaults: {{campaign: test, model: ideogram-3}}
prompts:
  - {{id: lemon, prompt: A lemon on a plate, count: {count}}}
"""
EVERY_MINUTE = '{cron: "* * * * *", timezone: Europe/Berlin}'


def until(happened: Callable[[], Any], what: str) -> Any:
    """Wait for what other processes do, and give what came of it."""
    deadline = time.monotonic() + LONGEST_S
    while not (found := happened()):
        assert time.monotonic() < deadline, f"it never happened: {what}"
        time.sleep(0.05)
    return found


def call(url: str, body: Mapping[str, Any] | None = None, method: str = "POST") -> Any:
    """Prefect's API, as JSON; asked again while its SQLite is busy, as Prefect's own client does."""
    data = json.dumps(body or {}).encode() if method == "POST" else None
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310  our own loopback
    deadline = time.monotonic() + LONGEST_S
    while True:
        try:
            with urlopen(request, timeout=60) as answer:  # noqa: S310  see above
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            error.close()
            if error.code != 503 or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


@dataclass
class Party:
    """Processes that carry a mark in their environment, so that all their children can be found, whoever made them."""

    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, argv: Sequence[str], cwd: Path, **env: str) -> tuple[subprocess.Popen[bytes], Path]:
        """A process in a session of its own, and the file of its words."""
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        kept = {name: value for name, value in os.environ.items() if name != "PREFECT_HOME"}
        words = self.folder / f"words-{len(self.started)}.txt"
        with words.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *argv],
                cwd=cwd,
                env={**kept, "PYTHONPATH": path, "SERVING_TEST": self.mark, "PYTHONUNBUFFERED": "1", **env},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process, words

    def alive(self) -> list[int]:
        """Every living process that carries the mark."""
        wanted = f"SERVING_TEST={self.mark}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    zombie = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
                    if not zombie and wanted in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return found

    def kill(self) -> None:
        """All of them at once, as when the machine goes down."""
        while pids := self.alive():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self.started:
                process.poll()
            time.sleep(0.05)
        for process in self.started:
            process.wait()


@dataclass(frozen=True)
class Watching:
    """What Prefect's API knows."""

    ui: str

    def runs(self) -> list[dict[str, Any]]:
        """Every flow run that has begun, in order."""
        asked = {"sort": "EXPECTED_START_TIME_ASC", "limit": 200}
        found: list[dict[str, Any]] = call(f"{self.ui}/api/flow_runs/filter", asked)
        return [run for run in found if run["start_time"]]

    def ended(self) -> list[dict[str, Any]]:
        return [run for run in self.runs() if run["state_type"] in OVER]

    def over(self, run_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Those of these runs that are over, whether they ever began or not."""
        return [run for one in run_ids if (run := self.run(one))["state_type"] in OVER]

    def deployments(self) -> dict[str, dict[str, Any]]:
        """By the name of their flow."""
        found = call(f"{self.ui}/api/deployments/filter")
        return {one["entrypoint"].rpartition(".")[2]: one for one in found}

    def begin(self, flow: str) -> str:
        """Somebody starts a run by hand: its id."""
        deployment = self.deployments()[flow]
        asked = {"parameters": deployment["parameters"], "state": {"type": "SCHEDULED"}}
        run: str = call(f"{self.ui}/api/deployments/{deployment['id']}/create_flow_run", asked)["id"]
        return run

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = call(f"{self.ui}/api/flow_runs/{run_id}", method="GET")
        return found


@dataclass(frozen=True)
class Serving(Watching):
    """A `serve` that serves."""

    process: subprocess.Popen[bytes]
    words: Path

    def text(self) -> str:
        return self.words.read_text(encoding="utf-8")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """As an administrator ends it: the exit code."""
        self.process.send_signal(how)
        return self.process.wait(LONGEST_S)


@dataclass
class Project:
    """A project whose flows are served."""

    root: Path
    party: Party

    def settings(self, schedule: str, *, latency: float = 0.05, lanes: int = 4) -> None:
        text = BASE.format(schedule=schedule, latency=latency, lanes=lanes)
        (self.root / "configs" / "base.yaml").write_text(text, encoding="utf-8")

    def wants(self, count: int) -> None:
        (self.root / "prompts.yaml").write_text(MANIFEST.format(count=count), encoding="utf-8")

    def billed(self) -> int:
        """By the sandbox's own ledger."""
        state = self.root / "data" / "history" / ".sandbox"
        if not state.exists():
            return 0
        return sum(entry["images"] for entry in read_ledger(state)["requests"] if entry["billed"])

    def pictures(self) -> int:
        return len(list((self.root / "data" / "images").rglob("*.png")))

    def records(self, step: str) -> int:
        return len(list((self.root / "data" / "history" / ".journal").glob(f"*.{step}")))

    def serve(self) -> Serving:
        """Start it, and wait until it serves."""
        process, words = self.party.start(["-m", "flows.cli", "serve", "--port", "0"], self.root)

        def ready() -> Any:
            text = words.read_text(encoding="utf-8")
            assert process.poll() is None, text
            return re.search(r"pages: (http://127\.0\.0\.1:\d+)/", text)

        return Serving(until(ready, "serving")[1], process, words)


@pytest.fixture
def party(tmp_path: Path) -> Iterator[Party]:
    """Nobody stays behind, whatever happens."""
    party = Party(tmp_path)
    yield party
    party.kill()


@pytest.fixture
def project(party: Party, tmp_path: Path) -> Project:
    """Three pictures wanted, nothing scheduled."""
    root = tmp_path / "helio site"
    (root / "configs").mkdir(parents=True)
    project = Project(root, party)
    project.settings("null")
    project.wants(3)
    return project


@pytest.fixture
def wait() -> Callable[[Callable[[], Any], str], Any]:
    """For what other processes do."""
    return until


@pytest.fixture
def every_minute() -> str:
    """A schedule."""
    return EVERY_MINUTE


@pytest.fixture
def watching() -> type[Watching]:
    """To ask a server."""
    return Watching
