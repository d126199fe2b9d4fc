"""The first command of a first hour, as it is typed."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def typed(folder: Path, *argv: str, keys: str | None = None) -> subprocess.CompletedProcess[str]:
    """The real command in a folder; `keys` are typed on a terminal of its own."""
    command = [sys.executable, "-m", "flows.cli", *argv]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "IDEOFLOW_SANDBOX__LATENCY_S": "0"}
    env |= {"IDEOFLOW_SANDBOX__PICTURES": "plain", "IDEOFLOW_API__POLL_INTERVAL_S": "0.02"}
    if keys is None:
        return subprocess.run(
            command, cwd=folder, env=env, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
    controller, terminal = pty.openpty()
    os.write(controller, keys.encode())
    try:
        return subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, check=False, stdin=terminal)
    finally:
        os.close(controller)
        os.close(terminal)


def test_a_new_project_generates_at_once(tmp_path: Path) -> None:
    """init, validate, plan, generate, doctor's word that all is well: five commands, and the pictures are there."""
    done = typed(tmp_path, "init", "lake", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("next     `cd lake && ideoflow plan`")
    project = tmp_path / "lake"
    for argv in (["validate"], ["plan"], ["generate", "--yes"]):
        step = typed(project, *argv)
        assert step.returncode == 0, step.stderr
    pictures = list((project / "data" / "images" / "lake" / "launch").rglob("*.png"))
    assert len(pictures) == 7
    again = typed(project, "plan", "--json")
    assert json.loads(again.stdout)["buy"] == 0


def test_nothing_is_asked_where_nobody_answers(tmp_path: Path) -> None:
    """Off a terminal the defaults hold, as with --yes."""
    done = typed(tmp_path, "init", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["project"]) == (0, str(tmp_path))
    assert "prompts.yaml" in told["written"]


def test_a_person_is_asked_three_things(tmp_path: Path) -> None:
    """Brand, campaign, place: each with a default that Enter takes."""
    done = typed(tmp_path, "init", "lake", keys="Lac Bleu\n\ns3://bucket/lac\n")
    assert done.returncode == 0, done.stderr
    project = tmp_path / "lake"
    assert "Lac Bleu" in (project / "configs" / "brands" / "lac-bleu.yml").read_text(encoding="utf-8")
    assert "campaign: launch" in (project / "prompts.yaml").read_text(encoding="utf-8")
    assert 'assets: "s3://bucket/lac/images"' in (project / "configs" / "base.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("argv", [["init"], ["init", "--brand", "other"]])
def test_a_project_that_is_there_is_left_alone(tmp_path: Path, argv: list[str]) -> None:
    """Exit 2, the files are named, nothing was written."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "base.yaml").write_text("api: {}\n", encoding="utf-8")
    done = typed(tmp_path, *argv)
    assert done.returncode == 2
    assert "configs/base.yaml" in done.stderr
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["configs", "configs/base.yaml"]
