"""The guard is guarded: a developer's own environment does not reach the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_SHOW = """
import json, os, runpy, sys
guard = runpy.run_path(sys.argv[1])
print(json.dumps([dict(os.environ), os.path.isdir(os.environ["PREFECT_HOME"])]))
guard["pytest_unconfigure"]()
"""


def test_what_a_developer_exports_is_gone() -> None:
    """Keys, overlays, proxies, buckets and a running Prefect server: none is left when tests are imported."""
    exported = {
        "IDEOGRAM_API_KEY": "not-a-real-key",
        "IDEOFLOW_CONFIG": "production",
        "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
        "AWS_PROFILE": "brand",
        "PREFECT_API_URL": "http://127.0.0.1:4200/api",
        "PREFECT_HOME": "somewhere",
        "https_proxy": "http://127.0.0.1:3128",
    }
    guard = Path(__file__).parent / "conftest.py"
    shown = subprocess.run(
        [sys.executable, "-c", _SHOW, str(guard)],
        env={**os.environ, **exported, "IDEOFLOW_BENCH_ROWS": "7"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    seen, made = json.loads(shown.stdout)
    assert made
    home = seen.pop("PREFECT_HOME")
    assert home.startswith(tempfile.gettempdir())
    assert not Path(home).exists(), "the throw-away home is removed at the end"
    assert not set(exported) & set(seen)
    assert seen["IDEOFLOW_BENCH_ROWS"] == "7", "benchmarks are told how large they are"


def test_what_one_test_exports_does_not_reach_the_next() -> None:
    """The first half of a pair; see the next test."""
    os.environ["IDEOFLOW_LEFT_BEHIND"] = "1"


def test_nothing_is_left_behind() -> None:
    """Whatever ran before, nothing of ours is exported."""
    ours = [name for name in os.environ if name.startswith(("IDEOFLOW_", "IDEOGRAM_"))]
    assert not [name for name in ours if not name.startswith("IDEOFLOW_BENCH_")]
