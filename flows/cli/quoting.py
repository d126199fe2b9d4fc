"""``plan --quote``: asking for prices while a person watches, and what is said about them."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from flows.money.quotes import MOST, Quotation, ask
from flows.report import words

if TYPE_CHECKING:
    from flows.campaign.steps import Ask
    from flows.workspace import Workspace


def quoted(ws: Workspace, asked: Ask, *, quiet: bool) -> Quotation:
    """Ask the API what the selected variants cost."""
    from flows.campaign.steps import chosen

    ws.settings.key()
    variants = chosen(ws, asked)[1]
    if quiet or not sys.stderr.isatty():
        return asyncio.run(ask(ws, variants))
    with Console(stderr=True).status("asking for prices") as status:
        return asyncio.run(ask(ws, variants, lambda name: status.update(f"asking for prices: {escape(name)}")))


def lines(quotation: Quotation) -> list[str]:
    """What asking brought, and everything that is wrong with the price book."""
    found = [f"{words.count(quotation.asked, 'price')} asked for, {quotation.known} known from today; a quote is free"]
    if quotation.unquotable:
        found.append(f"no quotes for {', '.join(quotation.unquotable)}: the price book is used")
    if quotation.unasked:
        found.append(f"[yellow]{quotation.unasked} more not asked for ({MOST} at a time): say --quote again[/]")
    for name, why in quotation.troubles.items():
        found.append(f"[yellow]! {escape(name)}: no quote, the price book is used ({escape(why)})[/]")
    for wrong in quotation.disagreements:
        listed = "has no price" if wrong.book is None else f"says {words.money(wrong.book)}"
        what = f"{wrong.model} {wrong.tier}: the price book {listed}, the API quotes {words.money(wrong.quoted)}"
        found += [f"[yellow]! {escape(what)}[/]", f"    in configs/prices.yaml, {escape(wrong.remedy)}"]
    return found


def as_json(quotation: Quotation) -> dict[str, Any]:
    """The same for programs."""
    return {
        "asked": quotation.asked,
        "known": quotation.known,
        "unasked": quotation.unasked,
        "unquotable": list(quotation.unquotable),
        "troubles": dict(quotation.troubles),
        "price_book": [
            {**vars(wrong), "day": str(wrong.day), "remedy": wrong.remedy} for wrong in quotation.disagreements
        ],
    }
