"""The verbs that keep and clear up: retain, restore, decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import completing
from flows.cli.base import Config, Json, Manifest, Project, app, example, workspace


@app.command(epilog=example("ideoflow retain", "ideoflow retain --apply"))
def retain(
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this nothing is changed.")] = False,
    max_fraction: Annotated[
        float | None,
        typer.Option("--max-fraction", min=0.01, max=1, help="Let this run trash up to so much of a brand: 0.6."),
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="Every decision that changes something.")] = False,
    manifest: Manifest = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
    prefect: Annotated[
        bool | None,
        typer.Option("--prefect/--no-prefect", help="As a Prefect flow run; by default where an API is set."),
    ] = None,
) -> int:
    """Show what the retention policy would do and why, or do it (--apply): first to the trash, later for good."""
    from flows.cli.clearing import retain as run
    from flows.keeping.outlook import Wish

    wish = Wish(apply, max_fraction, tuple(manifest or ()))
    return run(workspace(project, config), wish, config or [], details=details, as_json=as_json, prefect=prefect)


@app.command(epilog=example("ideoflow restore 01a2b3c4"))
def restore(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="ID...",
            help="Images, or retention runs; beginnings of ids will do.",
            autocompletion=completing.image_ids,
        ),
    ],
    release: Annotated[
        bool, typer.Option("--release", help="Do not put it on hold: the next run may trash it again.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "",
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Take pictures out of the trash again, and put them on hold so that the policy leaves them alone."""
    from flows.cli.clearing import show_restored
    from flows.keeping.verdicts import restore as bring_back

    ws = workspace(project, config)
    done = bring_back(ws, names, hold=not release, reason=reason)
    show_restored(done, as_json=as_json)
    return 0


@app.command(epilog=example("ideoflow decide hold 01a2b3c4 --reason 'print run'", "ideoflow decide --from review.csv"))
def decide(
    verdict: Annotated[
        str | None, typer.Argument(help="hold, release, approve, reject, or accept (a finding of the audit).")
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID...", help="Images, or findings; beginnings of ids will do.", autocompletion=completing.image_ids
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="With reject: the next `generate` buys another one in its place.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--from", help="Decisions of a YAML or CSV file; those made already are left alone.")
    ] = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Hold, release, approve or reject pictures, or accept findings: on record with who, when and which bytes."""
    from flows.cli.clearing import show_decided
    from flows.keeping.verdicts import decide as settle

    ws = workspace(project, config)
    done = settle(ws, verdict, names or [], reason=reason, replace=replace, file=file)
    show_decided(done, as_json=as_json)
    return 0
