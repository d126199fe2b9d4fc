"""The verbs that look at what was bought and what it cost: history, sql, spend."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import completing
from flows.cli.base import Config, Json, Project, app, example, workspace
from flows.history.events import State


class By(StrEnum):
    """What `spend` adds up by."""

    DAY = "day"
    CAMPAIGN = "campaign"
    MODEL = "model"
    BRAND = "brand"


@app.command(epilog=example("ideoflow history poster --out images.csv"))
def history(
    words: Annotated[
        list[str] | None,
        typer.Argument(help='Words, "phrases" and -exclusions, in one quoted argument: \'neon "wet sand" -retro\'.'),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Made by this model.", autocompletion=completing.column("model"))
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Bought since a day or month (UTC): 2026-10.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Bought until then, that day or month included.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="With this seed.")] = None,
    state: Annotated[State | None, typer.Option("--state", help="In this state now, by the record.")] = None,
    brand: Annotated[
        str | None, typer.Option("--brand", help="Of this brand.", autocompletion=completing.column("brand"))
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option(
            "--campaign", help="Of this campaign, as it is called now.", autocompletion=completing.column("campaign")
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", "-w", help="Any column: COLUMN=VALUE, or != > >= < <= ~ (holds). Repeats."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the rows: .csv, .json or .parquet.")] = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """List what was bought, and whether it is still there; search by words and by any column (docs/history.md)."""
    from flows.cli import tables
    from flows.cli.exporting import export
    from flows.cli.printing import console
    from flows.history.queries import find
    from flows.history.reading import asked as period
    from flows.history.search import Condition, Search, condition, terms

    named = {"model": model, "seed": seed, "state": state, "brand": brand, "campaign": campaign}
    bounds = period(since, until, None, None)
    asked = Search(
        terms(words or []),
        (
            *(Condition(name, "=", str(value)) for name, value in named.items() if value is not None),
            *(condition(text) for text in where or []),
        ),
        bounds.since,
        bounds.until,
    )
    ws = workspace(project, config)
    if out is not None:
        export(lambda: find(ws.parts, ws.assets, asked).rows, out, as_json=as_json)
        return 0
    # Whoever pipes wants all; a person the latest.
    last = tables.ROWS_SHOWN if console().is_terminal and not as_json else None
    tables.history(find(ws.parts, ws.assets, asked, last=last), ws, asked=asked, as_json=as_json)
    return 0


@app.command(epilog=example("ideoflow sql 'select campaign, sum(cost_usd) from images group by 1'"))
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT over the views named above.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the rows: .csv, .json or .parquet.")] = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Ask the history in SQL (DuckDB's), read-only.

    There are images, requests, lifecycle, features, findings, and current: images with state and present names.

    docs/history.md explains every column.
    """
    from flows.cli import asking
    from flows.history.queries import kind_of
    from flows.history.sql import query as ask

    if out is not None:
        kind_of(out.name)
    answer = ask(workspace(project, config).parts, query)
    if out is not None:
        asking.written(answer, out, as_json=as_json)
    else:
        asking.show(answer, as_json=as_json)
    return 0


@app.command(epilog=example("ideoflow spend --by campaign"))
def spend(
    by: Annotated[By, typer.Option("--by", help="What to add up by.")] = By.DAY,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="From this day on; else from the beginning."),
    ] = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Compare with the account's own usage; needs an admin's key.")
    ] = False,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Show what was spent, what is in doubt, and what the caps leave."""
    from flows.cli import spending
    from flows.money.spending import spending as add_up

    ws, day = workspace(project, config), since.date() if since else None
    if reconcile:
        import asyncio

        from flows.money.billing import compare

        bill = asyncio.run(compare(ws, day))
        spending.show_bill(bill, as_json=as_json)
        return 0 if bill.explained else 3
    found = add_up(ws, by.value, day)
    spending.show(found, as_json=as_json)
    return 4 if found.doubts else 0
