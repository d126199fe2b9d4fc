"""How results look: words for people, JSON for programs. Reads values, decides nothing.

A line fits into eighty columns unless a name in it does not. Where nobody watches (a pipe, a file) there are no
escape codes and no folding, so that grep finds what it looks for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from flows.cli.plain import emit, warn
from flows.report import RunReport, summary_lines, to_json

__all__ = ["console", "emit", "fact", "linked", "near", "report", "sentence", "warn"]

# Wide enough that nothing folds where no terminal has a width.
UNBOUNDED = 1000


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Rich would exit with 1, which says that there is a bug."""
        raise BrokenPipeError


def console() -> Console:
    """Standard output: colours when a person watches, none otherwise or with NO_COLOR."""
    plain = bool(os.environ.get("NO_COLOR"))
    out = _Output(highlight=False, soft_wrap=False, color_system=None if plain else "auto")
    if not out.is_terminal:
        out.width = UNBOUNDED
    return out


def near(place: str) -> str:
    """A path as one would type it here: relative where it lies below the working directory."""
    if "://" in place:
        return place
    path, here = Path(place), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else place


def linked(place: str, text: str) -> str:
    """Markup for a text that a terminal can open."""
    where = place if "://" in place else Path(place).absolute().as_uri()
    return f"[link={where}]{escape(text)}[/link]"


def sentence(out: Console, line: str, style: str = "") -> None:
    """A line of words, folded between words; what follows stands below its first word."""
    words_ = line.removeprefix("! ").lstrip()
    indent = len(line) - len(words_)
    grid = Table.grid()
    grid.add_column(width=indent, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(line[:indent], style), Text(words_, style))
    out.print(grid)


def fact(out: Console, name: str, value: str, style: str = "", *, indent: int = 4) -> None:
    """A word and what is to be said about it; what is folded stands below the first word of that."""
    grid = Table.grid()
    grid.add_column(width=indent + 9, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(" " * indent + name, style), Text(value, style))
    out.print(grid)


def report(done: RunReport, where: str, *, as_json: bool, last: bool = True) -> None:
    """The end of a run. `last`: with what to do next."""
    if as_json:
        typer.echo(to_json(done), nl=False)
        return
    lines = summary_lines(replace(done, assets=near(done.assets), history=near(done.history)))
    summary(lines, where, well=not done.exit_code, last=last)


def summary(lines: Sequence[str], where: str, *, well: bool, last: bool = True) -> None:
    """A run's own lines: the headline first, problems behind a ``!``, what to do next last, if `last`."""
    out = console()
    out.print(f"[bold {'green' if well else 'yellow'}]{escape(lines[0])}[/]", soft_wrap=True)
    for line in lines[1:-1]:
        if line.startswith("!"):
            sentence(out, line, "yellow")
        elif line.startswith("    "):
            sentence(out, line)
        else:
            out.print(escape(line), soft_wrap=True)
    if where:
        out.print(f"report   {linked(where, near(where))}", soft_wrap=True)
    if last:
        out.print(escape(lines[-1]), soft_wrap=True)
