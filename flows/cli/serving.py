"""The serve verb: a server if none is configured, the deployments, words about both, and a clean end."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import typer

from flows.errors import Unfinished
from flows.orchestrator import Served, lasting_server, prefect_configured
from flows.orchestrator.deployments import Deployment, deployments, schedule_of
from flows.pipeline.kit import Stop
from flows.settings import Schedule, Settings
from flows.signals import stopping
from flows.workspace import Workspace

_SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # What Prefect says of itself while all is well; the runs themselves are heard all the same.
    "PREFECT_LOGGING_INTERNAL_LEVEL": "ERROR",
}
# Prefect takes these for parts of a path or of a page.
_BANNED = re.compile(r"[/%&<>]+")
Plan = Sequence[tuple[Deployment, Schedule | None]]


def serve(ws: Workspace, config: Sequence[str], port: int) -> int:
    """The exit code, after somebody asked it to end."""
    if not ws.settings.sandboxed:
        ws.settings.key()  # better said now than by every run
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    stop = Stop()
    found, missing = deployments()
    plan = [(deployment, schedule_of(ws.settings.schedules, deployment)) for deployment in found]
    with stopping(stop, insist=False), _server(ws.settings, port) as server:
        for deployment in missing:
            typer.echo(f"{deployment.flow:<9} left out: this installation has no such flow yet")
        if not stop:
            _serve(ws, config, plan, server, stop)
    typer.echo("stopped; what was cut short goes on with the next run")
    return 0


@contextlib.contextmanager
def _server(settings: Settings, port: int) -> Iterator[Served | None]:
    """The project's own, or None where another is configured."""
    if prefect_configured(os.environ):
        yield None
        return
    with lasting_server(os.environ, settings.project, port, typer.echo) as server:
        yield server


def _serve(ws: Workspace, config: Sequence[str], plan: Plan, server: Served | None, stop: Stop) -> None:
    # Not sooner: Prefect reads its settings when it is imported.
    from flows.runtime.serving import Order
    from flows.runtime.serving import serve as run

    def over() -> bool:
        return bool(stop) or (server is not None and not server.alive())

    def ready() -> None:
        for deployment, schedule in plan:
            typer.echo(f"{deployment.flow:<9} {_when(schedule, ws.now())}")
        pages = f"{server.ui}/deployments" if server else "on your server"
        typer.echo(f"serving; Prefect's pages: {pages}. Ctrl-C ends it")

    def warn(text: str) -> None:
        typer.echo(f"warning: {text}", err=True)

    project = ws.settings.project
    common = {"project": str(project), "config": list(config)}
    orders = [
        Order(
            name=_BANNED.sub("-", project.name) or "ideoflow",
            entrypoint=deployment.entrypoint,
            description=deployment.description,
            parameters={**deployment.parameters, **common},
            cron=schedule.cron if schedule else None,
            timezone=schedule.timezone if schedule else None,
        )
        for deployment, schedule in plan
    ]
    # On a server of others nothing is scheduled while we are away; on our own there is no one to schedule it.
    run(orders, pause=server is None, alone=server is not None, until=over, ready=ready, warn=warn)
    if server is not None and not stop:
        raise Unfinished("Prefect's server ended by itself; its own words are in server.log beside its database")


def _when(schedule: Schedule | None, now: datetime) -> str:
    if schedule is None:
        return "only when started by hand"
    return f"{schedule}; next {schedule.after(now):%a %d %b %Y, %H:%M}"
