"""Retention at size: deciding on a million pictures beside a loop over rows, deletes in bulk beside one by one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flows.storage import open_storage

ROOT = Path(__file__).resolve().parents[2]
PICTURES = int(os.environ.get("BENCH_PICTURES", "1000000"))
DELETED = 5_000

pytestmark = pytest.mark.bench

# In a process of its own, so that the peak is what deciding takes. `loop` is how it is first written: a dict a row.
PROGRAM = """
import json, resource, sys, time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
import numpy as np
import pyarrow as pa
from flows.retention.decide import decide
from flows.retention.policy import load_policy

kind, n = sys.argv[1], int(sys.argv[2])
now, chance = datetime(2026, 11, 22, tzinfo=UTC), np.random.default_rng(1)
at = (int(now.timestamp()) - chance.integers(0, 400 * 86400, n)) * 1_000_000
moment = pa.timestamp("us", tz="UTC")

def words(stem, number):
    names = [f"{stem}{one}" for one in range(number)]
    return pa.DictionaryArray.from_arrays(pa.array(chance.integers(0, number, n), pa.int32()), names).cast(pa.string())

table = pa.table({
    "image_id": pa.array([f"{one:036x}-0" for one in range(n)]),
    "state": pa.array(np.where(chance.random(n) < 0.1, "trashed", "kept")),
    "stored_at": pa.array(at).cast(moment), "requested_at": pa.array(at).cast(moment),
    "trashed_at": pa.array(np.full(n, int(now.timestamp() - 8 * 86400) * 10**6)).cast(moment),
    "bytes": pa.array(chance.integers(10**5, 10**7, n)),
    "origin": words("o", 2), "brand": words("b", 5), "campaign": words("c", 50),
    "tags": pa.array([["a", "b"], ["c"]] * (n // 2)), "model": words("m", 6),
    "prompt_id": words("p", 2000), "variant": words("v", 20000), "retention": pa.nulls(n, pa.string()),
    "held": pa.array(chance.random(n) < 0.01), "approved": pa.array(chance.random(n) < 0.05),
    "verdict": pa.nulls(n, pa.string()),
})
policy = load_policy("version: 1\\nclasses: {all: {match: all, keep_within: 30d, keep_last: 3, keep_daily: 7}}", "x")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
if kind == "ours":
    decisions = decide(table, policy, now)
    kept = len(decisions.kept) + len(decisions.restored)
else:
    lines, newest = defaultdict(list), {}
    for row in table.to_pylist():
        lines[row["origin"], row["brand"], row["variant"]].append(row)
        prompt = (row["origin"], row["brand"], row["prompt_id"])
        best = newest.get(prompt)
        newest[prompt] = row if best is None or row["stored_at"] > best["stored_at"] else best
    stay = {row["image_id"] for row in newest.values()}
    for rows in lines.values():
        rows.sort(key=lambda row: (row["stored_at"], row["image_id"]), reverse=True)
        days = {}
        for place, row in enumerate(rows):
            first = days.setdefault(row["stored_at"].date(), row["image_id"]) == row["image_id"] and len(days) <= 7
            young = now - row["stored_at"] < timedelta(days=30)
            if row["held"] or row["approved"] or young or place < 3 or first:
                stay.add(row["image_id"])
    kept = len(stay)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "mb": (peak - before) / 1024, "table_mb": table.nbytes / 1e6, "kept": kept}))
"""


def _decided(kind: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, str(PICTURES)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, float] = json.loads(done.stdout)
    return told


def test_deciding_on_a_million_pictures() -> None:
    """The same decisions as the loop's, in a fraction of the time and memory."""
    ours, loop = _decided("ours"), _decided("loop")
    assert ours["kept"] == loop["kept"]
    print(
        f"\ndecide on {PICTURES:,} pictures: {ours['seconds']:.1f} s and {ours['mb']:.0f} MB beside a table of "
        f"{ours['table_mb']:.0f} MB; a loop over rows {loop['seconds']:.1f} s and {loop['mb']:.0f} MB: "
        f"{loop['seconds'] / ours['seconds']:.1f} times as fast with {loop['mb'] / max(1, ours['mb']):.1f} times less"
    )
    assert ours["mb"] < 1_000


def test_deleting_on_a_disk(tmp_path: Path) -> None:
    """Durably: folders are synced once a batch, not once a file."""
    storage = open_storage(str(tmp_path))
    figures = {}
    for kind in ("bulk", "one by one"):
        names = [f"{kind}/{number}.png" for number in range(DELETED)]
        (tmp_path / kind).mkdir()
        for name in names:
            (tmp_path / name).write_bytes(b"x" * 100)
        start = time.perf_counter()
        if kind == "bulk":
            for first in range(0, DELETED, 1000):
                storage.delete(names[first : first + 1000])
        else:
            for name in names:
                storage.delete([name])
        figures[kind] = DELETED / (time.perf_counter() - start)
    ratio = figures["bulk"] / figures["one by one"]
    print(f"\ndelete on this disk: {figures['bulk']:,.0f} a second in bulk, {figures['one by one']:,.0f} one by one")
    print(f"{ratio:.1f} times as fast")


@pytest.mark.s3
def test_deleting_in_a_bucket(s3_bucket: Any) -> None:
    """Calls for a thousand files."""
    import fsspec

    storage = open_storage(f"s3://{s3_bucket.name}/bench", s3_bucket.options)
    fs = fsspec.filesystem("s3", use_listings_cache=False, **s3_bucket.options)
    calls: list[str] = []
    fs.s3.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))
    figures = {}
    for kind in ("bulk", "one by one"):
        names = [f"{kind}/{number}.png" for number in range(1000)]
        fs.pipe({f"{s3_bucket.name}/bench/{name}": b"x" for name in names})
        calls.clear()
        start = time.perf_counter()
        if kind == "bulk":
            storage.delete(names)
        else:
            for name in names:
                fs.rm_file(f"{s3_bucket.name}/bench/{name}")
        figures[kind] = (len(calls), 1000 / (time.perf_counter() - start))
        assert storage.list(kind) == []
    for kind, (number, speed) in figures.items():
        print(f"\ndelete a thousand in a bucket, {kind}: {number} calls, {speed:,.0f} a second")
