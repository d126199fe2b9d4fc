"""Both acts of the demonstration, and what is said about them."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from flows.campaign import generate
from flows.cli import printing
from flows.cli.watching import watched
from flows.demo.encore import encore
from flows.errors import Refused
from flows.history.queries import find
from flows.report import words
from flows.settings import load_settings
from flows.steps import Ask, prepare
from flows.workspace import Workspace, open_workspace

SANDBOX = {"IDEOFLOW_API__BASE_URL": "sandbox"}


def show(project: Path | None, *, fresh: bool, seed: int | None = None) -> int:
    """The exit code: 0 when everything wanted is there and nothing was paid for twice."""
    root = load_settings(project, (), SANDBOX, Path.cwd()).settings.project
    folder = root / "data" / "encore"
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    code = _campaign(root)
    typer.echo("\nNow the same with the plug pulled: a second, small campaign whose process is killed in mid-run.")
    count = encore(root, folder, typer.echo, random.Random(seed))
    typer.echo(f"\n{count}   (by the sandbox's own ledger)")
    typer.echo(f"next     open {root / 'data'}; run `make demo` again: it pays for nothing")
    good = count.wanted == count.paid == count.kept and not count.paid_twice
    return code if good else code or 4


def _campaign(root: Path) -> int:
    ws = open_workspace(root, (), SANDBOX)
    if not ws.settings.sandboxed:
        raise Refused("the demonstration runs on the sandbox only")
    prepared = prepare(ws, Ask())
    typer.echo(
        f"prompts.yaml wants {words.count(sum(i.wanted for i in prepared.plan.items), 'image')}; "
        f"{prepared.plan.buy} to buy from the embedded sandbox (no key, no network, nothing billed)"
    )
    began = time.monotonic()
    with watched("buying", prepared.plan.buy) as (tell, stop):
        report, where = asyncio.run(generate(ws, Ask(), tell=tell, stop=stop))
    _made(ws)
    printing.report(report, where, as_json=False)
    typer.echo(f"         {time.monotonic() - began:.0f} s in all")
    return report.exit_code


def _made(ws: Workspace) -> None:
    """What there is, by prompt: how many, where, for how much."""
    groups: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
    folders: dict[str, str] = {}
    for row in find(ws.parts, ws.assets, ()):
        if row["has_local_copy"]:
            groups[row["prompt_id"], row["model"]].append(Decimal(str(row["cost_usd"])))
            folders[row["prompt_id"]] = ws.shown(ws.assets.where(row["local_path"].rpartition("/")[0]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("prompt")
    table.add_column("model", no_wrap=True)
    table.add_column("images", justify="right")
    table.add_column("cost", justify="right")
    table.add_column("where", overflow="fold")
    for (prompt_id, model), costs in groups.items():
        table.add_row(
            escape(prompt_id), model, str(len(costs)), words.money(sum(costs, Decimal(0))), escape(folders[prompt_id])
        )
    printing.console().print(table)
