"""Back-filling and verifying many large pictures in the memory of a few: each in a process of its own, by its peak."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 12, 120
SIDE = 1000  # noise, not packed: three megabytes each
PROGRAM = """
import asyncio, io, json, os, resource, sys
from pathlib import Path
from PIL import Image
from flows import upkeep
from flows.ids import month_of, sha256
from flows.workspace import open_workspace

root, count, side = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
ws = open_workspace(root, (), {})
rows = []
for number in range(count):
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(out, "PNG", compress_level=0)
    request, data = ws.new_id(), out.getvalue()
    path = f"p/{request}-0.png"
    ws.assets.write(path, data)
    rows.append({
        "image_id": f"{request}-0", "request_id": request, "fingerprint": "f", "n": number, "image_index": 0,
        "run_id": "r", "origin": "sandbox", "status": "stored", "prompt_id": "p", "variant": "p",
        "requested_at": ws.now(), "stored_at": ws.now(), "local_path": path, "bytes": len(data), "sha256": sha256(data),
    })
ws.parts.write("images", month_of(rows[0]["request_id"]), rows)
done, _ = asyncio.run(upkeep.maintain(ws))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([done.measured, done.verified.read, done.exit_code, peak]))
"""


def peak_kb(folder: Path, count: int) -> int:
    """The peak of a process that measured and verified so many."""
    folder.mkdir()
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(count), str(SIDE)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    measured, read, code, peak = json.loads(done.stdout)
    assert (measured, read, code) == (count, count, 0)
    return int(peak)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_pictures(tmp_path: Path) -> None:
    """Ten times as many pictures, 360 MB of them: less than 60 MB more at the peak."""
    few, many = peak_kb(tmp_path / "few", FEW), peak_kb(tmp_path / "many", MANY)
    print(f"peak {few // 1024} MB with {FEW} pictures, {many // 1024} MB with {MANY}")
    assert many - few < 60 * 1024
