"""The audit verb: measure, report, and say where the page is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.base import Config, Json, Project, app, example, workspace


@app.command(epilog=example("ideoflow audit", "ideoflow audit --junit audit.xml --json"))
def audit(
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the result as JUnit XML too, for a build server.")
    ] = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
    prefect: Annotated[
        bool | None,
        typer.Option("--prefect/--no-prefect", help="As a Prefect flow run; by default where an API is set."),
    ] = None,
) -> int:
    """Measure every picture against its brand and its record: one page, and exit 3 past the gate.

    Colours, lettering, duplicates, metadata, files and delivery, by configs/audit.yaml and the brand's file.

    Buys nothing, changes no picture.
    """
    import asyncio

    from flows.auditing import audit as carry_out
    from flows.cli.printing import near, summary
    from flows.cli.watching import watched
    from flows.orchestrator import prefect_configured, prefect_ready
    from flows.report.audit.as_json import to_json
    from flows.report.audit.ending import summary_lines
    from flows.report.audit.junit import to_junit

    ws = workspace(project, config)
    as_flow = prefect_configured(os.environ) if prefect is None else prefect
    if as_flow:
        prefect_ready(say=lambda text: typer.echo(text, err=True))
    with watched("auditing", quiet=as_json) as (tell, stop):
        if as_flow:
            from flows.audit import run_flow

            done, where = run_flow(str(ws.settings.project), config or [], tell, stop)
        else:
            done, where = asyncio.run(carry_out(ws, tell=tell, stop=stop))
    if junit is not None:
        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_bytes(to_junit(done))
    if as_json:
        typer.echo(to_json(done), nl=False)
    else:
        summary([*summary_lines(done)], where, well=not done.exit_code)
        if junit is not None:
            typer.echo(f"junit    {near(str(junit.absolute()))}")
    return done.exit_code
