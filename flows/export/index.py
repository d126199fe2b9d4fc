"""The index of an export: one row per copy, as Parquet for programs and CSV that no spreadsheet takes for formulas.

Knows rows and bytes; reads and writes no storage.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.export.plan import Copy
from flows.history.schema import IMAGES
from flows.history.standing import STANDING
from flows.spreadsheet import as_csv

PARQUET, CSV, NOTE = "index.parquet", "index.csv", "LICENCE-AND-PROVENANCE.md"
# What a picture is and how it was made, after what its copy is.
TOLD = (
    *("image_id", "state", "verdict", "held", "brand", "campaign", "prompt_id", "variant", "tags"),
    *("prompt", "final_prompt", "negative_prompt", "lettering", "model", "options", "edition", "aspect_ratio"),
    *("width", "height", "seed", "media_type", "origin", "generated_at", "cost_usd", "price_source"),
    *("generation_id", "request_id", "run_id", "fingerprint"),
)
_TIME: pa.DataType = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("file", pa.string()),
        *(STANDING.field(name) if name in STANDING.names else IMAGES.field(name) for name in TOLD),
        pa.field("sha256", pa.string()),
        pa.field("copy_sha256", pa.string()),
        pa.field("copy_bytes", pa.int64()),
        pa.field("embedded", pa.bool_()),
        pa.field("mark", pa.int32()),
        pa.field("xmp", pa.string()),
        pa.field("exported_at", _TIME),
    ]
)


def row_of(copy: Copy, told: Mapping[str, Any]) -> dict[str, Any]:
    """The index row of a copy; `told` is the image's row under its present names, with its standing."""
    return {
        "file": copy.file,
        **{name: told.get(name) for name in TOLD},
        "image_id": copy.image_id,
        "sha256": copy.sha256,
        "copy_sha256": copy.copy_sha256,
        "copy_bytes": copy.bytes,
        "embedded": copy.embedded,
        "mark": copy.mark,
        "xmp": copy.xmp,
        "exported_at": copy.exported_at,
    }


def copy_of(row: Mapping[str, Any]) -> Copy:
    """The copy that an index row tells of."""
    return Copy(
        image_id=row["image_id"],
        file=row["file"],
        sha256=row["sha256"],
        mark=row["mark"],
        bytes=row["copy_bytes"],
        copy_sha256=row["copy_sha256"],
        embedded=row["embedded"],
        xmp=row["xmp"],
        exported_at=row["exported_at"],
    )


def ordered(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """In the order of their files."""
    return sorted((dict(row) for row in rows), key=lambda row: (row["file"], row["image_id"]))


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The index for programs."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=SCHEMA), buffer, compression="zstd")
    return buffer.getvalue()


def from_parquet(data: bytes | None) -> list[dict[str, Any]] | None:
    """The rows of an earlier index; None where there is no index, or it is not one of ours."""
    if data is None:
        return None
    try:
        table = pq.read_table(pa.BufferReader(data)).select(SCHEMA.names).cast(SCHEMA)
    except (pa.ArrowException, KeyError):
        return None
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def spreadsheet(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The index for people."""
    return as_csv(SCHEMA.names, rows)


def sidecar(row: Mapping[str, Any]) -> bytes:
    """The record beside a copy: its row of the index as JSON, options opened up."""
    told = {**row, "options": json.loads(row["options"] or "{}")}
    return (json.dumps(told, indent=2, ensure_ascii=False, default=_plain) + "\n").encode("utf-8", "replace")


def from_sidecar(data: bytes | None) -> Copy | None:
    """The copy that a record beside it tells of, or None for a record that is not one of ours."""
    try:
        row = json.loads(data or b"")
        return copy_of({**row, "exported_at": datetime.fromisoformat(row["exported_at"])})
    except (ValueError, KeyError, TypeError):
        return None


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
