"""How retention looks on a terminal: what goes and why, what was restored, what was decided."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict, replace

import typer
from rich.markup import escape
from rich.table import Table

from flows.cli import printing
from flows.cli.watching import watched
from flows.errors import Refused
from flows.keeping import run as keeping
from flows.keeping.outlook import Wish
from flows.keeping.verdicts import Settled
from flows.orchestrator import prefect_configured, prefect_ready
from flows.report import words
from flows.report.keeping import KeepingReport, headline, to_json
from flows.workspace import Workspace

SHOWN = 20
_COLOURS = {"purged": "red", "trashed": "yellow", "restored": "green", "in the trash": "dim", "kept": ""}


def retain(ws: Workspace, wish: Wish, config: list[str], *, details: bool, as_json: bool, prefect: bool | None) -> int:
    """The exit code of the run. `prefect` None: as a flow run where a Prefect server is configured."""
    policy = ws.retention_policy()
    if wish.apply and not policy.enabled:
        what = f"{policy.file} is switched off" if policy.digest else f"there is no {policy.file}"
        raise Refused(f"{what}: look at what it would do (`ideoflow retain`), then set `enabled: true` in it")
    as_flow = prefect_configured(os.environ) if prefect is None else prefect
    if as_flow:
        prefect_ready(say=lambda text: typer.echo(text, err=True))
    with watched("clearing up", quiet=as_json) as (tell, stop):
        if as_flow:
            from flows.retain import run_flow

            report, where = run_flow(wish, str(ws.settings.project), config, tell, stop)
        else:
            report, where = asyncio.run(keeping.retain(ws, wish, tell=tell, stop=stop))
    show(report, where, details=details, as_json=as_json)
    return report.exit_code


def show(report: KeepingReport, where: str, *, details: bool, as_json: bool) -> None:
    """The run: the policy in English, sums by campaign and reason, single decisions where they are asked for."""
    if as_json:
        typer.echo(to_json(report), nl=False)
        return
    report = replace(report, assets=printing.near(report.assets), history=printing.near(report.history))
    out = printing.console()
    out.print(escape(report.paragraph))
    out.print()
    out.print(_groups(report))
    for one in report.examples if details else ():
        printing.sentence(out, f"  {one.name}  {one.image_id}  {one.says}")
    for problem in report.problems:
        printing.sentence(out, f"! {problem.subject}: {problem.happened}", "yellow")
        printing.sentence(out, f"    {problem.remedy}")
    for note in report.notes:
        printing.sentence(out, f"note     {note}")
    colour = "yellow" if report.exit_code else "green"
    out.print(f"[bold {colour}]{escape(headline(report))}[/]", soft_wrap=True)
    if report.freed:
        out.print(f"freed    {words.size(report.freed)}")
    if where:
        out.print(f"report   {printing.linked(where, printing.near(where))}", soft_wrap=True)
    out.print(escape(f"next     {report.next_step}"), soft_wrap=True)


def _groups(report: KeepingReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title=None)
    for name, side in (("", "left"), ("campaign", "left"), ("reason", "left")):
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]  # a word of rich's
    for name in ("images", "size", "oldest"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in report.lines[:SHOWN]:
        cells = (one.campaign or "-", one.reason, f"{one.images:,}", words.size(one.bytes), f"{one.oldest:%Y-%m-%d}")
        table.add_row(one.outcome, *(escape(cell) for cell in cells), style=_COLOURS[one.outcome])
    if len(report.lines) > SHOWN:
        table.add_row("", "", f"and {len(report.lines) - SHOWN} more: see --json", "", "", "")
    return table


def show_restored(done: Sequence[Settled], *, as_json: bool) -> None:
    """What came out of the trash."""
    if as_json:
        printing.emit([asdict(one) for one in done])
        return
    out = printing.console()
    for one in done[:SHOWN]:
        out.print(escape(f"{one.id}  {one.name}  {one.verdict}  {one.note}"), soft_wrap=True)
    _rest(len(done))
    held = bool(done) and "hold" in done[0].verdict
    after = (
        "`ideoflow decide release ID` gives it back to the policy" if held else "the next run goes by its rules again"
    )
    out.print(f"next     {words.count(len(done), 'picture')} restored; {after}", soft_wrap=True)


def show_decided(done: Sequence[Settled], *, as_json: bool) -> None:
    """What is on record now, and what was already."""
    if as_json:
        printing.emit([asdict(one) for one in done])
        return
    out = printing.console()
    for one in done[:SHOWN]:
        stood = "" if one.changed else "  (stood already)"
        out.print(escape(f"{one.id}  {one.name}  {one.verdict}{stood}"), soft_wrap=True)
    _rest(len(done))
    for note in sorted({one.note for one in done if one.note}):
        printing.sentence(out, f"note     {note}")
    changed = sum(one.changed for one in done)
    replaced = any("buys another" in one.note for one in done)
    after = "`ideoflow plan` shows what it buys" if replaced else "`ideoflow history` shows how they stand"
    what = words.count(changed, "decision") if changed else "nothing new"
    out.print(f"next     {what} on record; {after}", soft_wrap=True)


def _rest(number: int) -> None:
    if number > SHOWN:
        typer.echo(f"and {number - SHOWN} more")
