"""The generate verb: show the plan, ask, run it plainly or as a Prefect flow, print what came of it."""

from __future__ import annotations

import asyncio
import os
import sys

import typer

from flows.campaign.run import generate as campaign
from flows.campaign.steps import Ask, Prepared, prepare
from flows.cli import printing, tables
from flows.cli.watching import watched
from flows.errors import Refused
from flows.orchestrator import prefect_configured, prefect_ready
from flows.report import words
from flows.workspace import Workspace


def generate(
    ws: Workspace,
    ask: Ask,
    config: list[str],
    *,
    yes: bool,
    as_json: bool,
    prefect: bool | None,
) -> int:
    """The exit code of the run. `prefect` None: as a flow run where a Prefect server is configured."""
    # A key that is missing is better said before the question than after it.
    ws.settings.key()

    desk = None
    if not yes:
        prepared = prepare(ws, ask)
        _agreed(prepared, as_json=as_json)
        desk = prepared.desk
    as_flow = prefect_configured(os.environ) if prefect is None else prefect
    if as_flow:
        prefect_ready(say=lambda text: typer.echo(text, err=True))
    with watched("buying", quiet=as_json) as (tell, stop):
        if as_flow:
            from flows.generate import run_flow

            report, where = run_flow(ask, str(ws.settings.project), config, tell, stop)
        else:
            report, where = asyncio.run(campaign(ws, ask, tell=tell, stop=stop, desk=desk))
    printing.report(report, where, as_json=as_json)
    return report.exit_code


def _agreed(prepared: Prepared, *, as_json: bool) -> None:
    """On a terminal show the plan and ask; elsewhere nothing is bought without --yes."""
    if not prepared.plan.buy:
        return
    images, price = words.count(prepared.plan.buy, "image"), words.money(prepared.plan.cost)
    if as_json or not sys.stdin.isatty():
        raise Refused(f"this would buy {images} for {price}: say --yes")
    tables.plan(prepared, as_json=False)
    typer.confirm(f"\nBuy {images} for {price}?", abort=True, default=True)
