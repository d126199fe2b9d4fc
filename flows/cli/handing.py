"""The verb that hands pictures out: export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import completing
from flows.cli.base import Config, Json, Project, app, example, workspace

if TYPE_CHECKING:
    from flows.export.run import Handed

SHOWN = 10


@app.command(epilog=example("ideoflow export --to handover --select campaign:spring --embed"))
def export(
    to: Annotated[str, typer.Option("--to", help="Where to: a folder, or an address such as s3://bucket/folder.")],
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            "-s",
            help="Only these: an image id, prompt id or variant, tag:x, campaign:x, brand:x, state:approved. Repeats: "
            "of one kind any, of several kinds all must hold.",
            autocompletion=completing.had,
        ),
    ] = None,
    embed: Annotated[
        bool, typer.Option("--embed", help="Write prompt, tool, source type and id into the copies, as XMP.")
    ] = False,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Copy pictures out under human names, with an index, a record each and a note; again copies only what is new.

    Without state: in --select it is what is kept and not rejected.

    A changed label renames the copy; what was exported before stays.

    Originals are never touched, nor anything inside a C2PA-signed picture.
    """
    from flows.cli.watching import watched
    from flows.export.run import Ask, destination, hand_out

    ws = workspace(project, config)
    place = destination(ws, to)
    with watched("exporting", quiet=as_json) as (tell, stop):
        done = hand_out(ws, place, Ask(tuple(select or ()), embed), tell=tell, stop=stop)
    _show(done, as_json=as_json)
    return 4 if done.undone or done.skipped else 0


def _show(done: Handed, *, as_json: bool) -> None:
    from flows.cli.printing import console, emit, near, sentence
    from flows.export import index
    from flows.report import words

    if as_json:
        emit(
            {
                "to": done.to,
                "images": done.images,
                **{str(act): number for act, number in done.acts.items()},
                "embedded": done.embedded,
                "beside": done.beside,
                "earlier": done.earlier,
                "undone": done.undone,
                "stopped": done.stopped,
                "skipped": [vars(one) for one in done.skipped],
            }
        )
        return
    out = console()
    what = ", ".join(f"{number:,} {act}" for act, number in done.acts.items() if number) or "nothing to copy"
    out.print(f"[bold]{words.count(done.images, 'image')}[/] at {near(done.to)}: {what}", soft_wrap=True)
    if done.embedded or done.beside:
        aside = f", {done.beside:,} have an .xmp beside them" if done.beside else ""
        out.print(f"         {done.embedded:,} say inside where they come from{aside}", soft_wrap=True)
    if done.earlier:
        out.print(f"         {words.count(done.earlier, 'copy', 'copies')} of before stay as they are", soft_wrap=True)
    for one in done.skipped[:SHOWN]:
        sentence(out, f"! {one.variant} ({one.image_id}): {one.why}", "yellow")
    if len(done.skipped) > SHOWN:
        out.print(f"[yellow]! and {len(done.skipped) - SHOWN:,} more[/]")
    if done.undone:
        out.print("next     the same command again, it goes on from here")
    else:
        out.print(f"next     {index.CSV} lists them, {index.NOTE} goes with them", soft_wrap=True)
