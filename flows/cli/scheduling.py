"""The verbs that need nobody: maintain, and serve, which runs all four flows when they are due."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.base import Config, Json, Project, app, example, workspace


@app.command(epilog=example("ideoflow serve --port 4200"))
def serve(
    port: Annotated[int, typer.Option("--port", help="Where Prefect's pages are, on loopback.")] = 4200,
    project: Project = None,
    config: Config = None,
) -> int:
    """Run generate, retain, audit and maintain on the schedules of the settings, until Ctrl-C.

    Starts a Prefect server of the project's own (its database in .prefect) unless one is configured.
    """
    from flows.cli.serving import serve as run

    return run(workspace(project, config), config or [], port)


@app.command(epilog=example("ideoflow maintain --subset today/7", "ideoflow maintain --compact"))
def maintain(
    subset: Annotated[
        str, typer.Option("--subset", help="Read only this share of the pictures: 2/7, or today/7.")
    ] = "",
    compact: Annotated[
        bool, typer.Option("--compact", help="Merge the history's files of closed months too; no row is lost.")
    ] = False,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Finish, seal, measure, and verify every picture against its record. Deletes no picture."""
    import asyncio

    from flows import upkeep
    from flows.cli import printing
    from flows.cli.watching import watched

    ws = workspace(project, config)
    with watched("maintaining", quiet=as_json) as (tell, stop):
        done, where = asyncio.run(upkeep.maintain(ws, subset, compact=compact, tell=tell, stop=stop))
    ended = upkeep.ending(done, where)
    if as_json:
        printing.emit({"flow": ended.flow, "next_step": ended.next_step, **ended.record})
    else:
        printing.summary(ended.lines, where, well=not ended.exit_code)
    return ended.exit_code
