"""The answer to a query as a table for people, JSON for programs, or a file."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape
from rich.table import Table

from flows.cli.printing import console, emit
from flows.errors import UserError
from flows.history.queries import kind_of
from flows.report import words
from flows.spreadsheet import as_csv

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_SHOWN = 200
CELL = 60  # of a longer text its beginning is enough on a screen


def show(answer: pa.Table, *, as_json: bool) -> None:
    """All rows for who pipes; the first of many for a person."""
    if as_json:
        emit(rows(answer))
        return
    out = console()
    many = out.is_terminal and answer.num_rows > ROWS_SHOWN
    table = Table(box=None, pad_edge=False, header_style="bold")
    for field in answer.schema:
        right = str(field.type).startswith(("int", "uint", "double", "float", "decimal"))
        table.add_column(escape(field.name), justify="right" if right else "left", overflow="fold")
    for row in rows(answer.slice(0, ROWS_SHOWN if many else None)):
        table.add_row(*(escape(_said(value, short=out.is_terminal)) for value in row.values()))
    out.print(table)
    count = words.count(answer.num_rows, "row")
    if out.is_terminal:
        out.print(f"\n[dim]{count}{f', the first {ROWS_SHOWN} shown' if many else ''}[/]")
        out.print("next     the same with `--out rows.csv` writes them: .csv, .json or .parquet")


def written(answer: pa.Table, out: Path, *, as_json: bool) -> None:
    """The rows as the file that its name ends in."""
    kind = kind_of(out.name)
    if not out.parent.is_dir():
        raise UserError(f"cannot write {out}: there is no folder {out.parent}")
    try:
        out.write_bytes(_bytes(answer, kind))
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}") from error
    if as_json:
        emit({"rows": answer.num_rows, "written": str(out)})
    else:
        typer.echo(f"{words.count(answer.num_rows, 'row')} written to {out}")


def rows(answer: pa.Table) -> list[dict[str, Any]]:
    """As JSON can say them: bytes in hexadecimal. Of two columns of one name the second is called ``name_2``."""
    return [
        {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
        for row in _named(answer).to_pylist()
    ]


def _named(answer: pa.Table) -> pa.Table:
    names: list[str] = []
    for name in answer.column_names:
        number = 2
        fresh = name
        while fresh in names:
            fresh, number = f"{name}_{number}", number + 1
        names.append(fresh)
    return answer.rename_columns(names)


def _bytes(answer: pa.Table, kind: str) -> bytes:
    if kind == "json":
        return (json.dumps(rows(answer), indent=2, ensure_ascii=False, default=_plain) + "\n").encode()
    if kind == "csv":
        named = _named(answer)
        return as_csv(named.column_names, named.to_pylist())
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(_named(answer), buffer, compression="zstd")
    return buffer.getvalue()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _said(value: Any, *, short: bool = False) -> str:
    if value is None:
        return ""
    said = " ".join(str(one) for one in value) if isinstance(value, list) else _plain(value)
    if isinstance(value, float):
        said = f"{value:.10g}"
    return f"{said[: CELL - 1]}…" if short and len(said) > CELL else said
