"""The generate verb: show the plan, ask, run it plainly or as a Prefect flow, print what came of it."""

from __future__ import annotations

import asyncio
import sys

import typer

from flows.campaign import generate as campaign
from flows.cli import printing
from flows.cli.watching import watched
from flows.errors import Refused
from flows.report import words
from flows.steps import Ask, prepare
from flows.workspace import Workspace


def generate(
    ws: Workspace,
    chosen: tuple[tuple[str, ...], tuple[str, ...], int | None],
    config: list[str],
    *,
    yes: bool,
    as_json: bool,
    prefect: bool | None,
) -> int:
    """The exit code of the run."""
    ask = Ask(*chosen)
    if not yes:
        _agreed(ws, ask, as_json=as_json)
    if prefect:
        raise Refused("not yet")
    with watched("buying", _images(ws, ask), quiet=as_json) as (tell, stop):
        report, where = asyncio.run(campaign(ws, ask, tell=tell, stop=stop))
    printing.report(report, where, as_json=as_json)
    return report.exit_code


def _images(ws: Workspace, ask: Ask) -> int:
    return prepare(ws, ask).plan.buy if sys.stderr.isatty() else 0


def _agreed(ws: Workspace, ask: Ask, *, as_json: bool) -> None:
    """On a terminal show the plan and ask; elsewhere nothing is bought without --yes."""
    prepared = prepare(ws, ask)
    if not prepared.plan.buy:
        return
    price = words.money(prepared.plan.cost)
    if as_json or not sys.stdin.isatty():
        raise Refused(f"this would buy {words.count(prepared.plan.buy, 'image')} for {price}: say --yes")
    printing.plan(prepared, as_json=False)
    typer.confirm(f"\nBuy {words.count(prepared.plan.buy, 'image')} for {price}?", abort=True, default=True)
