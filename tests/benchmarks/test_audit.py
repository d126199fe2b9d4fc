"""How long an audit takes with features present, and how much measuring adds to mere decoding. Memory is asserted.

The audit is set beside one of a tenth of the images: the ratio for each image says whether time and memory stay flat.
The back-fill is set beside as many worker processes that do nothing but decode the same files.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from flows.assets.extractor import EXTRACTOR_VERSION
from flows.assets.isolation import extract_many
from flows.brand.colour import lab_of
from flows.brand.model import Brand, Colour
from flows.checks.finding import Ran
from flows.checks.policy import AuditPolicy
from flows.checks.run import run
from flows.checks.subject import Image, Line, Measured, Reading, Request, Subject
from flows.ids import sha256
from flows.measuring import FEW, WORKERS, back_fill
from flows.workspace import Workspace, open_workspace

pytestmark = pytest.mark.bench

ROOT = Path(__file__).resolve().parents[2]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BRAND = Brand("acme", "Acme", tuple(Colour(code, code) for code in ("#F5A623", "#FFF4E0", "#D8572A", "#2A7F9E")))
PICTURES, KINDS = 60, 5


def subject(images: int) -> Subject:
    """A history of that many stored images: colours, hashes, and a reading of every fourth."""
    noise, rng = np.random.default_rng(1), random.Random(1)
    ours = [lab_of(colour.hex) for colour in BRAND.colours]
    rows, features, readings = [], {}, {}
    for number in range(images):
        digest = f"{number:064x}"
        palette = np.empty((48, 4), np.float32)
        palette[:, 0] = noise.uniform(0, 100, 48)
        palette[:, 1:3] = noise.uniform(-60, 60, (48, 2))
        palette[:24, :3] = [rng.choice(ours) for _ in range(24)]
        palette[:, 3] = 1 / 48
        lettering = "SUMMER, SLOWLY" if number % 4 == 0 else None
        if lettering:
            readings[digest] = Reading("e", (Line("SUMMER", 0.99, (0, 0, 1, 1)), Line("SLOWLY", 0.99, (0, 0, 1, 1))))
        features[digest] = Measured(
            width=1024,
            height=1024,
            phash=rng.getrandbits(64),
            dhash=rng.getrandbits(64),
            extractor=2,
            palette=palette,
            alpha=1.0,
            contrast=50.0,
            brightness=120.0,
        )
        rows.append(
            Image(
                image_id=f"i{number:06d}",
                request_id=f"r{number}",
                fingerprint=f"f{number // 4}",
                prompt_id=f"p{number // 4}",
                variant=f"p{number // 4}",
                brand="acme",
                prompt=f"a picture of {number // 4}",
                lettering=lettering,
                model="ideogram-3",
                width=1024,
                height=1024,
                aspect_ratio="1:1",
                requested_at=NOW - timedelta(hours=1),
                stored_at=NOW,
                expiry_margin_s=80_000.0,
                local_path=f"acme/{number}.png",
                media_type="image/png",
                bytes=1000,
                sha256=digest,
                cost_usd=0.06,
            )
        )
    return Subject(
        now=NOW,
        images=rows,
        features=features,
        readings=readings,
        requests=[Request(request_id=image.request_id, outcome="completed") for image in rows],
        brands={"acme": BRAND},
        files={image.local_path or "": 1000 for image in rows},
    )


def measure(images: int) -> None:
    """Run in a process of its own: prints the seconds of the audit and the megabytes at its peak."""
    given = subject(images)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    verdicts = run(given, AuditPolicy())
    took = time.perf_counter() - began
    assert all(isinstance(verdict, Ran) for verdict in verdicts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(took, before, peak)


def build(images: int, folder: str) -> None:
    """Run in a process of its own: a project with so many stored and measured pictures, one in 20 off the brand."""
    root = Path(folder)
    (root / "configs" / "brands").mkdir(parents=True)
    colours = ", ".join(f'c{number}: "{colour.hex}"' for number, colour in enumerate(BRAND.colours))
    (root / "configs" / "brands" / "acme.yml").write_text(f"color: {{palette: {{{colours}}}}}\n", encoding="utf-8")
    (root / "configs" / "audit.yaml").write_text("lettering: {enabled: false}\n", encoding="utf-8")
    ws, noise = open_workspace(root, (), {}), np.random.default_rng(2)
    ours = [lab_of(colour.hex) for colour in BRAND.colours]
    rows: list[dict[str, Any]] = []
    measured: list[dict[str, Any]] = []
    requests: list[dict[str, Any]] = []
    for number in range(images):
        at, name = datetime.now(UTC), f"01900000-0000-7000-8000-{number:012d}"
        names = {"prompt_id": f"p{number // 4}", "variant": f"p{number // 4}", "brand": "acme", "campaign": "summer"}
        shared: dict[str, Any] = {
            "request_id": name,
            "fingerprint": f"{number // 4:064x}",
            "origin": "sandbox",
            **names,
        }
        shared |= {"requested_at": at, "model": "ideogram-3", "cost_usd": 0.06}
        digest, path = f"{number:064x}", f"acme/{number}.png"
        ws.assets.write(path, b"x" * 100)
        stored: dict[str, Any] = {"image_id": f"{name}-0", "status": "stored", "local_path": path, "sha256": digest}
        stored |= {"width": 1024, "height": 1024, "aspect_ratio": "1:1", "media_type": "image/png", "bytes": 100}
        stored |= {"prompt": f"A picture of {number // 4}, softly lit", "stored_at": at, "expiry_margin_s": 80_000.0}
        rows.append(shared | stored)
        requests.append({**shared, "outcome": "completed", "images": 1, "counted": 1, "cost_micros": 60_000})
        around = [noise.uniform(40, 60, 3)] if number % 20 == 0 else ours
        palette = [around[place % len(around)] + noise.uniform(-1, 1, 3) for place in range(24)]
        seen: dict[str, Any] = {"sha256": digest, "extractor": EXTRACTOR_VERSION, "image_id": f"{name}-0"}
        seen |= {"mode": "RGB", "width": 1024, "height": 1024, "alpha": 1.0, "sharpness": 9.0, "embedded": "{}"}
        seen |= {"phash": noise.bytes(8).hex(), "dhash": noise.bytes(8).hex(), "contrast": 50.0, "brightness": 120.0}
        seen |= {"palette": [dict(zip("lab", lab, strict=True), share=1 / 24) for lab in palette]}
        measured.append(seen | {"thumbnail": noise.bytes(5_000), "extracted_at": at})
        if len(rows) == 500 or number == images - 1:  # parts as runs leave them
            for dataset, some in (("images", rows), ("features", measured), ("requests", requests)):
                ws.parts.write(dataset, "2026-11", some)
                some.clear()


def whole(folder: Path) -> tuple[float, int, float]:
    """The command, from beginning to end, pages and findings and all: seconds, findings, megabytes at its peak."""
    command = [sys.executable, "-m", "flows.cli", "audit", "--no-prefect", "--json", "--project", str(folder)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.read())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {0, 3}
    return time.perf_counter() - began, len(said["findings"]), used.ru_maxrss / 1024


def alone(call: str) -> list[float]:
    """What a function of this module prints in a process of its own."""
    code = f"import runpy; runpy.run_path({str(Path(__file__))!r})[{call}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def test_the_checks_of_ten_thousand_images() -> None:
    """Beside those of a thousand."""
    times, peaks = {}, {}
    for images in (1_000, 10_000):
        took, before, peak = alone(f"'measure']({images})")
        times[images], peaks[images] = took, peak
        print(f"\n{images:,} images checked in {took:.1f} s; peak {peak:.0f} MB, the checks' {peak - before:.0f} MB")
    print(f"time for each image, of 10,000 against of 1,000: {times[10_000] / times[1_000] / 10:.2f}")
    ratio = peaks[10_000] / peaks[1_000]
    print(f"memory, of 10,000 against of 1,000: {ratio:.2f}")
    assert ratio <= 1.15


def test_an_audit_of_ten_thousand_images(tmp_path: Path) -> None:
    """From the history to the last page, with features present: beside one of a thousand."""
    peaks = {}
    for images in (1_000, 10_000):
        alone(f"'build']({images}, {str(tmp_path / str(images))!r})")
        took, findings, peaks[images] = whole(tmp_path / str(images))
        print(f"\n{images:,} images audited in {took:.1f} s, {findings:,.0f} findings; peak {peaks[images]:.0f} MB")
    ratio = peaks[10_000] / peaks[1_000]
    print(f"memory, of 10,000 against of 1,000: {ratio:.2f}")
    assert ratio <= 1.25


def pictures(side: int, kind: str) -> list[bytes]:
    """Soft shapes with grain, as photographs have them. Few kinds, told apart by what stands behind their end."""
    noise = np.random.default_rng(4)
    found = []
    for _ in range(KINDS):
        coarse = noise.integers(0, 255, (12, 12, 3), dtype=np.uint8)
        soft = np.asarray(Pillow.fromarray(coarse).resize((side, side), Pillow.Resampling.BICUBIC))
        grainy = (soft + noise.normal(0, 2.5, soft.shape)).clip(0, 255).astype(np.uint8)
        out = io.BytesIO()
        Pillow.fromarray(grainy).save(out, kind, quality=90)
        found.append(out.getvalue())
    return [found[number % KINDS] + str(number).encode() for number in range(PICTURES)]


DECODE = """
import io
from PIL import Image

