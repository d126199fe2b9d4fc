"""Pictures in a few words, as the table that decisions are made on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from flows.history.schema import IMAGES
from flows.history.standing import STANDING
from flows.retention.amounts import as_size, as_span, size
from flows.retention.decide import COLUMNS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TYPES = pa.schema([*IMAGES, *STANDING])


def picture(name: str, said: Mapping[str, Any], now: datetime = NOW) -> dict[str, Any]:
    """A row: `age` before now (or `at`, a moment), `trashed` for how long, anything else as the column is called."""
    said = dict(said)
    at = _moment(said.pop("at")) if "at" in said else now - as_span(said.pop("age", "1d"))
    trashed = said.pop("trashed", None)
    row: dict[str, Any] = {
        "image_id": name,
        "state": "trashed" if trashed else "kept",
        "stored_at": at,
        "requested_at": at,
        "trashed_at": now - as_span(trashed) if trashed else None,
        "bytes": as_size(size(said.pop("size", "1MB"))),
        "origin": "api.ideogram.ai",
        "brand": "helio",
        "campaign": "summer",
        "tags": [],
        "model": "ideogram-3",
        "prompt_id": said.get("prompt", "hero"),
        "variant": said.pop("prompt", "hero"),
        "retention": None,
        "held": False,
        "approved": said.get("verdict") == "approved",
        "verdict": None,
        "sources": said.pop("made_from", []),
    }
    assert said.keys() <= row.keys(), said
    return row | said


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as `flows.history.current` types them, with `sources` beside."""
    fields = [TYPES.field(name) for name in COLUMNS]
    schema = pa.schema([*fields, pa.field("sources", pa.list_(pa.string()))])
    return pa.Table.from_pylist(rows, schema=schema)


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def pictures() -> Any:
    """(name -> what is said of it) -> the table."""

    def make(said: Mapping[str, Mapping[str, Any]], at: datetime = NOW) -> pa.Table:
        return table([picture(name, one, at) for name, one in said.items()])

    return make


@pytest.fixture(scope="session")
def later() -> timedelta:
    return timedelta(days=1)
