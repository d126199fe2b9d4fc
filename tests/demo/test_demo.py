"""The demonstration: it counts by the sandbox's ledger, pays nothing again, and never leaves this machine."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.demo.encore import Count, encore, settings_of
from flows.demo.offline import offline, shipped, with_shipped_manifest
from flows.documents import parse
from flows.sandbox.state import read_ledger
from flows.settings import load_settings
from flows.workspace import open_workspace

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 240
# What somebody's environment looks like who buys real pictures.
REAL = {
    "IDEOFLOW_API__BASE_URL": "https://api.ideogram.ai",
    "IDEOFLOW_CONFIG": "production",
    "IDEOGRAM_API_KEY": "sk-real-0123456789",
    "IDEOFLOW_BUDGET__PER_RUN_USD": "0.01",
    # A proxy at which nobody listens: whatever tried to leave this machine would fail.
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}


def demo(project: Path, *argv: str) -> str:
    """What the demonstration says; it must end well."""
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "demo", *argv],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), **REAL},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert REAL["IDEOGRAM_API_KEY"] not in done.stdout + done.stderr
    return done.stdout


def billed(state: Path) -> list[str]:
    """The requests that a till has seen, by what they asked for."""
    return sorted(entry["generation_id"] for entry in read_ledger(state)["requests"])


@pytest.mark.slow
def test_both_acts_and_again(tmp_path: Path) -> None:
    """A project copy and a user's environment that points at the real API: bought once, killed, counted, kept."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "configs", project / "configs")
    shutil.copy(ROOT / "prompts.yaml", project)
    said = demo(project)
    count = re.search(r"wanted (\d+) · paid (\d+) · kept (\d+) · paid twice (\d+)", said)
    assert count, said
    wanted, paid, kept, twice = map(int, count.groups())
    assert wanted == paid == kept > 0
    assert twice == 0
    assert len(list((project / "data" / "images").rglob("*.png"))) >= 30
    assert max(map(len, said.splitlines())) <= 80
    tills = [project / "data" / "history" / ".sandbox", project / "data" / "encore" / "history" / ".sandbox"]
    before = [billed(till) for till in tills]
    said = demo(project)
    assert "nothing bought" in said
    assert "nothing to kill" in said
    assert count.group() in said
    assert [billed(till) for till in tills] == before
    assert "SIGKILL" in demo(project, "--fresh")
    assert billed(tills[0]) == before[0]


@pytest.mark.slow
def test_a_kill_in_the_middle_costs_nothing(tmp_path: Path) -> None:
    """The second act with one kill: wanted, paid and kept are the same number by the till's own ledger."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "base.yaml").write_text("sandbox: {pictures: plain}\n", encoding="utf-8")
    lines: list[str] = []
    count = encore(tmp_path, tmp_path / "data" / "encore", lines.append, random.Random(1), most=1)
    assert count == Count(wanted=20, paid=20, kept=20, paid_twice=0)
    assert str(count) == "wanted 20 · paid 20 · kept 20 · paid twice 0"
    assert sum("SIGKILL" in line for line in lines) == 1


@pytest.mark.parametrize("act", [offline, settings_of])
def test_no_setting_leads_out(tmp_path: Path, act: object) -> None:
    """Whatever base.yaml says of API, buckets and caps: the sandbox, this disk, no cap."""
    assert callable(act)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "base.yaml").write_text(
        "api: {base_url: 'https://api.ideogram.ai'}\n"
        "storage: {assets: 's3://b/images', history: 's3://b/history', reports: 's3://b/reports'}\n"
        "budget: {per_run_usd: 0.01}\n"
        "sandbox: {state: elsewhere}\n",
        encoding="utf-8",
    )
    data = tmp_path / "data"
    settings = load_settings(tmp_path, (), act(data), tmp_path).settings
    assert settings.sandboxed
    assert settings.key().get_secret_value() == "sandbox"
    assert settings.budget.per_run_usd is None
    places = (settings.storage.assets, settings.storage.history, settings.storage.reports)
    assert all(Path(place).is_relative_to(data) for place in places)
    assert open_workspace(tmp_path, (), act(data)).sandbox_state.is_relative_to(data)


def test_a_folder_without_a_manifest_gets_the_shipped_one(tmp_path: Path) -> None:
    """Installed without the repository there is a campaign to show all the same, with its brand and its tolerances."""
    ws = open_workspace(tmp_path, (), with_shipped_manifest(offline(tmp_path / "data")))
    assert len(ws.manifests(()).variants) >= 10
    assert all(path.is_file() for path in shipped().values())
    manifest = parse(shipped()["prompts.yaml"].read_bytes(), "prompts.yaml").data
    assert f"configs/brands/{manifest['brand']}.yml" in shipped()
