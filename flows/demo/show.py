"""Both acts of the demonstration, and what is said about them."""

from __future__ import annotations

import os
import random
import shutil
from collections import defaultdict
from decimal import Decimal
from pathlib import Path, PurePosixPath

import typer
from rich.markup import escape
from rich.table import Table

from flows.campaign.steps import Ask, prepare
from flows.cli import printing
from flows.cli.watching import watched
from flows.demo.encore import encore
from flows.demo.offline import offline, shipped, with_shipped_manifest
from flows.history.queries import find
from flows.orchestrator import prefect_ready
from flows.report import words
from flows.settings import load_settings
from flows.starter.files import Planted
from flows.starter.planting import plant
from flows.storage import read_sources
from flows.workspace import Workspace, open_workspace


def show(project: Path | None, *, fresh: bool, seed: int | None = None) -> int:
    """The exit code: 0 when everything wanted is there and nothing was paid for twice.

    The first act adds to the project's own `data/`, where sandbox pictures never stand for real ones; the second
    has a folder to itself, which `fresh` empties before.
    """
    root = load_settings(project, (), {}, Path.cwd()).settings.project
    data = root / "data"
    if fresh:
        shutil.rmtree(data / "encore", ignore_errors=True)
    code = _campaign(root, offline(data))
    if code:
        return code
    typer.echo("\nNow the same with the plug pulled: a second, small campaign, whose process is\nkilled in mid-run.")
    count = encore(root, data / "encore", typer.echo, random.Random(seed))
    out = printing.console()
    good = count.wanted == count.paid == count.kept and not count.paid_twice
    out.print(f"\n[bold {'green' if good else 'red'}]{count}[/]   [dim](by the sandbox's own ledger)[/]")
    where = printing.linked(str(data), f"{printing.near(str(data))}/")
    out.print("next     `ideoflow audit` holds the pictures against the brand, on one page", soft_wrap=True)
    out.print(f"         they are in {where}; run the demo again and it pays for nothing", soft_wrap=True)
    return 0 if good else 4


def _campaign(root: Path, environ: dict[str, str]) -> int:
    ws = open_workspace(root, (), environ)
    if not any(read_sources(ws.settings.locate(place), max_bytes=1) for place in ws.settings.generate.manifests):
        if (root / "configs").exists():  # somebody's project, which has its manifest elsewhere: nothing is added to it
            environ = with_shipped_manifest(environ)
        else:
            # With brand and tolerances beside it, so that the audit and every other verb work here afterwards.
            files = {name: Planted(path.read_text(encoding="utf-8")) for name, path in shipped().items()}
            typer.echo("written here: " + ", ".join(plant(root, files).written))
        ws = open_workspace(root, (), environ)
    prepared = prepare(ws, Ask())
    plan = prepared.plan
    source = "prompts.yaml" if len(prepared.loaded.files) == 1 else words.count(len(prepared.loaded.files), "manifest")
    wanted = words.count(sum(item.wanted for item in plan.items), "image")
    typer.echo(f"{source}: {wanted} wanted, {plan.buy} to buy from the embedded sandbox")
    typer.echo("(no key, no network, nothing billed)\n")
    _be_ready(environ)
    with watched("buying") as (tell, stop):
        from flows.generate import run_flow  # noqa: PLC0415  Prefect reads its settings when it is imported

        report, where = run_flow(Ask(), str(ws.settings.project), [], tell, stop)
    _made(ws)
    printing.report(report, where, as_json=False, last=report.exit_code != 0)
    return report.exit_code


def _be_ready(environ: dict[str, str]) -> None:
    """For the flow, whose settings come from the process's environment as a worker's do: ours alone, then."""
    for name in [name for name in os.environ if name.startswith("IDEOFLOW_")]:
        del os.environ[name]
    os.environ.update(environ)
    # Nothing is to leave this machine, and what runs on it is not reached through a proxy.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    prefect_ready(say=typer.echo)


def _made(ws: Workspace) -> None:
    """What there is, by prompt: how many, where, for how much."""
    groups: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
    folders: dict[str, str] = {}
    for row in find(ws.parts, ws.assets).rows:
        if row["has_local_copy"]:
            groups[row["prompt_id"], row["model"]].append(Decimal(str(row["cost_usd"])))
            folders[row["prompt_id"]] = str(PurePosixPath(row["local_path"]).parent)
    if not groups:
        return
    # What all have in common is said once, above them.
    common = os.path.commonpath(list(folders.values()))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("prompt", overflow="fold")
    table.add_column("model", no_wrap=True)
    table.add_column("images", justify="right", no_wrap=True)
    table.add_column("cost", justify="right", no_wrap=True)
    table.add_column(escape(f"in {printing.near(ws.assets.where(common))}/"), overflow="fold")
    for (prompt_id, model), costs in groups.items():
        folder = folders[prompt_id]
        short = os.path.relpath(folder, common)
        table.add_row(
            escape(prompt_id),
            model,
            str(len(costs)),
            words.money(sum(costs, Decimal(0))),
            printing.linked(ws.assets.where(folder), "" if short == "." else f"{short}/"),
        )
    out = printing.console()
    out.print(table)
    out.print()
