"""The verbs of the first hour: init writes a project, doctor looks whether everything is in place."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.base import Config, Json, Project, app, example, workspace

if TYPE_CHECKING:
    from flows.doctor.deployments import Server


@app.command(epilog=example("ideoflow init summer --brand Helio --yes"))
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to; this folder if left out.")] = Path(),
    brand: Annotated[str | None, typer.Option("--brand", help="The brand's name; else the folder's.")] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="The first campaign.")] = None,
    storage: Annotated[
        str | None, typer.Option("--storage", help="Where pictures and history go: a folder, or s3://bucket/folder.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, take the defaults.")] = False,
    as_json: Json = False,
) -> int:
    """Write a new project: manifest, settings, brand. It generates on the sandbox at once; nothing is overwritten."""
    from flows.cli.printing import emit, near
    from flows.starter.answers import CAMPAIGN, DISK, answers, brand_of
    from flows.starter.files import files
    from flows.starter.planting import plant

    root = folder.absolute()
    ask = sys.stdin.isatty() and not yes and not as_json

    def answer(given: str | None, question: str, default: str) -> str:
        if given is not None or not ask:
            return default if given is None else given
        return str(typer.prompt(question, default=default, err=True))

    said = answers(
        answer(brand, "The brand's name", brand_of(root)),
        answer(campaign, "The first campaign", CAMPAIGN),
        answer(storage, "Pictures and history go into (a folder, or s3://bucket/folder)", DISK),
    )
    done = plant(root, files(said))
    step = "" if root == Path.cwd() else f"cd {shlex.quote(near(str(root)))} && "
    if as_json:
        emit({"project": str(root), "written": done.written, "same": done.same, "kept": done.kept})
        return 0
    for name in done.written:
        typer.echo(f"written  {name}")
    for name in done.kept:
        typer.echo(f"kept     {name}, which was there and says something else")
    if not done.written:
        typer.echo("nothing to write, the project is complete")
    typer.echo(f"next     `{step}ideoflow plan` shows what the example would cost (on the sandbox: nothing)")
    return 0


@app.command(epilog=example("ideoflow doctor", "ideoflow doctor --config production --fix"))
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Do what is safe: dead locks, stale files, schemas.")] = False,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Look whether all is in place: key, storage rights, clocks, disk, journal, versions, Prefect. Buys nothing."""
    from flows.cli.checking import show
    from flows.doctor.examine import examine, without_project
    from flows.doctor.mend import mend
    from flows.errors import UserError

    try:
        ws = workspace(project, config)
    except UserError as error:
        return show(without_project(error), (), as_json=as_json)
    done = mend(ws) if fix else []
    return show(examine(ws, _prefect()), done, as_json=as_json)


def _prefect() -> Callable[[], Server] | None:
    """How to ask the Prefect server; None where none is configured. Importing Prefect takes a second."""
    from flows.orchestrator import prefect_configured, quieten

    if not prefect_configured(os.environ):
        return None

    def look() -> Server:
        quieten(os.environ)
        from flows.runtime.deployed import look

        return look()

    return look
