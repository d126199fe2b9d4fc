"""`configs/prefect.yaml` on a real server: deployed as its head says, and each deployment run by a process worker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.orchestrator.child import ServerChild, free_port
from flows.orchestrator.deployments import POOL, deployments

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.prefect, pytest.mark.slow]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerChild]:
    """A Prefect server with nothing in it."""
    home = tmp_path / "prefect"
    home.mkdir()
    server = ServerChild({**os.environ, "PREFECT_HOME": str(home)}, home / "log", port=free_port(), with_ui=False)
    try:
        server.ready("")
        yield server
    finally:
        server.end()


def test_a_worker_runs_every_deployment_of_the_file(
    server: ServerChild, project: Any, watching: Any, wait: Any, tmp_path: Path
) -> None:
    """From a folder of the worker's own, the project named by the environment; deploying twice doubles nothing."""
    env = {"PREFECT_API_URL": server.url, "PREFECT_HOME": str(tmp_path / "client")}

    def prefect(*argv: str) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *argv],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    prefect("work-pool", "create", POOL, "--type", "process")
    for _ in range(2):
        prefect("deploy", "--prefect-file", "configs/prefect.yaml", "--all")
    api = watching(server.url.removesuffix("/api"))
    known = api.deployments()
    expected, _ = deployments()
    assert known.keys() == {one.flow for one in expected}
    assert all(len(one["schedules"]) == 1 and not one["pull_steps"] for one in known.values())

    project.party.start(
        ["-m", "prefect", "worker", "start", "--pool", POOL], tmp_path, IDEOFLOW_PROJECT=str(project.root), **env
    )
    messages = {}
    for deployment in expected:
        run_id = api.begin(deployment.flow)
        ended = wait(lambda wanted=run_id: next((r for r in api.ended() if r["id"] == wanted), None), deployment.flow)
        assert ended["state_type"] in {"COMPLETED", "FAILED"}, ended["state"]["message"]
        messages[deployment.flow] = ended["state"]["message"]
    assert messages["generate"] == "3 images bought, $0.18"
    assert messages["maintain"].endswith("3 images in order")
    assert project.billed() == project.pictures() == 3
