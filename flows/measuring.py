"""Features of stored pictures, from the stored bytes, in processes of their own, for all that lack them.

Memory does not grow with the pictures: bytes are read as workers ask for them, rows are written in pieces. What was
measured once is never measured again by the same version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.assets.extractor import EXTRACTOR_VERSION
from flows.history import current
from flows.history.events import WITH_FILE
from flows.ids import sha256
from flows.pipeline.kit import Progress
from flows.workspace import Workspace

if TYPE_CHECKING:  # numpy and scipy are slow to import
    from flows.assets.features import Features

TIMEOUT_S = 60
BATCH = 512
WORKERS = 2
_COLUMNS = ["image_id", "sha256", "local_path", "state"]
Tell = Callable[[Progress], None]


@dataclass
class Filled:
    """What a back-fill did. `failures` says by digest why a picture could not be measured."""

    measured: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def back_fill(ws: Workspace, tell: Tell, where: pc.Expression | None = None) -> Filled:
    """Features of every picture on storage that lacks those of today's extractor. `where` filters ``images``."""
    from flows.assets.isolation import extract_many  # noqa: PLC0415  starts processes: only where there is work

    measured = pc.field("extractor") == EXTRACTOR_VERSION
    done = ws.parts.read(ws.parts.listing("features"), "features", ["sha256"], measured)["sha256"]
    underway: dict[str, Mapping[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    filled = Filled()

    def write() -> None:
        ws.parts.write("features", f"{ws.now():%Y-%m}", rows)
        rows.clear()

    pictures = _bytes(ws, _fresh(ws, where, done), underway, filled)
    for digest, found in extract_many(pictures, workers=WORKERS, timeout_s=TIMEOUT_S):
        row = underway.pop(digest)
        if isinstance(found, str):
            filled.failures[digest] = found
            continue
        rows.append(_feature_row(found, row["image_id"], digest, ws.now()))
        filled.measured += 1
        tell(Progress("measured", row["local_path"], 1))
        if len(rows) >= BATCH:
            write()
    if rows:
        write()
    return filled


def _fresh(ws: Workspace, where: pc.Expression | None, done: Any) -> pa.Table:
    """One row for each picture on storage that is not done."""
    stored = current.current(ws.parts, _COLUMNS, where)
    present = pc.is_in(stored["state"], pa.array([str(state) for state in WITH_FILE]))
    stored = stored.filter(pc.and_(present, pc.invert(pc.is_in(stored["sha256"], done.combine_chunks()))))
    first = stored.append_column("row", pa.array(range(len(stored)), pa.int64())).group_by("sha256", use_threads=False)
    return stored.take(first.aggregate([("row", "min")])["row_min"]) if len(stored) else stored


def _bytes(
    ws: Workspace, images: pa.Table, underway: dict[str, Mapping[str, Any]], filled: Filled
) -> Iterator[tuple[str, bytes]]:
    """Each picture by its digest, and its row in `underway`.

    Features belong to a digest: taken from other bytes they would be wrong for every image that has it.
    """
    for piece in images.to_batches(max_chunksize=BATCH):
        for row in piece.to_pylist():
            data = ws.assets.read(row["local_path"])
            if data is None or sha256(data) != row["sha256"]:
                filled.failures[row["sha256"]] = "its file is not there" if data is None else "its file has other bytes"
                continue
            underway[row["sha256"]] = row
            yield row["sha256"], data


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
