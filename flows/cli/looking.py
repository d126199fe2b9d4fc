"""The verbs that look at what was bought and what it cost: history, spend."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.base import Config, Json, Project, app, example, workspace


class By(StrEnum):
    """What `spend` adds up by."""

    DAY = "day"
    CAMPAIGN = "campaign"
    MODEL = "model"
    BRAND = "brand"


@app.command(epilog=example("ideoflow history poster --out images.csv"))
def history(
    words: Annotated[list[str] | None, typer.Argument(help="Words that prompt, name or model must hold.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the rows: .csv, .json or .parquet.")] = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """List what was bought, and whether it is still there; search prompts in any case."""
    from flows.cli import tables
    from flows.cli.exporting import export
    from flows.history.queries import find

    ws = workspace(project, config)
    asked = words or []
    if out is None:
        tables.history(find(ws.parts, ws.assets, asked), ws, words_=asked, as_json=as_json)
    else:
        export(lambda: find(ws.parts, ws.assets, asked), out, as_json=as_json)
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