def decode(data):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
    return image.size
"""


def processor_seconds() -> float:
    """Of this process and of its children that have ended: other programs on the machine count for nothing."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def campaign(folder: Path, pictures_: list[bytes], kind: str) -> Workspace:
    """A project with these pictures on its disk and in its history, none of them measured."""
    folder.mkdir()
    ws = open_workspace(folder, (), {})
    rows = []
    for number, data in enumerate(pictures_):
        row = {"image_id": f"i{number}", "status": "stored", "local_path": f"acme/{number}.{kind.lower()}"}
        ws.assets.write(row["local_path"], data)
        rows.append(row | {"sha256": sha256(data), "requested_at": NOW, "stored_at": NOW})
    ws.parts.write("images", "2026-11", rows)
    return ws


@pytest.mark.parametrize(("side", "kind"), [(1024, "PNG"), (2048, "PNG"), (1024, "JPEG"), (2048, "JPEG")])
def test_back_fill_beside_decoding(side: int, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole back-fill (read, digest, decode, measure, write) beside reading and decoding in as many processes.

    The processor time of each further picture: what starting costs is the same for one and for a million.
    """
    (tmp_path / "decode_only.py").write_text(DECODE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    data = pictures(side, kind)
    few = WORKERS * FEW
    sizes = {few: campaign(tmp_path / "few", data[:few], kind), PICTURES: campaign(tmp_path / "all", data, kind)}

    def decoded(ws: Workspace, count: int) -> None:
        paths = [f"acme/{number}.{kind.lower()}" for number in range(count)]
        read = ((path, ws.assets.read(path) or b"") for path in paths)
        assert len(list(extract_many(read, workers=WORKERS, timeout_s=60, extractor="decode_only:decode"))) == count

    def measured(ws: Workspace, count: int) -> None:
        assert back_fill(ws, lambda _: None).measured == count
        for part in ws.parts.listing("features"):
            ws.history.delete([part])

    def each(act: Callable[[Workspace, int], None]) -> float:
        used = {}
        for count, ws in sizes.items():
            before = processor_seconds()
            act(ws, count)
            used[count] = processor_seconds() - before
        return (used[PICTURES] - used[few]) / (PICTURES - few)

    # In turns, so that a busy machine is as unfair to the one as to the other.
    pairs = [(each(decoded), each(measured)) for _ in range(5)]
    decoding, measuring = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    print(
        f"\n{side}² {kind}: decoding alone {decoding:.1f} ms of processor time, the back-fill {measuring:.1f} ms: "
        f"{decoding / measuring:.2f} of its speed"
    )
