"""A sandbox of one's own, with a clock that moves only when told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import IdeogramSandbox, running


class StandingClock:
    """Epoch seconds that stand still until they are moved."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def frozen(tmp_path: Path, clock: StandingClock) -> Iterator[IdeogramSandbox]:
    """Plain pictures; every job takes one second of a clock that stands still."""
    config = SandboxConfig(tmp_path / "state", latency_s=(1, 1), pictures="plain", clock=clock)
    with running(config) as sandbox:
        yield sandbox


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[IdeogramSandbox]:
    """Plain pictures; jobs take some hundredths of a second."""
    config = SandboxConfig(tmp_path / "state", latency_s=(0.02, 0.05), pictures="plain")
    with running(config) as sandbox:
        yield sandbox


@pytest.fixture
def frozen_api(frozen: IdeogramSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=frozen.base_url, headers={"Api-Key": "sandbox"}, timeout=20) as client:
        yield client


@pytest.fixture
def api(quick: IdeogramSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=quick.base_url, headers={"Api-Key": "sandbox"}, timeout=20) as client:
        yield client
