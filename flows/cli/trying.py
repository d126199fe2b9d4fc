"""The verbs that need no key: the offline API, and the demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.base import Project, app, example, workspace
from flows.errors import UserError


@app.command(epilog=example("ideoflow sandbox --port 8787"))
def sandbox(
    port: Annotated[int, typer.Option("--port", help="Where to listen, on loopback.")] = 8787,
    state: Annotated[Path | None, typer.Option("--state", help="Where its ledger lives.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Flat pictures, drawn at once.")] = False,
    project: Project = None,
) -> int:
    """Run the offline Ideogram API: real routes, real money rules, nothing billed. The key is `sandbox`."""
    from flows.sandbox.config import SandboxConfig
    from flows.sandbox.server import serve

    folder = state or workspace(project, None).sandbox_state

    def ready(url: str) -> None:
        typer.echo(f"sandbox at {url}, its ledger at {url}/sandbox/ledger; stop it with Ctrl-C")
        typer.echo(f"use it with IDEOFLOW_API__BASE_URL={url} IDEOGRAM_API_KEY=sandbox ideoflow generate")

    try:
        serve("127.0.0.1", port, SandboxConfig(folder, pictures="plain" if plain else "rich"), ready)
    except OSError as error:
        raise UserError(f"the sandbox cannot run on port {port} with {folder}: {error.strerror or error}") from error
    return 0


@app.command(epilog=example("ideoflow demo --fresh"))
def demo(project: Project = None, fresh: Annotated[bool, typer.Option("--fresh", help="Begin again.")] = False) -> int:
    """The main job on the sandbox, then a campaign bought while being killed again and again."""
    from flows.demo import show

    return show(project, fresh=fresh)
