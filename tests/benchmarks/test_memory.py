"""Ten thousand images beside a hundred: memory, and how long others would take. Printed; memory alone is asserted.

Every client is a process of its own and the sandbox is another, so that the peak is the client's alone. What would
take hours is estimated from a sample, and said to be: the loop of one image at a time, 3 s apart, as the vendor's
limits are usually kept by hand, and one Prefect task for each image, ten at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 100, int(os.environ.get("BENCH_IMAGES", "10000"))
SAMPLE_LOOP, SAMPLE_TASKS, PAUSE_S = 5, 200, 3.0
SERVER = """
import sys
from pathlib import Path
from flows.sandbox.config import SandboxConfig
from flows.sandbox.server import serve

config = SandboxConfig(Path(sys.argv[1]), latency_s=(0.05, 0.1), pictures="plain")
serve("127.0.0.1", 0, config, lambda url: print(url, flush=True))
"""

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox in a process of its own: pictures take a twentieth to a tenth of a second."""
    state = tmp_path_factory.mktemp("state")
    program = [sys.executable, "-c", SERVER, str(state)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.terminate()
        server.wait(timeout=30)


def _client(url: str, folder: Path, *more: str) -> dict[str, Any]:
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "IDEOFLOW_API__BASE_URL": url,
        "IDEOGRAM_API_KEY": "sandbox",
        "IDEOFLOW_API__POLL_INTERVAL_S": "0.05",
        "IDEOFLOW_BUDGET__PER_RUN_USD": "null",
        "IDEOFLOW_STORAGE__RESERVE_MB": "0",
    }
    program = [sys.executable, str(Path(__file__).with_name("client.py")), str(folder), *more]
    done = subprocess.run(program, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def _ours(url: str, folder: Path, images: int) -> dict[str, Any]:
    folder.mkdir()
    prompts = [
        f"  - {{id: b{n}, prompt: a flat square {n}, model: ideogram-3, count: {images // 10}}}" for n in range(10)
    ]
    (folder / "prompts.yaml").write_text("version: 1\nprompts:\n" + "\n".join(prompts) + "\n", encoding="utf-8")
    told = _client(url, folder)
    assert told["images"] == images
    return told


def _loop(url: str) -> float:
    """Seconds an image of the classic loop, from a few of them."""
    began = time.monotonic()
    with httpx.Client(base_url=url, headers={"Api-Key": "sandbox"}, timeout=60) as client:
        for number in range(SAMPLE_LOOP):
            body = {"prompt": "a flat blue square", "num_images": 1, "seed": number}
            answer = client.post("/v2/image/generate/ideogram-3", json=body).json()
            client.get(answer["data"][0]["url"]).raise_for_status()
            time.sleep(PAUSE_S)
    return (time.monotonic() - began) / SAMPLE_LOOP


def test_ten_thousand_images_take_no_more_memory_than_a_hundred(url: str, tmp_path: Path) -> None:
    """The peak of the client's memory grows by at most a tenth; the times are printed beside those of others."""
    few, many = _ours(url, tmp_path / "few", FEW), _ours(url, tmp_path / "many", MANY)
    ratio = many["peak_kb"] / few["peak_kb"]
    loop = _loop(url) * MANY
    (tmp_path / "tasks").mkdir()
    tasks = _client(url, tmp_path / "tasks", "tasks", str(SAMPLE_TASKS))
    per_task = tasks["seconds"] / SAMPLE_TASKS * MANY
    print(f"\n{MANY} images through the sandbox on {os.cpu_count()} cores")
    print(f"  ideoflow                  {many['seconds']:8.0f} s   peak {many['peak_kb'] / 1024:.0f} MB")
    print(
        f"  ideoflow, {FEW} images     {few['seconds']:8.0f} s   peak {few['peak_kb'] / 1024:.0f} MB: ratio {ratio:.3f}"
    )
    print(f"  one at a time, 3 s apart  {loop:8.0f} s   estimated from {SAMPLE_LOOP} images")
    print(
        f"  one Prefect task each     {per_task:8.0f} s   estimated from {SAMPLE_TASKS} images, "
        f"peak {tasks['peak_kb'] / 1024:.0f} MB for those"
    )
    assert ratio <= 1.1
