"""The plan, the history and what is in doubt, as tables for people or JSON for programs. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from flows.budget.limits import Caps
from flows.cli import quoting
from flows.cli.printing import console, emit, linked, sentence, warn
from flows.planner import Item, Verdict
from flows.report import words
from flows.report.terminal import problem_lines

if TYPE_CHECKING:
    from flows.campaign.recovery import Doubt, Recovered
    from flows.campaign.steps import Prepared
    from flows.history.queries import Found
    from flows.history.search import Search
    from flows.money.quotes import Quotation
    from flows.workspace import Workspace

COLOURS = {
    Verdict.BUY: "green",
    Verdict.HAVE: "dim",
    Verdict.BLOCKED: "red",
    Verdict.IN_DOUBT: "yellow",
    Verdict.LEFT_OUT: "yellow",
}
ROWS_SHOWN = 60
ROOMY = 110  # columns from which a plan has room for its reasons beside it
VAST = 150  # columns from which the history has room for paths
FATES = ("recovered", "withheld", "lost", "unfinished", "failed", "refused")


def _table() -> Table:
    return Table(box=None, pad_edge=False, header_style="bold")


def plan(prepared: Prepared, *, as_json: bool, buying: str = "", quotation: Quotation | None = None) -> None:
    """The plan: a line per variant, then what it comes to and what to do next.

    `buying` is the command that buys it; without one somebody is asking already, and nothing is said to be next.
    """
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
                **({"quotes": quoting.as_json(quotation)} if quotation else {}),
            }
        )
        return
    warn(made.warnings)
    out = console()
    roomy = out.is_terminal and out.width >= ROOMY
    complete = [item for item in made.items if item.verdict is Verdict.HAVE]
    # Of a long plan only what is not complete is worth reading; whoever pipes it wants all.
    hidden = len(complete) if out.is_terminal and len(made.items) > ROWS_SHOWN else 0
    shown = [item for item in made.items if not (hidden and item.verdict is Verdict.HAVE)]
    table = _table()
    table.add_column("", no_wrap=True)
    table.add_column("variant", overflow="fold")
    table.add_column("model", no_wrap=True)
    table.add_column("shape", no_wrap=True)
    for heading in ("have", "buy", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    if roomy:
        table.add_column("why", overflow="fold")
    for item in shown:
        table.add_row(*_row(item, roomy=roomy))
    if shown:
        out.print(table)
    if hidden:
        out.print(f"[dim]{words.count(hidden, 'variant')} with all their images not shown[/]")
    for line in quoting.lines(quotation) if quotation else ():
        out.print(line, soft_wrap=True)
    for line in totals(prepared, buying):
        if buying or not line.startswith("next"):
            out.print(line, soft_wrap=True)


def _row(item: Item, *, roomy: bool) -> list[str]:
    colour = COLOURS[item.verdict]
    options = item.variant.options
    shape = options.get("size") or options.get("resolution") or options.get("aspect_ratio") or "default"
    name, reason = escape(item.variant.name), f"[dim]{escape(item.reason)}[/]"
    plain = item.verdict in (Verdict.BUY, Verdict.HAVE) and not (item.in_doubt or item.left_out or item.shared)
    if not (plain or roomy):
        name += f"\n{reason}"
    row = [
        f"[{colour}]{item.verdict}[/]",
        name,
        item.variant.model,
        escape(str(shape)),
        "" if item.shared else f"{item.counted}/{item.wanted}",
        str(item.buy) if item.buy else "",
        words.money(item.cost) if item.buy else "",
    ]
    return [*row, reason] if roomy else row


def totals(prepared: Prepared, buying: str) -> list[str]:
    """What the plan comes to, and what it leaves alone."""
    made = prepared.plan
    lines = [""]
    if made.departed:
        gone = ", ".join(f"{escape(name)} ({images})" for name, images in sorted(made.departed.items()))
        lines.append(f"left the manifest, kept: {gone}")
    if waiting := sum(entry.counted for entry in prepared.recoverable):
        lines.append(f"[yellow]{words.count(waiting, 'image')} paid for by an earlier run, still to be fetched[/]")
    if made.left_out:
        caps = sorted({item.cap for item in made.items if item.cap and item.left_out})
        why = f" by budget.{', budget.'.join(caps)}" if caps else ""
        lines.append(f"[yellow]{words.count(made.left_out, 'image')} left out{why}[/]")
    doubts = len(prepared.doubts)
    if doubts:
        lines.append(f"[yellow]{words.count(doubts, 'request')} in doubt: `ideoflow recover` lists them[/]")
    origin = "the sandbox, nothing is billed" if made.origin == "sandbox" else made.origin
    if made.buy:
        quoted = sum(item.buy for item in made.items if item.price_source.startswith("quote "))
        exact = (
            "" if not quoted else ", as quoted today" if quoted == made.buy else f", {quoted} of them as quoted today"
        )
        price = words.money(made.cost)
        lines.append(f"[bold]{words.count(made.buy, 'image')} to buy for {price}[/]{exact} from {origin}")
    else:
        lines.append(f"[bold]nothing to buy[/] from {origin}")
    if made.buy or waiting:
        lines.append(f"next     `{escape(buying)}`")
    elif doubts:
        lines.append("next     `ideoflow recover`")
    elif cap := next((item.cap for item in made.items if item.cap and item.left_out), None):
        lines.append(f"next     {Caps.remedy(cap)}")
    elif any(item.verdict is Verdict.BLOCKED for item in made.items):
        lines.append("next     change the prompts that are blocked, then `ideoflow plan` again")
    else:
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
        "given_up": list(item.freed),
        "cap": item.cap,
        "each_usd": item.each,
        "cost_usd": item.cost,
        "price_source": item.price_source,
    }


def recovered(done: Recovered, *, as_json: bool) -> None:
    """What recover did, and what is left to decide."""
    tally = done.tally
    finished = {fate: tally.total(fate) for fate in FATES}
    if as_json:
        emit(
            {
                **finished,
                "resubmitted": done.resubmitted,
                "written_off": done.written_off,
                "stopped": done.stopped,
                "in_doubt": [asdict(doubt) for doubt in done.doubts],
                "problems": [asdict(trouble) for trouble in tally.troubles],
            }
        )
        return
    out = console()
    counts = [f"{words.count(images, 'image')} {fate}" for fate, images in finished.items() if images]
    if done.resubmitted:
        counts.append(f"{words.count(done.resubmitted, 'request')} to be bought again")
    if done.written_off:
        counts.append(f"{words.count(done.written_off, 'request')} written off")
    nothing = "nothing else was left unfinished" if done.doubts else "nothing open: nothing was left unfinished"
    out.print(f"[bold]{', '.join(counts) or nothing}[/]", soft_wrap=True)
    if done.stopped:
        out.print(f"[yellow]{escape(done.stopped)}[/]", soft_wrap=True)
    for line in problem_lines(tuple(tally.troubles)):
        sentence(out, line, "yellow" if line.startswith("!") else "")
    for doubt in done.doubts:
        for line in _doubt(doubt):
            out.print(line, soft_wrap=True)
    for line in _next(done):
        out.print(escape(line), soft_wrap=True)


def _doubt(doubt: Doubt) -> list[str]:
    return [
        f"[yellow]in doubt[/] [bold]{escape(doubt.request_id)}[/]",
        f"         {escape(doubt.variant)}: {words.count(doubt.images, 'image')}, {words.money(doubt.usd)}",
        f"         [dim]{escape(doubt.why)}[/]",
    ]


def _next(done: Recovered) -> list[str]:
    if done.doubts:
        return [
            "next     look in your Ideogram account whether it ran, and say so:",
            "         no, buy it again      `ideoflow recover --resubmit ID`",
            "         yes, fetch it         `ideoflow recover --generation GEN --request ID`",
            "         yes, and it is gone   `ideoflow recover --write-off ID`",
            "         The beginning of an ID is enough; `all` means all.",
        ]
    if done.tally.total("unfinished") or done.tally.undone:
        return ["next     `ideoflow recover` again, it goes on from here"]
    if done.resubmitted or done.tally.total("failed"):
        return ["next     `ideoflow generate` buys what is missing"]
    return ["next     `ideoflow plan` shows what is missing"]


def history(found: Found, ws: Workspace, *, asked: Search, as_json: bool) -> None:
    """The newest images last, so that they stand above the prompt."""
    rows = found.rows
    if as_json:
        emit(rows)
        return
    out = console()
    if not rows:
        all_of_it = not (asked.terms or asked.conditions or asked.since or asked.until)
        out.print("nothing has been bought yet" if all_of_it else _none(asked), markup=False)
        out.print("next     `ideoflow plan`" if all_of_it else "next     `ideoflow history` lists all")
        return
    roomy, vast = out.width >= ROOMY, out.width >= VAST
    table = _table()
    table.add_column("made (UTC)", no_wrap=True)
    table.add_column("variant", overflow="fold")
    table.add_column("model", no_wrap=True)
    if roomy:
        table.add_column("seed", justify="right", no_wrap=True)
    table.add_column("cost", justify="right", no_wrap=True)
    table.add_column("file", overflow="fold", no_wrap=not vast)
    for row in rows:
        table.add_row(
            *(f"{row['generated_at']:%m-%d %H:%M}" if row["generated_at"] else "", escape(str(row["variant"]))),
            row["model"],
            *([str(row["seed"]) if row["seed"] is not None else ""] if roomy else []),
            _usd(row["cost_usd"], "0.000001"),
            _file(row, ws, vast=vast),
        )
    if older := found.images - len(rows):
        out.print(f"[dim]{words.count(older, 'older one')} not shown: --out history.csv writes all[/]")
    out.print(table)
    out.print(f"\n[bold]{words.count(found.images, 'image')}[/], {_usd(found.usd, '0.0001')}")
    out.print("next     `ideoflow history WORDS` searches, `--out images.csv` writes the rows", soft_wrap=True)


def _none(asked: Search) -> str:
    """What it was that no image has."""
    held = [term.text for term in asked.terms if not term.absent]
    lacked = [term.text for term in asked.terms if term.absent]
    has = [f"{one.column} {one.op} {one.value}".rstrip() for one in asked.conditions]
    bounds = [
        f"bought {word} {moment:%Y-%m-%d %H:%M}"
        for word, moment in (("since", asked.since), ("until", asked.until))
        if moment
    ]
    said = [
        f"holds {' and '.join(held)}" if held else "",
        f"lacks {' and '.join(lacked)}" if lacked else "",
        *has,
        *bounds,
    ]
    return f"no image {', '.join(one for one in said if one)}"


def _usd(amount: float | Decimal, step: str) -> str:
    return words.money(Decimal(str(amount)).quantize(Decimal(step)))


def _file(row: Mapping[str, Any], ws: Workspace, *, vast: bool) -> str:
    """A link to the picture; its whole path where there is room for it."""
    path = row["local_path"]
    if row["has_local_copy"]:
        return linked(ws.assets.where(path), path if vast else str(row["state"]))
    if row["state"] == "purged":
        return f"[dim]purged[/] {escape(path) if vast else ''}".rstrip()
    if path:
        return f"[red]missing[/] {escape(path) if vast else ''}".rstrip()
    return f"[yellow]{row['status']}[/]"
