"""What is known about Prefect before it is imported, and the server that lives as long as a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from flows.orchestrator import prefect_configured, prefect_ready, quieten

ROOT = Path(__file__).resolve().parents[1]
URL = "http://127.0.0.1:4200/api"
PROFILES = """
active = "studio"
[profiles.studio]
PREFECT_API_URL = "http://127.0.0.1:4200/api"
[profiles.alone]
PREFECT_LOGGING_LEVEL = "DEBUG"
"""


@pytest.mark.parametrize(
    ("environ", "profiles", "configured"),
    [
        ({}, None, False),
        ({"PREFECT_API_URL": URL}, None, True),
        ({"PREFECT_API_URL": ""}, PROFILES, False),
        ({}, PROFILES, True),
        ({"PREFECT_PROFILE": "alone"}, PROFILES, False),
        ({"PREFECT_PROFILE": "unknown"}, PROFILES, False),
        ({"PREFECT_PROFILE": "local"}, None, True),
        ({"PREFECT_PROFILE": "ephemeral"}, None, False),
        ({}, 'active = "studio"\n[profiles]\nstudio = 3\n', False),
        ({}, "profiles = 3\n", False),
        ({}, "this is no TOML [", False),
    ],
)
def test_a_server_is_configured_as_prefect_reads_it(
    environ: dict[str, str], profiles: str | None, configured: bool, tmp_path: Path
) -> None:
    """The variable wins over the active profile; files that are missing or broken name no server."""
    if profiles is not None:
        (tmp_path / "profiles.toml").write_text(profiles, encoding="utf-8")
    assert prefect_configured({"PREFECT_HOME": str(tmp_path), **environ}) is configured


def test_profiles_may_lie_elsewhere(tmp_path: Path) -> None:
    """PREFECT_PROFILES_PATH names the file itself."""
    path = tmp_path / "mine.toml"
    path.write_text(PROFILES, encoding="utf-8")
    assert prefect_configured({"PREFECT_HOME": str(tmp_path), "PREFECT_PROFILES_PATH": str(path)})


def test_what_somebody_set_stays() -> None:
    """Keeping quiet fills gaps only: whoever wants Prefect's own words sets them."""
    environ = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "DEBUG"}
    quieten(environ)
    assert environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] == "DEBUG"
    assert environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_a_configured_server_is_used_as_it_stands() -> None:
    """No server is started, no word said."""
    said: list[str] = []
    environ = {"PREFECT_API_URL": URL}
    prefect_ready(environ, say=said.append)
    assert environ["PREFECT_API_URL"] == URL
    assert said == []


LIGHT = """
import sys
import flows.cli.app, flows.campaign.steps, flows.campaign, flows.campaign.account, flows.workspace, flows.planner
import flows.orchestrator, flows.signals, flows.campaign.recovery
from pathlib import Path
from flows.campaign.steps import Ask, prepare
from flows.workspace import open_workspace
ws = open_workspace(Path(sys.argv[1]))
loaded = ws.manifests(())
heavy = {"pandas", "scipy", "s3fs", "uvicorn"} & sys.modules.keys()
assert not heavy, heavy
prepare(ws, Ask())
assert "prefect" not in sys.modules
"""


def test_commands_are_light(tmp_path: Path) -> None:
    """Everything but the flow and its glue goes without Prefect; validating needs no pandas either."""
    manifest = "version: 1\nprompts:\n  - {id: a, prompt: A lemon, model: V_2}\n"
    (tmp_path / "prompts.yaml").write_text(manifest, encoding="utf-8")
    command = [sys.executable, "-c", LIGHT, str(tmp_path)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


HOST = """
import json, os, sys
from flows.orchestrator import prefect_ready
said = []
prefect_ready(say=said.append)
assert "prefect" not in sys.modules
print(json.dumps([os.environ["PREFECT_API_URL"], said]), flush=True)
sys.stdin.read()
"""


@pytest.mark.prefect
@pytest.mark.slow
def test_the_temporary_server_dies_with_its_run(tmp_path: Path) -> None:
    """A Ctrl-C for the run does not reach it, and a killed run leaves no server behind."""
    host = subprocess.Popen(
        [sys.executable, "-c", HOST],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(tmp_path)},
        start_new_session=True,
        text=True,
    )
    try:
        assert host.stdout is not None
        url, said = json.loads(host.stdout.readline())
        assert said == ["starting Prefect, which makes its database first: some ten seconds"]
        with urlopen(f"{url}/health", timeout=10) as answer:  # noqa: S310  our own loopback
            assert answer.status == 200
        os.killpg(host.pid, signal.SIGKILL)
        host.communicate()
        deadline = time.monotonic() + 30
        while _answers(url):
            assert time.monotonic() < deadline, "the server outlived its run"
    finally:
        host.kill()
        host.communicate()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=2):  # noqa: S310  our own loopback
            return True
    except (URLError, OSError):
        return False
