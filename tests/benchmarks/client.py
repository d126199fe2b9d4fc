"""``client.py FOLDER IMAGES``: buys images with one Prefect task each, the way a first flow is written."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import httpx
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner


def tasks(project: Path, images: int) -> int:
    """The same images, a Prefect task for each: ten at a time, nothing recorded."""
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


if __name__ == "__main__":
    print(tasks(Path(sys.argv[1]), int(sys.argv[2])))
