"""Rows of the history as a file on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from flows.cli.printing import emit
from flows.errors import UserError
from flows.history.queries import kind_of, written
from flows.report import words


def export(find: Callable[[], Sequence[Mapping[str, Any]]], out: Path, *, as_json: bool) -> None:
    """Write what `find` finds. What stands in the way of the file is said before anything is read."""
    kind_of(out.name)
    if not out.parent.is_dir():
        raise UserError(f"cannot write {out}: there is no folder {out.parent}")
    rows = find()
    try:
        out.write_bytes(written(rows, out.name))
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}") from error
    if as_json:
        emit({"images": len(rows), "written": str(out)})
    else:
        typer.echo(f"{words.count(len(rows), 'image')} written to {out}")
