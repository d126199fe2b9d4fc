"""The command itself and the options that many verbs share; each verb stands in the module of its room."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from flows.cli import completing

if TYPE_CHECKING:
    from flows.workspace import Workspace

# In the order people meet them; a test sees to it that none is forgotten.
VERBS = (
    *("init", "doctor", "validate", "plan", "generate", "recover", "history", "whois", "sql", "spend"),
    *("decide", "audit", "retain", "restore", "maintain", "reproduce", "export", "import", "serve", "sandbox", "demo"),
)


# What the parser shows for a type, and what people are shown.
_KINDS = {"path": "FILE", "int": "NUMBER", "int range": "NUMBER", "float range": "NUMBER", "%Y-%m-%d": "DAY"}


class Verbs(TyperGroup):
    """The verbs as `--help` lists them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of `VERBS`, any other after them."""
        known = {name: place for place, name in enumerate(VERBS)}
        return sorted(super().list_commands(ctx), key=lambda name: known.get(name, len(known)))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A verb whose help says what to write in words."""
        command = super().get_command(ctx, cmd_name)
        for param in command.get_params(ctx) if command else ():
            _in_words(param, ctx)
        return command

    def get_params(self, ctx: Any) -> list[Any]:
        """The options of the program itself, in words too."""
        params = super().get_params(ctx)
        for param in params:
            _in_words(param, ctx)
        return params


def _in_words(param: Any, ctx: Any) -> None:
    """What an option takes, for people: `<list[str]>` is no word of theirs, and a flag takes nothing."""
    if param.metavar is None and param.param_type_name == "option":
        kind = "" if param.is_flag else str(param.display_type(ctx)).strip("<>")
        param.metavar = kind if not kind or "|" in kind else _KINDS.get(kind, "TEXT")


app = typer.Typer(
    cls=Verbs,
    name="ideoflow",
    help="Turn prompts.yaml into brand images with Ideogram, and keep them: nothing paid twice, nothing paid for lost.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Try it without a key: by default an offline sandbox stands in. `ideoflow plan`, then `ideoflow generate`.",
)


def example(*lines: str) -> str:
    """The end of a verb's --help: commands as they are typed, which a test takes from there and runs."""
    return "\n\n".join(["[bold]Example[/]", *(f"$ {line}" for line in lines)])


Project = Annotated[
    Path | None, typer.Option("--project", metavar="DIR", help="The project's folder.", envvar="IDEOFLOW_PROJECT")
]
Config = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        "-c",
        metavar="NAME",
        help="An overlay: a file, or a name such as s3. Repeats.",
        autocompletion=completing.overlays,
    ),
]
Manifest = Annotated[
    list[str] | None,
    typer.Option("--manifest", "-m", metavar="FILE", help="A manifest: file, glob or fsspec URL. Repeats."),
]
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select",
        "-s",
        metavar="WHAT",
        help="Only this prompt id, variant, tag:x or campaign:x. Repeats.",
        autocompletion=completing.wanted,
    ),
]
Limit = Annotated[int | None, typer.Option("--limit", metavar="IMAGES", min=1, help="Buy at most so many images.")]


Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs, not words for people.")]


def said_again(verb: str, **options: list[str] | str | int | Path | None) -> str:
    """A verb with the options that a person gave to another: advice that is typed as it stands must mean the same."""
    words = ["ideoflow", verb]
    for name, value in options.items():
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            words += [f"--{name}", str(one)]
    return shlex.join(words)


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


def workspace(project: Path | None, config: list[str] | None) -> Workspace:
    from flows.workspace import open_workspace

    return open_workspace(project, config or ())
