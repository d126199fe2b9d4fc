"""One run in a process of its own, so that its memory can be told: prints seconds and peak kilobytes as JSON.

``client.py PROJECT`` runs ideoflow there as the environment says; ``client.py PROJECT tasks`` buys the same number of
images with one Prefect task each, the way a first flow is written.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any


def ideoflow(project: Path) -> int:
    """The images that a whole run of ideoflow stored."""
    from flows.campaign import generate
    from flows.report import Outcome
    from flows.steps import Ask
    from flows.workspace import open_workspace

    report, _ = asyncio.run(generate(open_workspace(project), Ask()))
    assert report.exit_code == 0, report.next_step
    return report.images(Outcome.BOUGHT)


def tasks(project: Path, images: int) -> int:
    """The same images, a Prefect task for each: ten at a time, nothing recorded."""
    import os

    import httpx
    from prefect import flow, task
    from prefect.task_runners import ThreadPoolTaskRunner

    client = httpx.Client(
        base_url=os.environ["IDEOFLOW_API__BASE_URL"], headers={"Api-Key": os.environ["IDEOGRAM_API_KEY"]}, timeout=60
    )

    @task
    def one(number: int) -> None:
        body = {"prompt": "a flat blue square", "num_images": 1, "seed": number}
        answer = client.post("/v2/image/generate/ideogram-3", json=body).json()
        (project / f"{number}.png").write_bytes(client.get(answer["data"][0]["url"]).content)

    ten: Any = ThreadPoolTaskRunner(max_workers=10)

    @flow(task_runner=ten)
    def all_of_them() -> None:
        for future in [one.submit(number) for number in range(images)]:
            future.result()

    all_of_them()
    return len(list(project.glob("*.png")))


def main() -> None:
    """Run, and tell."""
    project = Path(sys.argv[1])
    began = time.monotonic()
    stored = tasks(project, int(sys.argv[3])) if "tasks" in sys.argv else ideoflow(project)
    told = {
        "images": stored,
        "seconds": time.monotonic() - began,
        "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    print("\n" + json.dumps(told))


if __name__ == "__main__":
    main()
