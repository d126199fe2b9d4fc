"""Listing and searching the history for people: rows under their current names, with a look at the storage."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.errors import Refused
from flows.history.parts import Parts
from flows.history.reading import CURRENT, column_names
from flows.history.schema import IMAGES
from flows.history.search import Search, newest, search
from flows.history.standing import STANDING
from flows.spreadsheet import as_csv
from flows.storage import Storage

FIRST = ("image_id", "prompt", "model", "seed", "generated_at", "has_local_copy")
# Up to so many files are looked at one by one; for more, all are listed once.
FEW = 100


@dataclass(frozen=True)
class Found:
    """Images with all their columns, the oldest first; `images` and `usd` count those that were cut off too."""

    rows: list[dict[str, Any]]
    images: int
    usd: float


def find(parts: Parts, assets: Storage, asked: Search | None = None, *, last: int | None = None) -> Found:
    """The images that fit, of them the `last` so many as rows.

    `has_local_copy` is looked at, not assumed: the file is there, with the size it was stored with.
    """
    asked = asked or Search()
    if last is None:
        table = search(parts, asked)
        shown = table
    else:
        table = search(parts, asked, ["image_id", "cost_usd"])
        shown = newest(parts, table, last)
    rows: list[dict[str, Any]] = [_ordered(row) for row in shown.to_pylist()]
    _look(rows, assets)
    return Found(rows, table.num_rows, float(pc.sum(table["cost_usd"]).as_py() or 0))


def _look(rows: list[dict[str, Any]], assets: Storage) -> None:
    paths = {row["local_path"] for row in rows if row["local_path"] is not None}
    if len(paths) <= FEW:
        present = {path: stat.size for path in paths if (stat := assets.stat(path))}
    else:
        present = {stat.path: stat.size for stat in assets.list()}
    for row in rows:
        row["has_local_copy"] = row["local_path"] is not None and present.get(row["local_path"]) == row["bytes"]


def _ordered(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in columns()}


def kind_of(name: str) -> str:
    """csv, json or parquet, by the ending of a file's name; anything else is refused."""
    kind = name.rpartition(".")[2].lower()
    if kind not in {"csv", "json", "parquet"}:
        raise Refused(f"cannot write {name}: end it in .csv, .json or .parquet")
    return kind


def written(rows: Sequence[Mapping[str, Any]], name: str) -> bytes:
    """The rows as the file that `name` ends in: .csv, .json or .parquet."""
    kind = kind_of(name)
    if kind == "json":
        return (json.dumps(list(rows), indent=2, ensure_ascii=False, default=_plain) + "\n").encode()
    if kind == "csv":
        return as_csv(columns(), rows)
    return _parquet(rows)


def columns() -> list[str]:
    """The columns of `find`, in order: those of ``current``, the most wanted first."""
    return [*FIRST, *(name for name in column_names(CURRENT) if name not in FIRST)]


def _parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    fields = {field.name: field.type for field in (*IMAGES, *STANDING)}
    schema = pa.schema([(name, fields[name]) for name in columns()])
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
