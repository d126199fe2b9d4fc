"""Features of stored pictures, from the stored bytes, in processes of their own: of one run, or of all that lack them.

Memory does not grow with the pictures: bytes are read as workers ask for them, rows are written in pieces, and the
history is gone through month by month. What cannot be measured is told, never recorded as measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.assets.extractor import EXTRACTOR_VERSION
from flows.assets.isolation import extract_many
from flows.history import view
from flows.ids import sha256
from flows.pipeline.kit import Progress, Stop
from flows.workspace import Workspace

if TYPE_CHECKING:
    from flows.assets.features import Features

TIMEOUT_S = 60
BATCH = 512
WORKERS = 2
_COLUMNS = ("image_id", "sha256", "local_path")
Tell = Callable[[Progress], None]


@dataclass
class Measured:
    """How many were measured; digests of what cannot be, with the reason; images whose file holds other bytes."""

    pictures: int = 0
    undecodable: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


def of_run(ws: Workspace, run_id: str, tell: Tell) -> int:
    """Measure what this run stored: how many."""
    mine = (pc.field("run_id") == run_id) & (pc.field("status") == "stored")
    done = Measured()
    _measure(ws, view.images(ws.parts, _COLUMNS, mine), done, tell, Stop())
    return done.pictures


def back_fill(ws: Workspace, tell: Tell, stop: Stop) -> Measured:
    """Measure every stored picture that the present extractor has not measured, whoever bought it."""
    done = Measured()
    for month in _months(ws.parts.listing("images")):
        if stop:
            break
        begin, end = _bounds(month)
        stored = (
            (pc.field("status") == "stored") & (pc.field("requested_at") >= begin) & (pc.field("requested_at") < end)
        )
        _measure(ws, view.images(ws.parts, _COLUMNS, stored), done, tell, stop)
    return done


def _months(listing: tuple[str, ...]) -> list[str]:
    return sorted({part.split("month=", 1)[1][:7] for part in listing})


def _bounds(month: str) -> tuple[datetime, datetime]:
    begin = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    following = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return begin, following


def _measure(ws: Workspace, images: pa.Table, done: Measured, tell: Tell, stop: Stop) -> None:
    current = pc.field("extractor") == EXTRACTOR_VERSION
    known = ws.parts.read(ws.parts.listing("features"), "features", ["sha256"], current)
    fresh = images.filter(pc.invert(pc.is_in(images["sha256"], known["sha256"])))
    underway: dict[str, Mapping[str, Any]] = {}
    rows: list[dict[str, Any]] = []

    def write() -> None:
        if rows:
            ws.parts.write("features", f"{ws.now():%Y-%m}", rows)
            rows.clear()

    pictures = _bytes(ws, fresh, underway, done, stop)
    for digest, found in extract_many(pictures, workers=WORKERS, timeout_s=TIMEOUT_S):
        row = underway.pop(digest)
        if isinstance(found, str):
            done.undecodable[digest] = found
            continue
        rows.append(_feature_row(found, row["image_id"], digest, ws.now()))
        done.pictures += 1
        tell(Progress("measured", row["local_path"], 1))
        if len(rows) >= BATCH:
            write()
    write()


def _feature_row(found: Features, image: str, digest: str, now: datetime) -> dict[str, Any]:
    return {
        "sha256": digest,
        "extractor": found.extractor,
        "image_id": image,
        "width": found.width,
        "height": found.height,
        "mode": found.mode,
        "phash": found.phash,
        "dhash": found.dhash,
        "thumbnail": found.thumbnail,
        "extracted_at": now,
    }


def _bytes(
    ws: Workspace, images: pa.Table, underway: dict[str, Mapping[str, Any]], done: Measured, stop: Stop
) -> Iterator[tuple[str, bytes]]:
    """Each distinct picture by its digest, and its row in `underway`; files with other bytes are left out and noted.

    Features belong to a digest: taken from other bytes they would be wrong for every image that has it.
    """
    seen: set[str] = set(done.undecodable)
    for piece in images.to_batches(max_chunksize=BATCH):
        for row in piece.to_pylist():
            if stop:
                return
            data = ws.assets.read(row["local_path"]) if row["sha256"] not in seen else None
            if data is None:
                continue
            if sha256(data) != row["sha256"]:
                done.changed.add(row["image_id"])
                continue
            seen.add(row["sha256"])
            underway[row["sha256"]] = row
            yield row["sha256"], data
