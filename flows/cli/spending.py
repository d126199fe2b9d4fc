"""Spending and the vendor's bill as tables for people or JSON for programs. Decides nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.markup import escape
from rich.table import Table

from flows.budget.limits import Cap
from flows.cli.printing import console, emit
from flows.money.billing import Bill
from flows.money.spending import CapState, Line, Spending
from flows.report import words
from flows.report.audit.wording import about_money

UNNAMED = {"campaign": "(no campaign)", "brand": "(no brand)"}


def usd(micros: int) -> str:
    """Micro-dollars as money, every digit of them."""
    return words.money(Decimal(micros) / 1_000_000)


def show(found: Spending, *, as_json: bool) -> None:
    """A line per day, campaign, model or brand, their sum, then the caps and what is in doubt."""
    if as_json:
        emit(_json(found))
        return
    out = console()
    if not found.lines:
        out.print(f"nothing has been spent at {found.origin}")
    else:
        out.print(_table(found))
        out.print("")
    total = found.total
    kept = (
        f", {about_money(total.per_kept)} for each of {words.count(total.kept, 'kept image')}" if total.per_kept else ""
    )
    where = "the sandbox, nothing is billed" if found.origin == "sandbox" else found.origin
    out.print(f"[bold]{usd(total.spent)} spent[/]{kept}; {where}", soft_wrap=True)
    if total.open:
        out.print(f"{usd(total.open)} under way", soft_wrap=True)
    for cap in found.caps:
        out.print(escape(_cap(cap)), soft_wrap=True)
    if found.doubts:
        doubt = f"{words.count(len(found.doubts), 'request')} in doubt, {usd(total.in_doubt)}"
        out.print(f"[yellow]{doubt}[/]", soft_wrap=True)
    out.print(f"next     {_next(found)}", soft_wrap=True)


def _next(found: Spending) -> str:
    if found.doubts:
        return "`ideoflow recover` lists what is in doubt"
    if not found.lines:
        return "`ideoflow plan` shows what would be bought"
    if found.by == "day":
        return "`ideoflow spend --by campaign` adds up by campaign; also by model, by brand"
    if found.origin == "sandbox":
        return "`ideoflow history --out images.csv` writes what it was spent on"
    return "`ideoflow spend --reconcile` compares it with the account's own usage"


def _table(found: Spending) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(found.by, overflow="fold")
    for heading in ("images", "kept", "spent", "a kept one"):
        table.add_column(heading, justify="right", no_wrap=True)
    uncertain = found.total.open or found.total.in_doubt
    if uncertain:
        table.add_column("open or in doubt", justify="right", no_wrap=True)
    for line in (*found.lines, *([found.total] if len(found.lines) > 1 else [])):
        cells = [
            escape(line.key or UNNAMED.get(found.by, "")),
            f"{line.images:,}",
            f"{line.kept:,}",
            usd(line.spent),
            about_money(line.per_kept) if line.per_kept is not None else "",
        ]
        open_ = line.open + line.in_doubt
        table.add_row(*cells, *([usd(open_) if open_ else ""] if uncertain else []))
    return table


def _cap(state: CapState) -> str:
    name = f"budget.{state.cap}"
    limit = words.count(state.limit, "image") if state.cap is Cap.IMAGES else usd(state.limit)
    if state.used is None or state.left is None:
        return f"{name}: {limit}"
    return f"{name}: {usd(state.used)} of {limit} used, {usd(state.left)} left"


def _json(found: Spending) -> dict[str, Any]:
    return {
        "origin": found.origin,
        "since": found.since and found.since.isoformat(),
        "by": found.by,
        "total": _line(found.total),
        "lines": [{found.by: line.key or None, **_line(line)} for line in found.lines],
        "caps": [vars(state) for state in found.caps],
        "in_doubt": dict(found.doubts),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "requests": line.requests,
        "images": line.images,
        "kept": line.kept,
        "spent_usd": Decimal(line.spent) / 1_000_000,
        "spent_micros": line.spent,
        "open_micros": line.open,
        "in_doubt_micros": line.in_doubt,
        "micros_per_kept_image": line.per_kept,
    }


def show_bill(bill: Bill, *, as_json: bool) -> None:
    """Our books beside the bill, a line per UTC day and endpoint, and what explains each difference."""
    if as_json:
        emit(
            {
                "since": str(bill.since),
                "until": str(bill.until),
                "explained": bill.explained,
                "unread_lines": bill.unread,
                "rows": [{**vars(row), "day": str(row.day), "models": sorted(row.models)} for row in bill.rows],
            }
        )
        return
    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("day (UTC)", no_wrap=True)
    table.add_column("model", overflow="fold")
    for heading in ("ours", "billed", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in bill.rows:
        name = ", ".join(sorted(row.models)) or row.endpoint
        colour = "red" if not row.explained else "yellow" if row.difference else "green"
        difference = f"[{colour}]{words.money(row.difference) if row.difference else 'none'}[/]"
        table.add_row(str(row.day), escape(name), words.money(row.ours), words.money(row.theirs), difference)
    if bill.rows:
        out.print(table)
    else:
        out.print(f"neither the books nor the bill know anything since {bill.since}")
    for row in bill.rows:
        for reason in row.reasons:
            colour = "yellow" if row.explained else "red"
            name = ", ".join(sorted(row.models)) or row.endpoint
            out.print(f"[{colour}]{row.day} {escape(name)}: {escape(reason)}[/]", soft_wrap=True)
    if bill.unread:
        out.print(f"[red]{words.count(bill.unread, 'line')} of the bill could not be read[/]")
    ours = sum((row.ours for row in bill.rows), Decimal(0))
    theirs = sum((row.theirs for row in bill.rows), Decimal(0))
    end = "every difference is explained" if bill.explained else "not every difference is explained"
    out.print(f"\n[bold]{words.money(ours)} in our books, {words.money(theirs)} billed to this key[/]: {end}")
    if not bill.explained:
        out.print("next     compare the days above with the generations in your Ideogram account", soft_wrap=True)
