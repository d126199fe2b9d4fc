"""The contract of the history's columns as a page for people. Knows no rows, no storage."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from flows.documents.reference import table
from flows.history.contract import COLOURS, HISTORY, LINES, SCHEMA_VERSION, Column, Dataset
from flows.history.standing import STANDING_COLUMNS

TYPES: Mapping[str, str] = {
    "string": "text",
    "bool": "true or false",
    "int32": "integer",
    "int64": "integer",
    "double": "number",
    "binary": "bytes",
    "timestamp[us, tz=UTC]": "time",
    "list<item: string>": "list of texts",
    "list<element: string>": "list of texts",
    str(COLOURS): "list of colours",
    str(LINES): "list of lines",
}
_HEAD = """\
# The history, column by column

Generated from `flows/history/contract.py` by `make generated`; do not edit. Schema version {version}.

The history is plain Parquet, one folder a dataset, one folder a month in it: `images/month=2026-11/<id>.parquet`.
Any reader of Parquet reads it; ours do three things more: they keep one row of each key, they know every column
even where old files lack it, and they hold still while files are merged.

```python
import pandas as pd

pd.read_parquet("data/history/images")  # as it lies there
```

```python
from flows.history import as_of, current, features, findings, images, lifecycle, query, requests

images(".", since="2026-10", campaign="summer-2027", columns=["prompt", "seed", "cost_usd"])
current(".")  # with state, holds, verdicts and present names
as_of(".", "2026-11-01")  # as it stood at the end of that day
query(".", "select campaign, sum(cost_usd) as usd from images group by 1")
```

The first argument is a project's folder, or the address of a history (`s3://bucket/history`). All of them take
`since` and `until` (a day, a month as `2026-10`, or a moment; days are UTC, and `until` includes its day or month),
`brand`, `campaign`, `columns`, and `as_table=True` for an Arrow table instead of a DataFrame. Only the months and
columns asked for are read. `images(campaign=...)` goes by the campaign it was bought for, `current(campaign=...)` by
what it is called now.

Files carry the schema version in their metadata (key `ideoflow`), and how many different keys their rows have
(`ideoflow.keys`). Columns are only ever added: `since` is the version that brought one, and rows written before have
none there. `ideoflow maintain --compact` rewrites old files: many other readers take the columns of the first file for
those of all.

`ideoflow history ... --out FILE` and `ideoflow sql ... --out FILE` write rows as `.csv`, `.json` or `.parquet`. The CSV
is for spreadsheets: UTF-8 with its mark, and a text that a spreadsheet would run as a formula (it begins with `=`, `+`,
`-`, `@`, a tab or a line end) has an apostrophe before it; numbers are written as they are, lists as texts. JSON and
Parquet hold the exact values. The `index.csv` of `ideoflow export` keeps the same rule.

Times are UTC, in microseconds. Money is in US dollars. `month` is the partition; pandas reads it as a category.
"""


def history_page() -> str:
    """``docs/history.md``."""
    tables = [_dataset(name, dataset) for name, dataset in HISTORY.items()]
    standing = "\n".join(
        [
            "## `current`",
            "",
            "The columns of `images`, with prompt id, variant, campaign and tags as they are called now, and:",
            "",
            _table(STANDING_COLUMNS).rstrip(),
        ]
    )
    return "\n".join([_HEAD.replace("{version}", str(SCHEMA_VERSION)), *tables, standing, ""])


def _dataset(name: str, dataset: Dataset) -> str:
    key = ", ".join(f"`{column}`" for column in dataset.key)
    about = f"{dataset.meaning} Key: {key}. `since` and `until` go by `{dataset.time}`."
    return "\n".join([f"## `{name}`", "", about, "", _table(dataset.columns)])


def _table(columns: tuple[Column, ...]) -> str:
    rows = (
        (f"`{column.name}`", type_word(column.type), column.unit, column.meaning, str(column.since))
        for column in columns
    )
    return table(("column", "type", "unit", "meaning", "since"), rows)


def type_word(kind: pa.DataType) -> str:
    """A type in a word or two for people."""
    return TYPES[str(kind)]
