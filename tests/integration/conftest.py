"""Whole runs in processes of their own, against a sandbox whose ledger is the judge."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from flows.history import view
from flows.history.fold import Book
from flows.ids import sha256
from flows.pipeline.doubt import doubtful
from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import IdeogramSandbox, running
from flows.workspace import Workspace, open_workspace

ROOT = Path(__file__).resolve().parents[2]
MODELS = {"v2": "ideogram-3", "v1": "v1/ideogram-v3", "legacy": "V_2"}


class Spawner:
    """The driver program: starts runs, and waits for them."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("driver.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        answer: dict[str, Any] = json.loads(self._server.stdout.readline())
        return answer

    def start(self, job: Mapping[str, Any]) -> int:
        return int(self._ask({"start": job})["pid"])

    def wait(self, pid: int) -> int:
        return int(self._ask({"wait": pid})["status"])

    def close(self) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(timeout=30)
        self._server.stdout.close()


@dataclass(frozen=True)
class Run:
    """A run that has begun."""

    pid: int
    result: Path
    spawner: Spawner

    def wait(self) -> dict[str, Any] | None:
        """What it did, or None when it was killed."""
        status = self.spawner.wait(self.pid)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return None
        log = self.result.with_name(self.result.name + ".log").read_text(encoding="utf-8")
        assert os.WEXITSTATUS(status) == 0, log
        assert log == "", log  # no traceback, no warning, no task whose exception nobody took
        found: dict[str, Any] = json.loads(self.result.read_text(encoding="utf-8"))
        return found


@dataclass
class Place:
    """One project: a manifest, its storages, and the sandbox it buys from."""

    folder: Path
    sandbox: IdeogramSandbox
    spawner: Spawner
    storages: Mapping[str, str]
    settings: dict[str, str] = field(default_factory=dict)
    runs: int = 0

    def manifest(self, prompts: int, *, count: int = 1, model: str = "v2", name: str = "prompts.yaml") -> int:
        """Write a manifest of so many prompts with so many images each: how many images it wants."""
        names = [f"p{number}" for number in range(prompts)]
        text = f"version: 1\nbrand: helio\ndefaults: {{model: {MODELS[model]}, count: {count}}}\nprompts:\n"
        text += "".join(f'  - {{id: {one}, prompt: "A bottle on sand, take {one}"}}\n' for one in names)
        (self.folder / name).write_text(text, encoding="utf-8")
        return prompts * count

    def write(self, text: str) -> None:
        """Write a manifest word for word."""
        (self.folder / "prompts.yaml").write_text(text, encoding="utf-8")

    @property
    def environ(self) -> dict[str, str]:
        return {
            "IDEOFLOW_API__BASE_URL": self.sandbox.base_url,
            "IDEOGRAM_API_KEY": self.sandbox.api_key,
            "IDEOFLOW_API__POLL_INTERVAL_S": "0.02",
            "IDEOFLOW_STORAGE__RESERVE_MB": "0",
            "IDEOFLOW_BUDGET__PER_RUN_USD": "null",
            **self.storages,
            **self.settings,
        }

    def start(
        self,
        *,
        trap: Mapping[str, Any] | None = None,
        limit: int | None = None,
        retry: Sequence[str] = (),
        reproduce: str | None = None,
        collection: str | None = None,
        compact: bool = False,
    ) -> Run:
        """Begin a run in a process of its own; `reproduce` is an image to be made again, `compact` a maintain."""
        self.runs += 1
        result = self.folder / f"run-{self.runs}.json"
        if trap is not None:
            state = str(self.sandbox.config.state_dir / "sandbox.sqlite3")
            trap = {**trap, "state": state, "log": str(self.folder / "journal.log")}
        job = {
            "project": str(self.folder),
            "environ": self.environ,
            "result": str(result),
            "trap": trap,
            "limit": limit,
            "retry": list(retry),
            "reproduce": reproduce,
            "collection": collection,
            "compact": compact,
        }
        return Run(self.spawner.start(job), result, self.spawner)

    def run(self, **options: Any) -> dict[str, Any] | None:
        """A whole run: what it did, or None when it was killed."""
        return self.start(**options).wait()

    def workspace(self) -> Workspace:
        """The same project, opened here to look at."""
        return open_workspace(self.folder, (), {**os.environ, **self.environ})

    def billed(self) -> int:
        """Images charged for or about to be, by the sandbox's own ledger."""
        ledger = self.sandbox.ledger()
        return ledger["billed_images"] + ledger["running_images"]

    def book(self) -> tuple[Book, dict[str, str]]:
        """The books as a run would read them, and what is in doubt by request id."""
        ws = self.workspace()
        book = ws.desk().open(())
        return book, doubtful(book, ws.history.now())

    def must_doubt(self) -> tuple[set[str], set[str]]:
        """By what the killed process itself had noted: the entries surely, and perhaps, left without an answer."""
        seen: dict[str, set[str]] = {"before": set(), "after": set()}
        for line in (self.folder / "journal.log").read_text(encoding="utf-8").splitlines():
            when, _, name = line.partition(" ")
            seen[when].add(name)
        begun, done = seen["before"], seen["after"]

        def without(claims: set[str], answers: set[str]) -> set[str]:
            entries = {name.removesuffix(".claim") for name in claims if name.endswith(".claim")}
            return entries - {name.rpartition(".")[0] for name in answers if not name.endswith(".claim")}

        return without(done, begun), without(begun, done)

    def rows(self) -> list[dict[str, Any]]:
        """One row per billed image, by our own reader."""
        return view.images(self.workspace().parts).to_pylist()

    def raw(self, dataset: str) -> pd.DataFrame:
        """The same as anybody's pandas reads it."""
        where = self.storages["IDEOFLOW_STORAGE__HISTORY"]
        options = json.loads(self.storages.get("IDEOFLOW_STORAGE__OPTIONS", "null"))
        if self.workspace().parts.listing(dataset):
            return pd.read_parquet(f"{where}/{dataset}", storage_options=options)
        return pd.DataFrame({"image_id": [], "status": []})

    def names(self, role: str) -> list[str]:
        """Every object of a storage, the hidden ones included."""
        ws = self.workspace()
        storage = {"assets": ws.assets, "history": ws.history}[role]
        found = [stat.path for stat in storage.list()]
        for hidden in (".tmp", ".journal", ".journal/.tmp", ".locks", ".locks/.tmp"):
            found += [f"{hidden}/{stat.path}" for stat in storage.sub(hidden).list()]
        return sorted(found)

    def audit(self, *, wanted: int, doubts: int = 0, broken_lock: bool = False) -> None:
        """Money, rows, pictures and the journal all agree."""
        rows = self.rows()
        stored = [row for row in rows if row["status"] == "stored"]
        book, in_doubt = self.book()
        in_doubt_images = sum(
            entry.counted for entry in book.live if entry.request and entry.request.request_id in in_doubt
        )
        assert self.billed() <= wanted, "paid twice"
        assert len(in_doubt) == doubts, in_doubt
        # What is in doubt may have run or not; everything else is billed, recorded and stored.
        assert self.billed() - in_doubt_images <= len(rows) <= self.billed()
        assert len(rows) + in_doubt_images == wanted
        assert len({row["image_id"] for row in rows}) == len(rows)
        if not broken_lock:
            assert sorted(self.raw("images")["image_id"]) == sorted(row["image_id"] for row in rows)
        assets = self.workspace().assets
        for row in stored:
            data = assets.read(row["local_path"])
            assert data is not None, row["local_path"]
            assert sha256(data) == row["sha256"]
            with Image.open(io.BytesIO(data)) as picture:
                picture.load()
                assert picture.size == (row["width"], row["height"])
        assert not book.rubbish
        assert all(entry.request and entry.request.request_id in in_doubt for entry in book.live)
        named = {row["local_path"] for row in stored}
        pictures = [name for name in self.names("assets") if name.endswith((".png", ".jpg", ".webp"))]
        assert set(pictures) == named, "pictures that no row knows"
        assert not [name for name in self.names("history") if name.startswith(".locks/history")]


