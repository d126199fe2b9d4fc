"""A project on the sandbox at full speed, with four pictures bought, and maintain run on it."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows import upkeep
from flows.campaign.run import generate
from flows.campaign.steps import Ask
from flows.history.standing import current
from flows.report.ending import Ending
from flows.workspace import Workspace, open_workspace

MANIFEST = """\
version: 1
defaults: {model: ideogram-3}
prompts:
  - {id: sea, prompt: "a calm sea", count: 3}
  - {id: hill, prompt: "a green hill"}
"""
QUICK = {
    "IDEOFLOW_SANDBOX__LATENCY_S": "0",
    "IDEOFLOW_SANDBOX__PICTURES": "plain",
    "IDEOFLOW_API__POLL_INTERVAL_S": "0.02",
}


@dataclass(frozen=True)
class Bought:
    """The project, and what a test does to it."""

    ws: Workspace
    root: Path

    def maintain(self, subset: str = "", *, compact: bool = False) -> Ending:
        done, where = asyncio.run(upkeep.maintain(self.ws, subset, compact=compact))
        told = upkeep.ending(done, where)
        assert Path(where).read_text(encoding="utf-8").startswith(f"# {told.headline}")
        return told

    def rows(self) -> list[dict[str, Any]]:
        """The images as they stand, by path."""
        columns = ["image_id", "fingerprint", "local_path", "sha256", "bytes", "state"]
        return sorted(current(self.ws.parts, columns).to_pylist(), key=lambda row: str(row["local_path"]))

    def states(self) -> list[str]:
        return [row["state"] for row in self.rows()]

    def file(self, number: int) -> Path:
        """The picture of that row on disk."""
        return Path(self.ws.assets.where(self.rows()[number]["local_path"]))

    def events(self) -> list[dict[str, Any]]:
        parts = self.ws.parts
        found = parts.read(parts.listing("lifecycle"), "lifecycle").to_pylist()
        return sorted(found, key=lambda row: str(row["event_id"]))

    def features(self) -> list[dict[str, Any]]:
        parts = self.ws.parts
        found: list[dict[str, Any]] = parts.read(parts.listing("features"), "features").to_pylist()
        return found

    def forget_features(self) -> None:
        shutil.rmtree(self.root / "data" / "history" / "features")

    def again(self, **environ: str) -> Bought:
        """The same project with other settings."""
        return Bought(open_workspace(self.root, (), {**QUICK, **environ}), self.root)


@pytest.fixture(scope="session")
def bought_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures, measured and sealed."""
    root = tmp_path_factory.mktemp("bought") / "project"
    root.mkdir()
    (root / "prompts.yaml").write_text(MANIFEST, encoding="utf-8")
    report, _ = asyncio.run(generate(open_workspace(root, (), QUICK), Ask()))
    assert report.exit_code == 0
    return root


@pytest.fixture
def bought(bought_once: Path, tmp_path: Path) -> Bought:
    """A copy of one's own."""
    root = tmp_path / "project"
    shutil.copytree(bought_once, root)
    return Bought(open_workspace(root, (), QUICK), root)
