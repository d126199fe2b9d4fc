"""Rows as a CSV that people open in a spreadsheet: UTF-8 with its mark, and no cell that would be run as a formula.

The one place that writes CSV, and the one rule for its cells. Prompts, tags and reasons are texts that anybody may have
written; a spreadsheet runs a text that begins like a formula. Knows values and bytes; must not know what they mean, nor
where they go. Whoever wants exact values takes JSON or Parquet. Pure.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

# What a spreadsheet reads as the beginning of a formula, or skips on its way to one; the wide forms of East Asian
# keyboards are taken for the narrow ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def as_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The columns of these names, in this order, as the spreadsheets' own dialect."""
    text = io.StringIO()
    writer = csv.writer(text, dialect="excel")
    writer.writerow([cell(name) for name in names])
    writer.writerows([cell(row[name]) for name in names] for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def cell(value: Any) -> Any:
    """A value as it stands in a CSV: numbers as they are; before a text that would be a formula an apostrophe."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int | float | Decimal):
        return value
    text = _text(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(value: Any) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        return ", ".join(_text(one) for one in value if one is not None)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_text)
    return str(value)
