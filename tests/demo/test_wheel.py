"""Installed from a wheel, in an empty folder, the demonstration has its manifest and its prices with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from flows.demo.offline import CAMPAIGN

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(site: Path, cwd: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """A command of the installed program."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *argv],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_the_wheel_holds_what_it_needs(site: Path, tmp_path: Path) -> None:
    """Manifest, prices and the second campaign are inside; a plan by the packaged manifest has its prices."""
    templates = [
        f"flows/report/audit/templates/{name}" for name in ("page.html.j2", "pieces.html.j2", "page.css", "page.js")
    ]
    templates += [f"flows/starter/templates/{path.name}" for path in (ROOT / "flows/starter/templates").iterdir()]
    campaign = [f"flows/demo/campaign/{name}" for name in CAMPAIGN]
    for name in (*campaign, "flows/demo/encore.yaml", "flows/budget/prices.yaml", *templates):
        assert (site / name).is_file(), name
    done = run(site, tmp_path, "plan", "--manifest", str(site / "flows" / "demo" / "campaign" / "prompts.yaml"))
    assert done.returncode == 0, done.stderr
    assert "images to buy" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_demonstration_runs_anywhere(site: Path, tmp_path: Path) -> None:
    """In an empty folder, with nothing but the installed program."""
    done = run(site, tmp_path, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "paid twice 0" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {"data", ".prefect", "prompts.yaml", "configs"}
    audited = run(site, tmp_path, "audit", "--json")
    assert audited.returncode in {0, 3}, audited.stderr
    said = json.loads(audited.stdout)
    assert [score["brand"] for score in said["brands"]] == ["helio"]
    assert "metadata.unknown_brand" not in {one["code"] for one in said["findings"]}
    assert next(one for one in said["checks"] if one["check"] == "palette")["looked_at"] > 20
