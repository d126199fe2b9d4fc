"""Projects that buy from a quick sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import IdeogramSandbox, running
from flows.workspace import Workspace, open_workspace

MANIFEST = """
version: 1
brand: helio
defaults: {{campaign: {campaign}}}
prompts:
  - {{id: one, prompt: "A bottle on sand", model: ideogram-3, count: 3}}
  - {{id: two, prompt: "An enamel badge", model: V_2A_TURBO, count: 2}}
  - {{id: three, prompt: "A poster", model: ideogram-4-5, options: {{quality: low}}}}
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[IdeogramSandbox]:
    """A quick sandbox."""
    with running(SandboxConfig(tmp_path / "state", latency_s=(0.02, 0.04), pictures="plain")) as handle:
        yield handle


@pytest.fixture
def project(tmp_path: Path, sandbox: IdeogramSandbox) -> Callable[..., Workspace]:
    """Opens a project that buys from the sandbox."""
    folder = tmp_path / "project"
    folder.mkdir()

    def opened(campaign: str = "summer", **settings: str) -> Workspace:
        (folder / "prompts.yaml").write_text(MANIFEST.format(campaign=campaign), encoding="utf-8")
        environ = {
            "IDEOFLOW_API__BASE_URL": sandbox.base_url,
            "IDEOGRAM_API_KEY": sandbox.api_key,
            "IDEOFLOW_API__POLL_INTERVAL_S": "0.02",
            "IDEOFLOW_STORAGE__RESERVE_MB": "0",
            **{f"IDEOFLOW_{name.upper()}": value for name, value in settings.items()},
        }
        return open_workspace(folder, (), {**os.environ, **environ})

    return opened
