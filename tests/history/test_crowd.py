"""Eight processes append to one history while two compact it and two read it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.history import images, query, requests
from flows.history.compact import compact
from flows.history.owners import this_process
from flows.history.parts import Parts
from flows.ids import uuid7
from flows.storage import open_storage

SECONDS = 25


@dataclass(frozen=True)
class Place:
    """A history's address, fsspec's options, and how many parts and looks it must at least come to there."""

    address: str
    options: Mapping[str, Any] | None = None
    least: tuple[int, int, int] = (50, 20, 4)


@pytest.fixture(params=["disk", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """On this disk, or in a bucket of a server that answers several at once."""
    if request.param == "disk":
        return Place(str(tmp_path / "history"))
    bucket: Any = request.getfixturevalue("seaweed_bucket")
    return Place(f"s3://{bucket.name}/history", bucket.options, (16, 2, 1))


@pytest.mark.slow
def test_a_crowd_loses_and_doubles_nothing(place: Place, tmp_path: Path) -> None:
    """Each sees what it wrote, at once and at any time; at the end every row is there, once, in raw files too."""
    roles = ["append"] * 8 + ["compact"] * 2 + ["read"] * 2
    (notes := tmp_path / "notes").mkdir()
    program = str(Path(__file__).with_name("crowd.py"))
    crowd = [
        subprocess.Popen(
            [sys.executable, program, role, str(number), place.address, str(notes), str(SECONDS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "CROWD_OPTIONS": json.dumps(place.options),
            },
        )
        for number, role in enumerate(roles)
    ]
    said: list[tuple[str, Any]] = []
    for role, process in zip(roles, crowd, strict=True):
        out, err = process.communicate(timeout=SECONDS * 8)
        assert process.returncode == 0, f"{role}: {err}"
        said.append((role, json.loads(out)))
    appended = [id_ for role, found in said if role == "append" for id_ in found]
    merged: Counter[str] = sum((Counter(found) for role, found in said if role == "compact"), Counter())
    looks: Counter[str] = sum((Counter(found) for role, found in said if role == "read"), Counter())
    print(f"{len(appended)} requests appended by 8, {merged} by 2, {looks} by 2")
    rows, merges, seen = place.least
    assert merged["merged"] > merges
    assert looks["looks"] > seen
    assert len(appended) == len(set(appended)) > rows
    parts = Parts(open_storage(place.address, place.options), lambda: uuid7(datetime.now(tz=UTC), os.urandom))
    for frame in (requests(parts), images(parts), query(parts, "select request_id from images")):
        assert sorted(frame["request_id"]) == sorted(appended)
    compact(parts, this_process("last"), datetime(2026, 12, 1, tzinfo=UTC), token="last")
    for dataset in ("images", "requests"):
        (part,) = parts.listing(dataset)
        raw = parts.read([part], dataset, ["request_id"])["request_id"].to_pylist()
        assert sorted(map(str, raw)) == sorted(appended)
