"""Ten thousand images beside a hundred: memory, and how long others would take. Printed; memory alone is asserted.

Every client is a process of its own and the sandbox is another, so that the peak is the client's alone. What would
take hours is estimated from a sample, and said to be: the loop of one image at a time, 3 s apart, as the vendor's
limits are usually kept by hand, and one Prefect task for each image, ten at a time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Run:
    """What a process took: seconds, and the megabytes of its largest moment."""

    seconds: float
    peak_mb: float
    said: str


def _run(url: str, *program: str) -> Run:
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "IDEOFLOW_API__BASE_URL": url,
        "IDEOGRAM_API_KEY": "sandbox",
        "IDEOFLOW_API__POLL_INTERVAL_S": "0.05",
        "IDEOFLOW_BUDGET__PER_RUN_USD": "null",
        "IDEOFLOW_STORAGE__RESERVE_MB": "0",
    }
    began = time.monotonic()
    with subprocess.Popen([sys.executable, *program], env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said[-3000:]
    return Run(time.monotonic() - began, used.ru_maxrss / 1024, said)


def _ours(url: str, folder: Path, images: int) -> Run:
    folder.mkdir()
    prompts = [
        f"  - {{id: b{n}, prompt: a flat square {n}, model: ideogram-3, count: {images // 10}}}" for n in range(10)
    ]
    (folder / "prompts.yaml").write_text("version: 1\nprompts:\n" + "\n".join(prompts) + "\n", encoding="utf-8")
    run = _run(url, "-m", "flows.cli", "generate", "--yes", "--no-prefect", "--json", "--project", str(folder))
    assert len(list((folder / "data" / "images").rglob("*.png"))) == images
    return run


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
    ratio = many.peak_mb / few.peak_mb
    loop = _loop(url) * MANY
    (tmp_path / "tasks").mkdir()
    tasks = _run(url, str(Path(__file__).with_name("client.py")), str(tmp_path / "tasks"), str(SAMPLE_TASKS))
    per_task = tasks.seconds / SAMPLE_TASKS * MANY
    print(f"\n{MANY} images through the sandbox on {os.cpu_count()} cores")
    print(f"  ideoflow                  {many.seconds:8.0f} s   peak {many.peak_mb:.0f} MB")
    print(f"  ideoflow, {FEW} images     {few.seconds:8.0f} s   peak {few.peak_mb:.0f} MB: ratio {ratio:.3f}")
    print(f"  one at a time, 3 s apart  {loop:8.0f} s   estimated from {SAMPLE_LOOP} images")
    print(
        f"  one Prefect task each     {per_task:8.0f} s   estimated from {SAMPLE_TASKS} images, "
        f"peak {tasks.peak_mb:.0f} MB for those"
    )
    assert ratio <= 1.1
