"""The pytest fixture `ideogram_sandbox`, found by pytest wherever ideoflow is installed.

pytest imports this module in every run of every project that has ideoflow installed, so it imports nothing of
weight: the sandbox itself is imported when a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flows.sandbox.handle import IdeogramSandbox


@pytest.fixture
def ideogram_sandbox(tmp_path: Path) -> Iterator[IdeogramSandbox]:
    """An offline Ideogram API for one test: quick, plain pictures, its own state and ledger."""
    from flows.sandbox.config import SandboxConfig  # noqa: PLC0415 - see the module's docstring
    from flows.sandbox.handle import running  # noqa: PLC0415 - see the module's docstring

    config = SandboxConfig(tmp_path / "ideogram-sandbox", latency_s=(0.02, 0.06), pictures="plain")
    with running(config) as sandbox:
        yield sandbox
