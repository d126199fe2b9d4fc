"""The contract of the columns: what was released stays readable, by us and by others."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from flows.history import current, query
from flows.history.compact import compact
from flows.history.contract import HISTORY, SCHEMA_VERSION
from flows.history.page import TYPES, history_page, type_word
from flows.history.parts import Parts
from flows.history.reading import Asked, column_names, read
from flows.history.schema import DATASETS, version_of
from flows.history.standing import STANDING_COLUMNS
from flows.storage import LocalStorage

RELEASED = Path(__file__).parent / "released"
RELEASES = sorted(path.name for path in RELEASED.iterdir())
OF_OLD = [name for name, dataset in HISTORY.items() if any(column.since == 1 for column in dataset.columns)]


def test_every_column_says_what_it_means() -> None:
    """A sentence, a version that there was, a type that people have a word for, and no name twice."""
    for columns in (*(dataset.columns for dataset in HISTORY.values()), STANDING_COLUMNS):
        names = [column.name for column in columns]
        assert len(names) == len(set(names))
        for column in columns:
            assert column.meaning.endswith("."), column
            assert "|" not in column.meaning
            assert 1 <= column.since <= SCHEMA_VERSION
            assert str(column.type) in TYPES
            assert type_word(column.type) != "time" or column.unit == "UTC", column
    assert not set(DATASETS["images"].names) & {column.name for column in STANDING_COLUMNS}


def test_keys_and_times_are_columns() -> None:
    """What readers go by is there."""
    for name, dataset in HISTORY.items():
        assert {*dataset.key, dataset.time} <= set(DATASETS[name].names)


def test_the_page_has_every_column() -> None:
    """One line each."""
    page = history_page()
    for name in (*HISTORY, "current"):
        assert f"## `{name}`" in page
    for name in {name for dataset in (*HISTORY, "current") for name in column_names(dataset)}:
        assert f"| `{name}` |" in page


def test_a_release_of_the_present_version_is_kept_here() -> None:
    """Whoever adds a column adds a history that was written before: ``tests/history/released/<version>``."""
    versions = {
        version_of(pq.read_schema(part)) for release in RELEASES for part in (RELEASED / release).rglob("*.parquet")
    }
    assert 1 in versions
    assert max(versions) <= SCHEMA_VERSION


@pytest.fixture(params=RELEASES)
def released(request: Any, tmp_path: Path) -> Parts:
    """A history as an earlier release wrote it."""
    shutil.copytree(RELEASED / request.param, tmp_path / "history")
    return Parts(LocalStorage(tmp_path / "history"), iter(f"new-{n}" for n in range(99)).__next__)


@pytest.mark.parametrize("dataset", OF_OLD)
def test_what_a_release_wrote_is_still_read(released: Parts, dataset: str) -> None:
    """With all columns of today, those of then in their place and type, filled as they were."""
    (part, *_) = released.listing(dataset)
    raw = pq.read_table(Path(released.storage.url) / part, partitioning=None)
    rows = read(released, dataset, Asked())
    assert rows.schema.names == DATASETS[dataset].names
    assert rows.num_rows > 0
    for field in raw.schema:
        assert DATASETS[dataset].field(field.name).type == field.type, f"{field.name} was retyped or removed"
    ours = rows.select(raw.schema.names).to_pylist()
    assert all(row in ours for row in raw.to_pylist())


def test_current_and_sql_read_it_too(released: Parts) -> None:
    """And agree about it."""
    frame = current(released, columns=["image_id", "state", "campaign"])
    asked = query(released, "select image_id, state, campaign from current")
    assert sorted(frame.to_dict("records"), key=repr) == sorted(asked.to_dict("records"), key=repr)
    assert set(frame["state"]) >= {"kept", "trashed"}


@pytest.mark.parametrize("dataset", OF_OLD)
def test_raw_pandas_reads_it_before_and_after_the_upgrade(released: Parts, dataset: str, books: Any) -> None:
    """No row is lost; afterwards every column of today is there."""
    folder = Path(released.storage.url) / dataset
    before = pd.read_parquet(folder)
    compact(released, books.owner, books.now.replace(year=2030), token="t")
    after = pd.read_parquet(folder)
    assert set(after.columns) == {*DATASETS[dataset].names, "month"}
    key = list(HISTORY[dataset].key)
    assert set(map(str, before[key].to_dict("records"))) == set(map(str, after[key].to_dict("records")))
