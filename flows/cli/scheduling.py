"""The verbs that need nobody: maintain, and serve, which runs all four flows when they are due."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.base import Config, Project, app, workspace


@app.command()
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
