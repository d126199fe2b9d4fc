"""The verb that makes an image again: reproduce."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli import completing
from flows.cli.base import Config, Json, Project, app, example, workspace

if TYPE_CHECKING:
    from flows.reproduction.run import Outlook


@app.command(epilog=example("ideoflow reproduce 01a2b3c4 --exact --dry-run"))
def reproduce(
    image: Annotated[
        str,
        typer.Argument(metavar="ID", help="An image id, or its beginning or end.", autocompletion=completing.image_ids),
    ],
    exact: Annotated[
        bool, typer.Option("--exact", help="With the final prompt and the seed of its answer, magic prompt off.")
    ] = False,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="So many reproductions in all; else one more than there are.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what can differ and what it costs.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    project: Project = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Buy an image again from what the history knows of it. Says first what can differ, and the price.

    Cut off, the same command finishes what it began and buys nothing more.

    In scripts say --count: repeated however often, it never buys more than that.
    """
    import asyncio

    from flows.cli import printing
    from flows.cli.watching import watched
    from flows.errors import Refused
    from flows.report import words
    from flows.reproduction.run import Ask, prepare
    from flows.reproduction.run import reproduce as make

    ws = workspace(project, config)
    outlook = prepare(ws, Ask(image, exact, count))
    if dry_run:
        _show(outlook, as_json=as_json)
        return 4 if outlook.prepared.doubts else 0
    ws.settings.key()
    buy = outlook.prepared.plan.buy
    if buy and not yes:
        what = f"{words.count(buy, 'image')} for {words.money(outlook.prepared.plan.cost)}"
        if as_json or not sys.stdin.isatty():
            raise Refused(f"this would buy {what}: say --yes, or --dry-run to see what can differ")
    if not as_json:
        _show(outlook, as_json=False)
    if buy and not yes:
        typer.confirm(f"\nBuy {what}?", abort=True, default=True)
    with watched("buying", quiet=as_json) as (tell, stop):
        report, where, fresh = asyncio.run(make(ws, outlook, tell=tell, stop=stop))
    if as_json:
        printing.emit({**_json(outlook), "images": list(fresh), "exit_code": report.exit_code, "report": where})
    else:
        printing.report(report, where, as_json=False)
    return report.exit_code


def _show(outlook: Outlook, *, as_json: bool) -> None:
    """What would be bought, and all that is said beforehand."""
    from rich.markup import escape

    from flows.cli.printing import console, emit, sentence
    from flows.report import words

    if as_json:
        emit(_json(outlook))
        return
    out, row, what, item = console(), outlook.row, outlook.repetition, outlook.item
    seed = f"seed {what.variant.seed}" if what.variant.seed is not None else "a new seed"
    how = f"its final prompt, magic prompt off where that can be, {seed}" if what.exact else f"as it was asked, {seed}"
    made = f", made {words.instant(row['generated_at'])}" if row["generated_at"] else ""
    out.print(f"[bold]{escape(row['image_id'])}[/]  {escape(row['variant'])}, {row['model']}{made}", soft_wrap=True)
    sentence(out, f"    prompt   {words.one_line(what.variant.prompt, 160)}")
    sentence(out, f"    request  {how}")
    if outlook.had:
        out.print(f"    have     {words.count(len(outlook.had), 'reproduction')} of it already", soft_wrap=True)
    for one in what.differences:
        sentence(out, f"! {one.what} can differ: {one.why}", "yellow")
    was = "" if item.each == outlook.paid else f", then {words.money(outlook.paid)}"
    out.print(f"    price    {words.money(item.each)} an image{was} ({escape(item.price_source)})", soft_wrap=True)
    if not outlook.prepared.plan.buy:
        sentence(out, f"    nothing to buy: {_why_not(outlook)}")


def _why_not(outlook: Outlook) -> str:
    if outlook.prepared.doubts:
        return "an earlier reproduction is in doubt, `ideoflow recover` settles it"
    if outlook.underway:
        return "another run is buying one right now"
    if outlook.prepared.recoverable:
        return "an earlier reproduction is paid for, and is fetched now"
    if outlook.fresh and outlook.ask.count is None:
        return "an earlier reproduction was cut off just before its end, and is there; ask again for one more"
    return outlook.item.reason


def _json(outlook: Outlook) -> dict[str, Any]:
    what, item = outlook.repetition, outlook.item
    return {
        "original": what.original,
        "exact": what.exact,
        "prompt": what.variant.prompt,
        "model": what.variant.model,
        "options": dict(what.variant.options),
        "seed": what.variant.seed,
        "edition": what.variant.edition,
        "fingerprint": item.fingerprint,
        "differences": [vars(one) for one in what.differences],
        "verdict": str(item.verdict),
        "reason": item.reason,
        "had": list(outlook.had),
        "buy": item.buy,
        "each_usd": item.each,
        "cost_usd": item.cost,
        "price_source": item.price_source,
    }
