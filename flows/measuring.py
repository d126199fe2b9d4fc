"""Pictures to data: features of all that lack them, and what can be read in those that were to say something.

Knows the workspace, and what of the history is still to be measured; the measuring itself is done by `assets`, in
processes of their own, from stored bytes. What was measured once is never measured again by the same version.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flows import heaps
from flows.assets.extractor import EXTRACTOR_VERSION
from flows.history.events import WITH_FILE
from flows.history.parts import Months
from flows.history.standing import current
from flows.ids import canonical_json, sha256
from flows.pipeline.kit import Progress
from flows.workspace import Workspace

if TYPE_CHECKING:  # numpy is slow to import
    from flows.assets.features import Features
    from flows.assets.reading import Line

TIMEOUT_S = 60
BATCH = 256
WORKERS = 2
FEW = 8
"""Starting a second process takes longer than measuring so many pictures in one."""
READERS, AHEAD = 2, 4
"""Files are read while others are measured: a bucket takes its time to answer."""
_COLUMNS = ["image_id", "sha256", "local_path", "lettering", "state"]
Tell = Callable[[Progress], None]


@dataclass
class Filled:
    """What a back-fill did. `failures` says by digest why a picture could not be measured."""

    measured: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def back_fill(ws: Workspace, tell: Tell, where: pc.Expression | None = None, months: Months | None = None) -> Filled:
    """Features of every picture on storage that lacks those of today's extractor.

    `where` filters ``images``, of those months.
    """
    fresh = _fresh(ws, where, "features", pc.field("extractor") == EXTRACTOR_VERSION, months)
    return _carry_out(ws, tell, fresh, "features", "measured", feature_row)


def read_lettering(ws: Workspace, tell: Tell, where: pc.Expression | None = None) -> Filled:
    """What can be read in every picture that was to say something, where this engine has not read it yet.

    Refused where no engine is installed: see `assets.reading.engine`.
    """
    from flows.assets.reading import EXTRACTOR, engine  # noqa: PLC0415  only who reads needs it

    name = engine()
    fresh = _fresh(ws, where, "readings", pc.field("engine") == name)
    fresh = fresh.filter((pc.field("lettering") != "") & pc.field("lettering").is_valid())

    def row(found: list[Line], image: str, digest: str, now: datetime) -> dict[str, Any]:
        return {"sha256": digest, "engine": name, "image_id": image, "lines": found, "failure": None, "read_at": now}

    def failed(why: str, image: str, digest: str, now: datetime) -> dict[str, Any]:
        return {"sha256": digest, "engine": name, "image_id": image, "lines": [], "failure": why, "read_at": now}

    # One process: the engine itself uses every core.
    return _carry_out(ws, tell, fresh, "readings", "read", row, failed, workers=1, extractor=EXTRACTOR)


def _fresh(
    ws: Workspace, where: pc.Expression | None, dataset: str, done: pc.Expression, months: Months | None = None
) -> pa.Table:
    """One row for each picture on storage that no row of the dataset says is done."""
    stored = current(ws.parts, _COLUMNS, where, months=months)
    stored = stored.filter(pc.is_in(stored["state"], pa.array([str(state) for state in WITH_FILE])))
    if stored.num_rows:
        known = ws.parts.read(ws.parts.listing(dataset), dataset, ["sha256"], done)["sha256"]
        stored = stored.filter(pc.invert(pc.is_in(stored["sha256"], known.combine_chunks())))
    first = stored.append_column("row", pa.array(range(len(stored)), pa.int64())).group_by("sha256", use_threads=False)
    return stored.take(first.aggregate([("row", "min")])["row_min"]) if len(stored) else stored


def _carry_out(
    ws: Workspace,
    tell: Tell,
    fresh: pa.Table,
    dataset: str,
    word: str,
    row_of: Callable[[Any, str, str, datetime], dict[str, Any]],
    failed: Callable[[str, str, str, datetime], dict[str, Any]] | None = None,
    **how: Any,
) -> Filled:
    filled = Filled()
    rows = _rows(ws, tell, fresh, filled, word, row_of, failed, **how)
    heaps.trim()  # finding out what is fresh took more than measuring will
    # Piece by piece: rows hold thumbnails, and memory must not grow with the history.
    while some := next(rows, None):
        ws.parts.write(dataset, f"{ws.now():%Y-%m}", chain([some], islice(rows, BATCH - 1)))
        heaps.trim()
    return filled


def _rows(
    ws: Workspace,
    tell: Tell,
    fresh: pa.Table,
    filled: Filled,
    word: str,
    row_of: Callable[[Any, str, str, datetime], dict[str, Any]],
    failed: Callable[[str, str, str, datetime], dict[str, Any]] | None,
    **how: Any,
) -> Iterator[dict[str, Any]]:
    """A row for each picture as it is measured, counted in `filled`."""
    from flows.assets.isolation import extract_many  # noqa: PLC0415  starts processes: only where there is work

    underway: dict[str, Mapping[str, Any]] = {}
    pictures = _bytes(ws, fresh, underway, filled)
    for digest, found in extract_many(
        pictures, timeout_s=TIMEOUT_S, **{"workers": WORKERS if fresh.num_rows > FEW else 1, **how}
    ):
        image = underway.pop(digest)
        if isinstance(found, str):
            filled.failures[digest] = found  # the audit says so
            if failed:
                yield failed(found, image["image_id"], digest, ws.now())
        else:
            filled.measured += 1
            tell(Progress(word, image["local_path"], 1))
            yield row_of(found, image["image_id"], digest, ws.now())


def _bytes(
    ws: Workspace, images: pa.Table, underway: dict[str, Mapping[str, Any]], filled: Filled
) -> Iterator[tuple[str, bytes]]:
    """Each picture by its digest, and its row in `underway`.

    Features belong to a digest: taken from other bytes they would be wrong for every image that has it.
    """
    for row, (data, digest) in _read_ahead(ws, images):
        if digest != row["sha256"]:
            filled.failures[row["sha256"]] = "its file is not there" if data is None else "its file has other bytes"
            continue
        underway[row["sha256"]] = row
        yield row["sha256"], data or b""


def _read_ahead(ws: Workspace, images: pa.Table) -> Iterator[tuple[Mapping[str, Any], tuple[bytes | None, str]]]:
    """Each row with its file and the digest of that, a few files ahead of whoever takes them."""

    def read(path: str) -> tuple[bytes | None, str]:
        data = ws.assets.read(path)
        return data, "" if data is None else sha256(data)

    def rows() -> Iterable[Mapping[str, Any]]:
        for piece in images.to_batches(max_chunksize=BATCH):
            yield from piece.to_pylist()

    ahead: deque[tuple[Mapping[str, Any], Future[tuple[bytes | None, str]]]] = deque()
    with ThreadPoolExecutor(READERS, "measure") as readers:
        try:
            for row in rows():
                ahead.append((row, readers.submit(read, row["local_path"])))
                if len(ahead) > AHEAD:
                    given, coming = ahead.popleft()
                    yield given, coming.result()
            while ahead:
                given, coming = ahead.popleft()
                yield given, coming.result()
        finally:
            readers.shutdown(wait=False, cancel_futures=True)


def feature_row(found: Features, image: str, digest: str, now: datetime) -> dict[str, Any]:
    """What was measured, as a row of ``features``."""
    names = ("l", "a", "b", "share")
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
        "palette": [dict(zip(names, cluster, strict=True)) for cluster in found.palette.tolist()],
        "alpha": found.alpha,
        "icc": found.icc,
        "sharpness": found.sharpness,
        "contrast": found.contrast,
        "brightness": found.brightness,
        "embedded": canonical_json(found.embedded),
    }
