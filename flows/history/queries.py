"""Listing and searching the history for people: rows under their current names, with a look at the storage."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import Refused
from flows.history import view
from flows.history.parts import Parts
from flows.history.schema import IMAGES
from flows.storage import Storage

SEARCHED = (
    "prompt",
    "final_prompt",
    "negative_prompt",
    "lettering",
    "variant",
    "campaign",
    "brand",
    "model",
    "image_id",
)
FIRST = ("image_id", "prompt", "model", "seed", "generated_at", "has_local_copy")


def find(parts: Parts, assets: Storage, words: Sequence[str]) -> list[dict[str, Any]]:
    """The images whose prompt, names, model or id hold every word, in any case; oldest first.

    `has_local_copy` is looked at, not assumed: the file is there, with the size it was stored with.
    """
    rows = view.with_names(view.images(parts), parts)
    wanted = [word.casefold() for word in words]
    found = [row for row in rows if all(_holds(row, word) for word in wanted)]
    present = {stat.path: stat.size for stat in assets.list()} if found else {}
    for row in found:
        row["has_local_copy"] = row["local_path"] is not None and present.get(row["local_path"]) == row["bytes"]
    return sorted((_ordered(row) for row in found), key=lambda row: str(row["image_id"]))


def _holds(row: Mapping[str, Any], word: str) -> bool:
    texts = [row[column] for column in SEARCHED] + list(row["tags"] or ())
    return any(word in str(text).casefold() for text in texts if text is not None)


def _ordered(row: dict[str, Any]) -> dict[str, Any]:
    return {**{name: row[name] for name in FIRST}, **row}


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
        return _csv(rows)
    return _parquet(rows)


def columns() -> list[str]:
    """The columns of `find`, in order."""
    return [*FIRST, *(name for name in IMAGES.names if name not in FIRST)]


def _csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    return text.getvalue().encode()


def _parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    fields = {name: IMAGES.field(name).type for name in IMAGES.names} | {"has_local_copy": pa.bool_()}
    schema = pa.schema([(name, fields[name]) for name in columns()])
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return value.isoformat() if isinstance(value, datetime) else value


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
