"""Which parts hold a row: so that large columns are read of those alone."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from flows.errors import HistoryBusy
from flows.history.parts import Parts
from flows.storage import Storage, open_storage


def shelved(storage: Storage) -> Parts:
    """Three parts of one row each."""
    names = (f"part-{number}" for number in itertools.count())
    parts = Parts(storage, lambda: next(names))
    for digest in ("x", "y", "z"):
        parts.write("features", "2026-11", [{"sha256": digest, "thumbnail": b"large"}])
    return parts


def check(parts: Parts) -> None:
    """Only those with a matching row, by the names that `read` takes; none of none."""
    listing = parts.listing("features")
    wanted = pc.field("sha256").isin(["x", "z"])
    holding = parts.holding(listing, "features", wanted)
    assert holding == (listing[0], listing[2])
    assert parts.holding(listing, "features", pc.field("sha256") == "w") == ()
    assert parts.holding((), "features", wanted) == ()
    assert parts.read(holding, "features", ["sha256"])["sha256"].to_pylist() == ["x", "z"]


def test_on_a_disk(tmp_path: Path) -> None:
    """By paths."""
    check(shelved(open_storage(str(tmp_path))))


@pytest.mark.s3
def test_in_a_bucket(s3_bucket: Any) -> None:
    """By keys."""
    check(shelved(open_storage(f"s3://{s3_bucket.name}/history", s3_bucket.options)))


def test_a_part_that_is_merged_away_is_told(tmp_path: Path) -> None:
    """As when its rows are read."""
    parts = shelved(open_storage(str(tmp_path)))
    listing = parts.listing("features")
    parts.storage.delete([listing[1]])
    with pytest.raises(HistoryBusy):
        parts.holding(listing, "features", pc.field("sha256") == "x")
