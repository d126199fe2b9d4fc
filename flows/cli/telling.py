"""The verb that asks about one picture: whois."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli import completing
from flows.cli.base import Config, Json, Project, app, example, workspace

if TYPE_CHECKING:
    from flows.recognition import Recognised
    from flows.workspace import Workspace

NOT_OURS = 3
LARGEST = 200_000_000
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"})


@app.command(epilog=example("ideoflow whois 01a2b3c4", "ideoflow whois found.jpg"))
def whois(
    what: Annotated[
        str,
        typer.Argument(
            metavar="ID|FILE",
            help="An image id, or its beginning or end; or a picture.",
            autocompletion=completing.image_or_file,
        ),
    ],
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Tell the whole story of one image, by its id or by a picture found somewhere.

    A picture is known by its digest, or by likeness: then with how sure that is.

    It may be recompressed, resized or slightly cropped. Exit 3: it is not ours.
    """
    from flows.cli.storytelling import not_ours, story
    from flows.history.named import image_named
    from flows.history.story import tell

    ws = workspace(project, config)
    if not _is_file(what):
        story(tell(ws.parts, ws.assets, image_named(ws.parts, what)), ws, as_json=as_json)
        return 0
    found = _recognised(ws, what)
    if not found.matches:
        not_ours(what, found, as_json=as_json)
        return NOT_OURS
    best = tell(ws.parts, ws.assets, found.matches[0].image_id)
    story(best, ws, as_json=as_json, found=found, file=what)
    return 0


def _is_file(what: str) -> bool:
    return "/" in what or Path(what).suffix.lower() in SUFFIXES or Path(what).is_file()


def _recognised(ws: Workspace, file: str) -> Recognised:
    from flows.errors import BadImage, UserError
    from flows.recognition import recognise
    from flows.storage import read_sources

    options: Any = ws.settings.storage.options if "://" in file else None
    # Brackets are a pattern to some, and part of a name to those who saved it.
    sources = [(file, Path(file).read_bytes())] if Path(file).is_file() else []
    sources = sources or read_sources(file, max_bytes=LARGEST, options=options)
    if len(sources) != 1:
        raise UserError(f"{file}: {'no such file' if not sources else 'names several files: ask about one at a time'}")
    if len(sources[0][1]) > LARGEST:
        raise UserError(f"{file} is larger than {LARGEST // 1_000_000} MB: that is no picture of ours")
    try:
        return recognise(ws.parts, sources[0][1])
    except BadImage as error:
        raise UserError(f"{file} is no picture that can be read: {error}") from error
