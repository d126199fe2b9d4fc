"""A disk that is really full: a run stops in words, loses nothing, and goes on when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, shutil, subprocess, sys
from pathlib import Path

root = Path(sys.argv[1])
data = root / "data"
ideoflow = [sys.executable, "-m", "flows.cli"]

def run(*words):
    done = subprocess.run([*ideoflow, *words], cwd=root, capture_output=True, text=True)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}

def billed():
    from flows.sandbox.state import read_ledger
    return sum(one["images"] for one in read_ledger(root / "sandbox")["requests"] if one["billed"])

first = run("generate", "--yes", "--no-prefect", "--select", "first")
retained = run("retain", "--apply", "--max-fraction", "1", "--json")
free = shutil.disk_usage(data).free
ballast = data / "ballast"
ballast.write_bytes(b"b" * (free - int(sys.argv[2])))
full = run("generate", "--yes", "--no-prefect")
spent = billed()
ballast.unlink()
after = run("generate", "--yes", "--no-prefect")
pictures = len(list((data / "images").rglob("*.png")))
print(json.dumps({"first": first, "retained": retained, "full": full, "spent": spent, "after": after,
    "billed": billed(), "pictures": pictures, "left": run("plan", "--json")["code"]}))
"""
POLICY = """\
version: 1
enabled: true
grace: 0h
classes:
  first: {match: {prompt: first}, keep_last: 1}
"""


def _project(root: Path, reserve_mb: int) -> None:
    (root / "configs").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "prompts.yaml").write_text(
        "version: 1\nbrand: helio\ndefaults: {model: ideogram-3}\nprompts:\n"
        '  - {id: first, prompt: "A seamless pattern", count: 3}\n'
        '  - {id: second, prompt: "A round badge", count: 12}\n',
        encoding="utf-8",
    )
    (root / "configs/base.yaml").write_text(
        "api: {poll_interval_s: 0.02}\nsandbox: {latency_s: 0, pictures: plain, state: sandbox}\n"
        f"storage: {{reserve_mb: {reserve_mb}}}\n",
        encoding="utf-8",
    )
    (root / "configs/retention.yaml").write_text(POLICY, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reserve_mb", "left"),
    [pytest.param(0, 150_000, id="nothing left at all"), pytest.param(8, 6_000_000, id="below the reserve")],
)
def test_a_full_disk_stops_a_run_that_then_goes_on(tmp_path: Path, reserve_mb: int, left: int) -> None:
    """Exit 4, naming what `retain --apply` would free; with room again everything is there, and nothing paid twice."""
    import json

    root = tmp_path / "project"
    _project(root, reserve_mb)
    unshare = shutil.which("unshare")
    probe = [unshare or "", "-Urm", "sh", "-c", f"mount -t tmpfs -o size=64k tmpfs {root / 'data'}"]
    if unshare is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        print("skipped: this system lets nobody mount a small disk of their own (unshare -Urm)")
        pytest.skip("unshare -Urm cannot mount a tmpfs here")
    script = 'mount -t tmpfs -o size=200m tmpfs "$1/data" && exec "$2" -c "$3" "$1" "$4"'
    done = subprocess.run(
        [unshare, "-Urm", "sh", "-c", script, "sh", str(root), sys.executable, PROGRAM, str(left)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["first"]["code"] == 0, told["first"]
    assert json.loads(told["retained"]["out"])["totals"]["trashed"]["images"] == 2
    full = told["full"]
    assert full["code"] == 4, full
    said = " ".join((full["out"] + full["err"]).split())
    assert "`ideoflow retain --apply` would free" in said, said
    assert "(2 pictures)" in said, said
    assert "Traceback" not in said
    assert told["spent"] < 15
    assert told["after"]["code"] == 0, told["after"]
    assert (told["billed"], told["pictures"], told["left"]) == (15, 15, 0), "all there, and nothing paid twice"