@pytest.fixture(scope="session")
def spawner() -> Iterator[Spawner]:
    """One driver program per test process."""
    spawner = Spawner()
    yield spawner
    spawner.close()


@pytest.fixture
def sandbox(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[IdeogramSandbox]:
    """A quick sandbox with plain pictures; its parameter is how long a picture takes at least."""
    least = getattr(request, "param", 0.02)
    config = SandboxConfig(tmp_path / "state", api_key="sandbox", latency_s=(least, 3 * least), pictures="plain")
    with running(config) as handle:
        yield handle


@pytest.fixture
def place(tmp_path: Path, sandbox: IdeogramSandbox, spawner: Spawner) -> Place:
    """A project on this disk."""
    folder = tmp_path / "project"
    folder.mkdir()
    storages = {
        f"IDEOFLOW_STORAGE__{role.upper()}": str(folder / "data" / role) for role in ("assets", "history", "reports")
    }
    return Place(folder, sandbox, spawner, storages)


@pytest.fixture
def bucket_place(tmp_path: Path, sandbox: IdeogramSandbox, spawner: Spawner, s3_bucket: Any) -> Place:
    """A project in a bucket, behind a real S3 API."""
    return _in_bucket(tmp_path, sandbox, spawner, s3_bucket)


@pytest.fixture
def seaweed_place(tmp_path: Path, sandbox: IdeogramSandbox, spawner: Spawner, seaweed_bucket: Any) -> Place:
    """The same behind another S3 server."""
    return _in_bucket(tmp_path, sandbox, spawner, seaweed_bucket)


def _in_bucket(tmp_path: Path, sandbox: IdeogramSandbox, spawner: Spawner, bucket: Any) -> Place:
    folder = tmp_path / "project"
    folder.mkdir()
    storages = {
        f"IDEOFLOW_STORAGE__{role.upper()}": f"s3://{bucket.name}/{role}" for role in ("assets", "history", "reports")
    }
    storages["IDEOFLOW_STORAGE__OPTIONS"] = json.dumps(bucket.options)
    storages |= bucket.environ
    return Place(folder, sandbox, spawner, storages)
