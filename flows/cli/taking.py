"""The verb that takes collections over: import."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from flows.cli import completing
from flows.cli.base import Config, Json, Manifest, Project, app, example, workspace


class Alike(StrEnum):
    """How alike a picture must be to count for a variant of the manifest."""

    EXACT = "exact"
    PROMPT = "prompt"
    NONE = "none"


@app.command(
    "import",
    epilog=example("ideoflow import old/generated-images.json"),
)
def import_(
    source: Annotated[
        str,
        typer.Argument(metavar="PATH", help="A folder of pictures, a list (.json, .jsonl, .csv), or an fsspec URL."),
    ],
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this it only shows what it would do.")] = False,
    match: Annotated[
        Alike,
        typer.Option(
            "--match",
            help="What counts as a picture of the manifest: the same prompt and model with nothing against it, "
            "exactly the same in everything, or none.",
        ),
    ] = Alike.PROMPT,
    model: Annotated[
        str | None,
        typer.Option("--model", help="The model of records that name none.", autocompletion=completing.models),
    ] = None,
    manifest: Manifest = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Take over pictures you have already, so that they need not be bought again. The originals stay as they are."""
    import asyncio

    from flows.adoption.match import Match
    from flows.adoption.run import Ask, carry_out, survey
    from flows.cli import importing
    from flows.cli.watching import watched
    from flows.errors import Refused
    from flows.ideogram.catalogue import CATALOGUE, find

    if model is not None and find(model) is None:
        raise Refused(f"--model {model} is not in the catalogue: {', '.join(CATALOGUE)}")
    ws = workspace(project, config)
    ask = Ask(source, tuple(manifest or ()), Match(match.value), model)
    with watched("reading", quiet=as_json) as (tell, stop):
        found = survey(ws, ask, tell)
    if not apply:
        importing.surveyed(found, as_json=as_json)
        return importing.code(found)
    with watched("taking over", quiet=as_json) as (tell, stop):
        done = asyncio.run(carry_out(ws, found, tell, stop))
    importing.carried_out(found, done, as_json=as_json)
    return importing.code(found, done)
