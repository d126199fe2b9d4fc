"""How long a campaign takes, beside the loop people write themselves. Ratios in one run, printed, never asserted.

Both talk to the same sandbox over loopback, whose pictures take 0.4 s each, and keep the pictures on disk; ours also
journals, verifies and records them.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from flows.campaign.run import generate
from flows.campaign.steps import Ask
from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import IdeogramSandbox, running
from flows.workspace import open_workspace

IMAGES = 40
MANIFEST = f"""
version: 1
prompts:
  - {{id: bench, prompt: a flat blue square, model: ideogram-3, count: {IMAGES}}}
"""

pytestmark = pytest.mark.bench


def _by_hand(sandbox: IdeogramSandbox, folder: Path) -> float:
    """One request after the other, as a first script does it."""
    began = time.monotonic()
    with httpx.Client(base_url=sandbox.base_url, headers={"Api-Key": sandbox.api_key}, timeout=60) as client:
        for number in range(IMAGES):
            body = {"prompt": "a flat blue square", "num_images": 1, "seed": number}
            answer = client.post("/v2/image/generate/ideogram-3", json=body).json()
            (folder / f"{number}.png").write_bytes(client.get(answer["data"][0]["url"]).content)
    return time.monotonic() - began


def _by_ideoflow(sandbox: IdeogramSandbox, folder: Path) -> float:
    (folder / "prompts.yaml").write_text(MANIFEST, encoding="utf-8")
    environ = {
        "IDEOFLOW_API__BASE_URL": sandbox.base_url,
        "IDEOGRAM_API_KEY": sandbox.api_key,
        "IDEOFLOW_API__POLL_INTERVAL_S": "0.1",
    }
    began = time.monotonic()
    report, _ = asyncio.run(generate(open_workspace(folder, (), environ), Ask()))
    assert report.exit_code == 0
    return time.monotonic() - began


def test_a_campaign_beside_the_loop(tmp_path: Path) -> None:
    """Forty pictures: ours against one at a time."""
    config = SandboxConfig(tmp_path / "state", latency_s=(0.4, 0.4), pictures="plain")
    with running(config) as sandbox:
        folders = [tmp_path / "hand", tmp_path / "ours"]
        for folder in folders:
            folder.mkdir()
        by_hand = _by_hand(sandbox, folders[0])
        ours = _by_ideoflow(sandbox, folders[1])
    print(f"\n{IMAGES} images: one at a time {by_hand:.1f} s, ideoflow {ours:.1f} s: {by_hand / ours:.1f} x as fast")
