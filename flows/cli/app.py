"""The command line as a program: every verb, and how each kind of error ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from flows import heaps

# Importing them is what adds their verbs.
from flows.cli import (  # noqa: F401
    auditing,
    buying,
    handing,
    keeping,
    looking,
    repeating,
    scheduling,
    starting,
    taking,
    telling,
    trying,
)
from flows.cli.base import app
from flows.errors import IdeoflowError, InvalidInput


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, that of the process if none is given; ends in SystemExit."""
    heaps.shared_with_arrow()
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
        import traceback

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
