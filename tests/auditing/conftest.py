"""A campaign on a disk: pictures in the brand's colours with their records, and whatever faults a test plants."""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from flows.assets import reading
from flows.errors import Refused
from flows.history.owners import this_process
from flows.history.records import Claim, Labels, Step
from flows.history.schema import event_row
from flows.ids import canonical_json, uuid7
from flows.workspace import Workspace, open_workspace

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
BRAND = """\
meta: {name: Helio}
color:
  palette: {lemon: "#F5C518", cream: "#FFF4E0", blood: "#D8572A"}
  primary: lemon
"""
OURS = ("#F5C518", "#FFF4E0", "#D8572A")
THEIRS = ("#1B4FBF", "#2E8B57", "#6A1B9A")


def paint(seed: int, colours: Iterable[str] = OURS, size: tuple[int, int] = (240, 240)) -> bytes:
    """A picture of blocks in these colours that no other seed has."""
    rng = random.Random(seed)
    kinds = list(colours)
    picture = Pillow.new("RGB", size, kinds[0])
    pen = ImageDraw.Draw(picture)
    for _ in range(14):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        pen.rectangle((x, y, x + rng.randrange(30, 130), y + rng.randrange(30, 130)), fill=rng.choice(kinds))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Campaign:
    """A project, and the rows and files that stand in it. `commit` writes the rows."""

    root: Path
    ws: Workspace
    images: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    readings: list[dict[str, Any]] = field(default_factory=list)
    made: int = 0

    def new_id(self, at: datetime) -> str:
        self.made += 1
        return uuid7(at, lambda count: self.made.to_bytes(count, "big"))

    def request(self, **more: Any) -> dict[str, Any]:
        at = NOW - timedelta(days=2) + timedelta(minutes=self.made)
        row: dict[str, Any] = {
            "request_id": self.new_id(at),
            "fingerprint": hashlib.sha256(str(self.made).encode()).hexdigest(),
            "n": 0,
            "revision": 0,
            "outcome": "completed",
            "answered": True,
            "images": 1,
            "counted": 1,
            "cost_micros": 60_000,
            "cost_usd": 0.06,
            "origin": "sandbox",
            "model": "ideogram-3",
            "prompt_id": f"p{self.made}",
            "variant": f"p{self.made}",
            "brand": "helio",
            "campaign": "summer",
            "requested_at": at,
            **more,
        }
        self.requests.append(row)
        return row

    def image(self, data: bytes | None = None, **more: Any) -> dict[str, Any]:
        """One bought picture with its file; `data` None paints one that nothing is wrong with."""
        data = paint(len(self.images) + 1) if data is None else data
        made = self.request()
        shared = ("request_id", "fingerprint", "n", "origin", "prompt_id", "variant", "brand", "campaign", "model")
        name = f"{made['request_id']}-0"
        row: dict[str, Any] = {
            **{key: made[key] for key in shared},
            "image_id": name,
            "image_index": 0,
            "status": "stored",
            "tags": [],
            "prompt": f"A bottle, {name}",
            "options": "{}",
            "aspect_ratio": "1:1",
            "width": 240,
            "height": 240,
            "seed": self.made,
            "requested_at": made["requested_at"],
            "generated_at": made["requested_at"] + timedelta(seconds=20),
            "stored_at": made["requested_at"] + timedelta(seconds=30),
            "expires_at": made["requested_at"] + timedelta(days=1),
            "expiry_margin_s": 80_000.0,
            "local_path": f"helio/summer/{name}.png",
            "media_type": "image/png",
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "cost_usd": 0.06,
            **more,
        }
        self.images.append(row)
        if row["status"] == "stored":
            self.ws.assets.write(row["local_path"], data)
        return row

    def says(
        self, row: dict[str, Any], lettering: str, read: str, box: tuple[float, ...] = (0.1, 0.1, 0.9, 0.3)
    ) -> None:
        """What the picture was to say, and what the engine of this machine has read in it."""
        row["lettering"] = lettering
        try:
            engine = reading.engine()
        except Refused:
            engine = "an engine that was here once"
        sides = dict(zip(("left", "top", "right", "bottom"), box, strict=True))
        lines = [{"text": text, "score": 0.98, **sides} for text in read.split("|") if text]
        self.readings.append(
            {"sha256": row["sha256"], "engine": engine, "image_id": row["image_id"], "lines": lines, "read_at": NOW}
        )

    def in_doubt(self) -> Claim:
        """A request whose process died before any answer was recorded."""
        at = NOW - timedelta(hours=5)
        claim = Claim(
            request_id=self.new_id(at),
            run_id="run-1",
            fingerprint="d" * 64,
            n=0,
            images=1,
            origin="sandbox",
            model="ideogram-3",
            path="/v2/image/generate/ideogram-3",
            body={"prompt": "a sun"},
            labels=Labels("doubted", "doubted", "a sun", brand="helio", campaign="summer"),
            name_template="{image_id}.{ext}",
            price_usd=Decimal("0.06"),
            price_source="a test",
            claimed_at=at,
            owner=replace(this_process("run-1"), started="long ago"),
        )
        assert self.ws.journal.put(claim.fingerprint, claim.n, Step.CLAIM, claim)
        return claim

    def accept(self, finding_id: str) -> None:
        """As `decide accept` does."""
        row = event_row(
            event_id=self.new_id(NOW),
            at=NOW,
            event="accepted",  # type: ignore[arg-type]  # an Event is a str
            actor="a test",
            run_id="",
            details={"finding_id": finding_id},
        )
        self.ws.parts.write("lifecycle", "2026-11", [row])

    def commit(self) -> Workspace:
        """Write what has come together."""
        for dataset, rows in (("images", self.images), ("requests", self.requests), ("readings", self.readings)):
            if rows:
                self.ws.parts.write(dataset, "2026-11", rows)
                rows.clear()
        return self.ws

    @staticmethod
    def asking(*members: tuple[str, float]) -> str:
        """Options of a request that names colours with weights."""
        listed = [{"color_hex": code, "color_weight": weight} for code, weight in members]
        return canonical_json({"color_palette": {"members": listed}})


def opened(root: Path, environ: Mapping[str, str] = MappingProxyType({})) -> Campaign:
    """An empty campaign in a new project, of a brand with a file, audited on a Monday morning."""
    (root / "configs" / "brands").mkdir(parents=True)
    (root / "configs" / "brands" / "helio.yml").write_text(BRAND, encoding="utf-8")
    ws = open_workspace(root, environ={"IDEOFLOW_BUDGET__PER_MONTH_USD": "100", **environ})
    return Campaign(root, replace(ws, now=lambda: NOW))


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    """One on this disk."""
    return opened(tmp_path / "project")


@pytest.fixture
def in_bucket(tmp_path: Path, s3_bucket: Any) -> tuple[Campaign, dict[str, str]]:
    """One whose images, history and reports are in a bucket, and the environment that says so."""
    places = ("assets", "history", "reports")
    environ = {f"IDEOFLOW_STORAGE__{name.upper()}": f"s3://{s3_bucket.name}/{name}" for name in places}
    environ |= {"IDEOFLOW_STORAGE__OPTIONS": json.dumps(dict(s3_bucket.options))}
    return opened(tmp_path / "in-bucket", environ), environ | dict(s3_bucket.environ)


@pytest.fixture(scope="session")
def painted() -> Callable[..., bytes]:
    """More pictures."""
    return paint


@pytest.fixture(scope="session")
def theirs() -> tuple[str, ...]:
    """Colours of another brand."""
    return THEIRS
