"""The verbs and their options."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from flows.errors import IdeoflowError, InvalidInput, UserError

if TYPE_CHECKING:
    from flows.workspace import Workspace

app = typer.Typer(
    name="ideoflow",
    help="Turn prompts.yaml into brand images with Ideogram, and keep them: nothing paid twice, nothing paid for lost.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Try it without a key: by default an offline sandbox stands in. `ideoflow plan`, then `ideoflow generate`.",
)

Project = Annotated[Path | None, typer.Option("--project", help="The project's folder.", envvar="IDEOFLOW_PROJECT")]
Config = Annotated[
    list[str] | None, typer.Option("--config", "-c", help="An overlay: a file, or a name such as s3. Repeats.")
]
Manifest = Annotated[
    list[str] | None, typer.Option("--manifest", "-m", help="A manifest: file, glob or fsspec URL. Repeats.")
]
Select = Annotated[
    list[str] | None, typer.Option("--select", "-s", help="Only this prompt id, variant, tag:x or campaign:x. Repeats.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Buy at most so many images.")]


class By(StrEnum):
    """What `spend` adds up by."""

    DAY = "day"
    CAMPAIGN = "campaign"
    MODEL = "model"
    BRAND = "brand"


Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs, not words for people.")]


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, that of the process if none is given; ends in SystemExit."""
    try:
        code = app(None if argv is None else list(argv), standalone_mode=False, prog_name="ideoflow")
        sys.stdout.flush()
    except InvalidInput as error:
        # Editors and terminals find the places at the beginnings of lines.
        typer.echo(_encodable(str(error)), err=True)
        count = len(error.problems)
        _say(f"{count} problem{'s' if count > 1 else ''}, nothing was changed")
        code = error.exit_code
    except IdeoflowError as error:
        _say(str(error))
        code = error.exit_code
    except typer.TyperException as error:
        _say(_usage(error))
        code = 2
    except typer.Abort:
        typer.echo("nothing was changed", err=True)
        code = 2
    except KeyboardInterrupt:
        code = 4
    except BrokenPipeError:  # whoever read our words has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:  # a disk, a socket: out of our hands, and no bug
        _say(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
        code = 4
    except Exception:  # noqa: BLE001  a bug, and said to be one
        traceback.print_exc()
        _say("this is a bug, please report it with the lines above")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _say(text: str) -> None:
    typer.echo(f"ideoflow: {_encodable(text)}", err=True)


def _encodable(text: str) -> str:
    """A manifest can spell half a surrogate pair, and a message quotes it."""
    return text.encode("utf-8", "backslashreplace").decode()


def _usage(error: typer.TyperException) -> str:
    """What was wrong with the words of the command, in one line, with where to read more."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "ideoflow"
    said = " ".join(error.format_message().split()).rstrip(".")
    return f"{said}. See `{path} --help`" if said else f"see `{path} --help`"


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ideoflow {version('ideoflow')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def _workspace(project: Path | None, config: list[str] | None) -> Workspace:
    from flows.workspace import open_workspace

    return open_workspace(project, config or ())


@app.command()
def validate(
    manifest: Annotated[list[str] | None, typer.Argument(help="Manifests; those of the settings if left out.")] = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Check manifests, settings and prices: every problem at once, with its place and its remedy."""
    from flows.cli.printing import validated
    from flows.ideogram.catalogue import price_tier

    ws = _workspace(project, config)
    loaded = ws.manifests(tuple(manifest or ()))
    price = ws.prices()
    for variant in loaded.variants:
        price(variant.model, price_tier(variant.endpoint, variant.options))
    validated(loaded, as_json=as_json)
    return 0


@app.command()
def plan(
    manifest: Manifest = None,
    select: Select = None,
    limit: Limit = None,
    project: Project = None,
    config: Config = None,
    quote: Annotated[bool, typer.Option("--quote", help="Ask the API for exact prices, once a day; free.")] = False,
    as_json: Json = False,
) -> int:
    """Show what would be bought, why, and for how much. Buys nothing."""
    from flows.cli import tables
    from flows.cli.quoting import quoted
    from flows.steps import Ask, prepare

    ws = _workspace(project, config)
    ask = Ask(tuple(manifest or ()), tuple(select or ()), limit)
    quotation = quoted(ws, ask, quiet=as_json) if quote else None
    prepared = prepare(ws, ask)
    tables.plan(prepared, as_json=as_json, quotation=quotation)
    return 4 if prepared.doubts else 0


@app.command()
def generate(
    manifest: Manifest = None,
    select: Select = None,
    limit: Limit = None,
    retry: Annotated[
        str | None, typer.Option("--retry", help="Buy these paid images again: withheld, lost, or both: withheld,lost.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
    prefect: Annotated[
        bool | None,
        typer.Option("--prefect/--no-prefect", help="As a Prefect flow run; by default where an API is set."),
    ] = None,
) -> int:
    """Buy what is missing, download it, store it, record it. Killed at any moment, the next run goes on."""
    from flows.cli.generating import generate as run
    from flows.steps import Ask

    again = tuple(word.strip() for word in (retry or "").split(",") if word.strip())
    ask = Ask(tuple(manifest or ()), tuple(select or ()), limit, again)
    return run(_workspace(project, config), ask, config or [], yes=yes, as_json=as_json, prefect=prefect)


@app.command()
def recover(
    resubmit: Annotated[
        list[str] | None, typer.Option("--resubmit", help="It did not run: buy it again. A request id, or all.")
    ] = None,
    write_off: Annotated[
        list[str] | None, typer.Option("--write-off", help="It was billed and is lost: do not buy it again.")
    ] = None,
    generation: Annotated[
        str | None, typer.Option("--generation", help="It ran: this is its generation id, fetch it.")
    ] = None,
    request: Annotated[str | None, typer.Option("--request", help="Which request --generation answers.")] = None,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Finish what earlier runs left, and settle requests that are in doubt."""
    from flows.cli import tables
    from flows.cli.watching import watched
    from flows.recovery import Verdicts
    from flows.recovery import recover as settle

    verdicts = Verdicts(tuple(resubmit or ()), tuple(write_off or ()), generation, request)
    ws = _workspace(project, config)
    with watched("recovering", quiet=as_json) as (tell, stop):
        done = asyncio.run(settle(ws, verdicts, tell, stop))
    tables.recovered(done, as_json=as_json)
    return 4 if done.doubts or done.stopped or done.tally.total("unfinished") else 0


@app.command()
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

    ws = _workspace(project, config)
    asked = words or []
    if out is None:
        tables.history(find(ws.parts, ws.assets, asked), ws, words_=asked, as_json=as_json)
    else:
        export(lambda: find(ws.parts, ws.assets, asked), out, as_json=as_json)
    return 0


@app.command()
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

    ws, day = _workspace(project, config), since.date() if since else None
    if reconcile:
        from flows.money.billing import compare

        bill = asyncio.run(compare(ws, day))
        spending.show_bill(bill, as_json=as_json)
        return 0 if bill.explained else 3
    found = add_up(ws, by.value, day)
    spending.show(found, as_json=as_json)
    return 4 if found.doubts else 0


@app.command()
def sandbox(
    port: Annotated[int, typer.Option("--port", help="Where to listen, on loopback.")] = 8787,
    state: Annotated[Path | None, typer.Option("--state", help="Where its ledger lives.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Flat pictures, drawn at once.")] = False,
    project: Project = None,
) -> int:
    """Run the offline Ideogram API: real routes, real money rules, nothing billed. The key is `sandbox`."""
    from flows.sandbox.config import SandboxConfig
    from flows.sandbox.server import serve

    folder = state or _workspace(project, None).sandbox_state

    def ready(url: str) -> None:
        typer.echo(f"sandbox at {url}, its ledger at {url}/sandbox/ledger; stop it with Ctrl-C")
        typer.echo(f"use it with IDEOFLOW_API__BASE_URL={url} IDEOGRAM_API_KEY=sandbox ideoflow generate")

    try:
        serve("127.0.0.1", port, SandboxConfig(folder, pictures="plain" if plain else "rich"), ready)
    except OSError as error:
        raise UserError(f"the sandbox cannot run on port {port} with {folder}: {error.strerror or error}") from error
    return 0


@app.command()
def demo(project: Project = None, fresh: Annotated[bool, typer.Option("--fresh", help="Begin again.")] = False) -> int:
    """The main job on the sandbox, then a campaign bought while being killed again and again."""
    from flows.demo import show

    return show(project, fresh=fresh)
