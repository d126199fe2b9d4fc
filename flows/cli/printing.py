"""How results look: tables for people, JSON for programs. Reads values, decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.planner import Item, Plan, Verdict
from flows.report import RunReport, summary_lines, to_json, words

if TYPE_CHECKING:
    from flows.manifest.load import Loaded
    from flows.recovery import Recovered
    from flows.steps import Prepared
    from flows.workspace import Workspace

COLOURS = {
    Verdict.BUY: "green",
    Verdict.HAVE: "dim",
    Verdict.BLOCKED: "red",
    Verdict.IN_DOUBT: "yellow",
    Verdict.LEFT_OUT: "yellow",
}
ROWS_SHOWN = 60
WIDE = 180


def console() -> Console:
    """Standard output: colours when a person watches, none otherwise or with NO_COLOR."""
    return Console(highlight=False, soft_wrap=False)


def emit(value: Any) -> None:
    """JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (Decimal,)):
        return str(value)
    return list(value) if isinstance(value, (set, frozenset, tuple)) else str(value)


def validated(loaded: Loaded, *, as_json: bool) -> None:
    """What the manifests want, and what is odd about them."""
    images = sum(variant.count for variant in loaded.variants)
    prompts = len({variant.prompt_id for variant in loaded.variants})
    if as_json:
        warnings = [asdict(problem) for problem in loaded.warnings]
        emit({"files": loaded.files, "prompts": prompts, "variants": len(loaded.variants), "images": images,
              "warnings": warnings})  # fmt: skip
        return
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    files = words.count(len(loaded.files), "manifest")
    what = f"{words.count(prompts, 'prompt')}, {words.count(len(loaded.variants), 'variant')}"
    typer.echo(f"{files} in order: {what}, {words.count(images, 'image')} wanted. Next: ideoflow plan")


def plan(prepared: Prepared, *, as_json: bool) -> None:
    """The plan: a line per variant, then what it comes to."""
    made = prepared.plan
    if as_json:
        emit(
            {
                "origin": made.origin,
                "buy": made.buy,
                "cost_usd": made.cost,
                "left_out": made.left_out,
                "departed": dict(made.departed),
                "in_doubt": dict(prepared.doubts),
                "items": [_item(item) for item in made.items],
            }
        )
        return
    for warning in made.warnings:
        typer.echo(f"warning: {warning}", err=True)
    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "variant", "model", "shape"):
        table.add_column(heading, no_wrap=heading != "variant", overflow="fold")
    for heading in ("buy", "cost"):
        table.add_column(heading, justify="right")
    table.add_column("why", overflow="fold")
    for item in made.items:
        table.add_row(*_row(item))
    out.print(table)
    for line in totals(made):
        out.print(line)


def _row(item: Item) -> tuple[str, ...]:
    colour = COLOURS[item.verdict]
    options = item.variant.options
    shape = options.get("size") or options.get("resolution") or options.get("aspect_ratio") or "default"
    return (
        f"[{colour}]{item.verdict}[/]",
        escape(item.variant.name),
        item.variant.model,
        escape(str(shape)),
        str(item.buy) if item.buy else "",
        words.money(item.cost) if item.buy else "",
        f"[dim]{escape(item.reason)}[/]",
    )


def totals(made: Plan) -> list[str]:
    """What the plan comes to, and what it leaves alone."""
    lines = [""]
    if made.departed:
        gone = ", ".join(f"{escape(name)} ({images})" for name, images in sorted(made.departed.items()))
        lines.append(f"left the manifest, kept: {gone}")
    if made.left_out:
        lines.append(f"[yellow]{words.count(made.left_out, 'image')} left out[/]")
    if any(item.in_doubt for item in made.items):
        lines.append("[yellow]some requests are in doubt: `ideoflow recover`[/]")
    origin = "the sandbox, nothing is billed" if made.origin == "sandbox" else made.origin
    if made.buy:
        lines.append(f"[bold]{words.count(made.buy, 'image')} to buy for {words.money(made.cost)}[/] from {origin}")
        lines.append("next     `ideoflow generate`")
    else:
        lines.append(f"[bold]nothing to buy[/] from {origin}")
        lines.append("next     `ideoflow history` lists what you have")
    return lines


