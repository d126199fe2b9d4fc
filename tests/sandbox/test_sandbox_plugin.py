"""The pytest plugin as a user's project meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

USERS_TEST = '''
import httpx

def test_my_own_code(ideogram_sandbox):
    """A user's test: buys a picture, looks at the ledger, lets one request fail."""
    headers = {"Api-Key": ideogram_sandbox.api_key}
    with httpx.Client(base_url=ideogram_sandbox.base_url, headers=headers) as api:
        body = {"prompt": "A sun", "num_images": 2}
        answer = api.post("/v2/image/generate/ideogram-3", json=body).json()
        assert api.get(answer["data"][0]["url"]).content.startswith(b"\\x89PNG")
        assert ideogram_sandbox.ledger()["billed_micros"] == 120_000
        ideogram_sandbox.set_faults({"fault": "402"})
        assert api.post("/v2/image/generate/ideogram-3", json=body).status_code == 402
        ideogram_sandbox.clear_faults()
        assert ideogram_sandbox.stats()["faults"] == {"402": 1}
'''


@pytest.mark.slow
def test_a_users_project_gets_the_fixture(tmp_path: Path) -> None:
    """A test of somebody else's uses the fixture, with warnings as errors."""
    (tmp_path / "test_mine.py").write_text(USERS_TEST)
    # The entry point is blocked so that the plugin has one name whether ideoflow is installed or not.
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:ideoflow_sandbox"]
    command += ["-p", "flows.sandbox.plugin", "-p", "no:cacheprovider", "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_plugin_imports_nothing_of_weight() -> None:
    """Every pytest run of every project with ideoflow installed pays for this import, so it is light."""
    heavy = "prefect pandas pyarrow numpy PIL httpx starlette uvicorn fsspec pydantic".split()
    script = (
        "import sys, pytest; before = set(sys.modules); import flows.sandbox.plugin;"
        f"print([name for name in {heavy!r} if name in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
