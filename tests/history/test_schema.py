"""The tables: documented columns and types, and costs that add up."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.history.events import Event
from flows.history.records import ImageRecord, ImageStatus, Outcome, settled_micros
from flows.history.schema import DATASETS, KEYS_KEY, event_row, image_rows, request_row, table

WANTED = (
    "image_id request_id n image_index generation_id run_id origin prompt_id variant fingerprint brand campaign tags "
    "prompt final_prompt negative_prompt lettering endpoint model options aspect_ratio resolution_asked "
    "resolution_reported "
    "seed_asked seed is_image_safe image_url generated_at expires_at stored_at expiry_margin_s local_path media_type "
    "bytes sha256 cost_usd price_source status"
).split()


def test_the_images_have_every_documented_column() -> None:
    """Whoever analyses the history finds what the documentation promises."""
    assert set(WANTED) <= set(DATASETS["images"].names)
    assert not any(pa.types.is_decimal(kind) for kind in DATASETS["images"].types), "pandas cannot add decimals"


def test_pandas_reads_a_history_without_us(books: Any) -> None:
    """Numbers are numbers, times are UTC, tags are lists, the month is a category."""
    books.bought(0, images=2)
    books.bought(1)
    books.seal()
    frame = pd.read_parquet(books.storage.root / "images")
    assert frame["cost_usd"].sum() == pytest.approx(0.18)
    assert str(frame["requested_at"].dtype) == "datetime64[us, UTC]"
    assert [list(tags) for tags in frame["tags"]] == [["one", "two"]] * 3
    assert frame["month"].astype(str).unique().tolist() == ["2026-11"]
    assert frame["n"].tolist() in ([0, 0, 1], [0, 1, 0], [1, 0, 0])
    assert json.loads(frame["options"].iloc[0]) == {}


def test_an_unknown_column_is_a_bug(books: Any) -> None:
    """A misspelt key would otherwise vanish in silence."""
    with pytest.raises(KeyError, match="colour"):
        table("images", [{"image_id": "x", "colour": "red"}])


def test_rows_are_taken_a_few_at_a_time() -> None:
    """However many there are: none is lost or moved, and the part says how many different keys they have."""
    rows = [{"image_id": f"i{n % 400}", "n": n} for n in range(500)]
    found = table("images", iter(rows))
    assert found["n"].to_pylist() == list(range(500))
    assert found.schema.metadata[KEYS_KEY.encode()] == b"400"


def test_an_empty_table_has_all_columns() -> None:
    """A run that bought nothing writes nothing odd."""
    for dataset in DATASETS:
        assert table(dataset, []).schema.names == DATASETS[dataset].names


@given(
    price=st.decimals(Decimal("0.000001"), Decimal(5), places=6),
    images=st.integers(1, 8),
    stated=st.one_of(st.none(), st.integers(0, 10_000_000)),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_images_of_a_request_cost_what_the_request_cost(
    books: Any, price: Decimal, images: int, stated: int | None
) -> None:
    """By the API's word where there is one, else by the price: to a millionth of a dollar."""
    end = books.end(books.claim(images=images, price_usd=price), cost_micros=stated)
    micros = settled_micros(end)
    assert micros == (stated if stated is not None else int(price * images * 1_000_000))
    rows = image_rows(end)
    assert len(rows) == images
    assert sum(row["cost_usd"] for row in rows) == pytest.approx(micros / 1_000_000, abs=1e-9)
    assert request_row(end, 0)["cost_micros"] == micros
    assert {row["price_source"] for row in rows} == {"a test" if stated is None else "api"}


@pytest.mark.parametrize("outcome", [Outcome.VOID, Outcome.REFUSED])
def test_what_was_not_billed_costs_nothing(books: Any, outcome: Outcome) -> None:
    """Even where the answer states a price."""
    end = books.end(books.claim(images=3), outcome, cost_micros=5)
    assert image_rows(end) == []
    assert request_row(end, 0)["cost_usd"] == 0


def test_the_margin_is_how_long_the_link_would_have_lived(books: Any) -> None:
    """Seconds between storing and expiry; unknown where either is."""
    from datetime import timedelta

    end = books.end(books.claim())
    image = ImageRecord(0, ImageStatus.STORED, expires_at=books.now + timedelta(hours=2), stored_at=books.now)
    (row,) = image_rows(replace(end, images=(image,)))
    assert row["expiry_margin_s"] == 7200
    (row,) = image_rows(end)
    assert row["expiry_margin_s"] is None


def test_an_event_is_a_row_too(books: Any) -> None:
    """Lifecycle rows fit their table."""
    row = event_row(event_id="e", at=books.now, event=Event.RELABELLED, actor="generate", run_id="r", details={"a": 1})
    (back,) = table("lifecycle", [row]).to_pylist()
    assert json.loads(back["details"]) == {"a": 1}