def _item(item: Item) -> dict[str, Any]:
    return {
        "variant": item.variant.name,
        "prompt_id": item.variant.prompt_id,
        "model": item.variant.model,
        "options": dict(item.variant.options),
        "prompt": item.variant.prompt,
        "fingerprint": item.fingerprint,
        "verdict": str(item.verdict),
        "reason": item.reason,
        "wanted": item.wanted,
        "counted": item.counted,
        "buy": item.buy,
        "in_doubt": item.in_doubt,
        "left_out": item.left_out,
        "each_usd": item.each,
        "cost_usd": item.cost,
        "price_source": item.price_source,
    }


def report(done: RunReport, where: str, *, as_json: bool) -> None:
    """The end of a run."""
    if as_json:
        typer.echo(to_json(done))
        return
    lines = summary_lines(done)
    out = console()
    for line in [*lines[:-1], f"report   {where}", lines[-1]]:
        out.print(escape(line), soft_wrap=True)


def recovered(done: Recovered, *, as_json: bool) -> None:
    """What recover did, and what is left to decide."""
    tally = done.tally
    finished = {fate: tally.total(fate) for fate in ("recovered", "withheld", "lost", "unfinished", "failed")}
    if as_json:
        emit({**finished, "resubmitted": done.resubmitted, "written_off": done.written_off,
              "in_doubt": [asdict(doubt) for doubt in done.doubts]})  # fmt: skip
        return
    out = console()
    counts = [f"{words.count(images, 'image')} {fate}" for fate, images in finished.items() if images]
    if done.resubmitted:
        counts.append(f"{words.count(done.resubmitted, 'request')} to be bought again")
    if done.written_off:
        counts.append(f"{words.count(done.written_off, 'request')} written off")
    out.print(", ".join(counts) if counts else "nothing was left unfinished")
    for trouble in tally.troubles[:20]:
        out.print(f"[yellow]![/] {escape(trouble.subject)}: {escape(trouble.what)}\n    {escape(trouble.remedy)}")
    for doubt in done.doubts:
        out.print(
            f"[yellow]in doubt[/] {doubt.request_id}  {escape(doubt.variant)}  {words.count(doubt.images, 'image')}"
            f"  {words.money(doubt.usd)}\n    {escape(doubt.why)}"
        )
    if done.doubts:
        out.print(
            "next     look in your account whether it ran. Not there: `ideoflow recover --resubmit ID` buys it again.\n"
            "         There: `--generation GENERATION_ID --request ID` fetches it, `--write-off ID` counts it as lost."
        )
    else:
        out.print("next     `ideoflow generate` buys what is missing")


def history(rows: Sequence[Mapping[str, Any]], ws: Workspace, *, as_json: bool) -> None:
    """The newest images last, so that they stand above the prompt."""
    if as_json:
        emit([dict(row) for row in rows])
        return
    out = console()
    wide = out.width >= WIDE
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("made (UTC)", "variant", "model"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "variant")
    table.add_column("seed", justify="right")
    table.add_column("cost", justify="right")
    table.add_column("file", overflow="fold")
    for row in rows[-ROWS_SHOWN:]:
        table.add_row(
            f"{row['generated_at']:%m-%d %H:%M}" if row["generated_at"] else "",
            escape(str(row["variant"])),
            row["model"],
            str(row["seed"]) if row["seed"] is not None else "",
            words.money(Decimal(str(row["cost_usd"])).quantize(Decimal("0.000001"))),
            _file(row, ws, wide=wide),
        )
    if rows:
        out.print(table)
    if len(rows) > ROWS_SHOWN:
        out.print(f"[dim]and {len(rows) - ROWS_SHOWN} older ones: --out history.csv writes all[/]")
    spent = words.money(sum((Decimal(str(row["cost_usd"])) for row in rows), Decimal(0)).quantize(Decimal("0.01")))
    out.print(f"[bold]{words.count(len(rows), 'image')}[/], {spent}")
    out.print("next     `ideoflow history WORDS` searches, `--out images.csv` writes the rows")


def _file(row: Mapping[str, Any], ws: Workspace, *, wide: bool) -> str:
    """A link to the picture; its whole path where there is room for it."""
    path = row["local_path"]
    if row["has_local_copy"]:
        where = ws.assets.where(path)
        link = where if "://" in where else f"file://{where}"
        return f"[link={link}]{escape(path) if wide else 'kept'}[/link]"
    if path:
        return f"[red]missing[/] {escape(path) if wide else ''}"
    return f"[yellow]{row['status']}[/]"
