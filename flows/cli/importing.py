"""What an import found, would do and did, as words for people or JSON for programs. Decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from flows.adoption.decide import LEFT, WANTED, Fate, Item, Survey
from flows.adoption.enter import Entered
from flows.adoption.run import Done
from flows.cli.printing import console, emit, sentence
from flows.report import words

SHOWN = 20
MISSING = {"generated_at": "when it was made", "seed": "seed", "prompt": "prompt", "model": "model"}


def code(found: Survey, done: Done | None = None) -> int:
    """4 where something of the collection is not taken over, and cannot be as it stands."""
    left = bool(found.problems or found.of(*LEFT))
    if done is not None:
        left = left or bool(len(done.entered) < len(found.of(*WANTED)) or done.unsealed or done.of(*LEFT))
    return 4 if left else 0


def surveyed(found: Survey, *, as_json: bool) -> None:
    """What would be taken over, what would not and why, and what counts for the manifest."""
    if as_json:
        emit(_json(found, None))
        return
    out = console()
    wanted = found.of(*WANTED)
    fetch = found.of(Fate.FETCH)
    _problems(found)
    taken = f"{words.count(len(wanted), 'picture')} to take over" if wanted else "nothing to take over"
    sizes = f" ({words.size(found.bytes)})" if found.bytes else ""
    out.print(f"[bold]{taken}[/]{sizes} from {escape(found.source)}, for {_origin(found)}", soft_wrap=True)
    if fetch:
        first = min(item.expires_at for item in fetch if item.expires_at)
        out.print(
            f"  {words.count(len(fetch), 'link')} to be fetched; the first dies {words.instant(first)}", soft_wrap=True
        )
    _matches(found)
    _left(found.items)
    _missing(wanted)
    if found.origin == "sandbox" and wanted:
        sentence(out, "! they would count for the sandbox alone; for the real API: --config production", "yellow")
    if wanted:
        out.print(f"next     `ideoflow import {escape(found.source)} --apply` takes them over", soft_wrap=True)
    elif code(found):
        out.print("next     mend what is said above, then import again", soft_wrap=True)
    else:
        out.print("next     `ideoflow plan` shows what is still missing", soft_wrap=True)


def carried_out(found: Survey, done: Done, *, as_json: bool) -> None:
    """What was taken over, and what was not."""
    if as_json:
        emit(_json(found, done))
        return
    out = console()
    _problems(found)
    took = done.of(Fate.TAKE)
    size = words.size(sum(one.bytes for one in took))
    colour = "yellow" if code(found, done) else "green"
    what = f"{words.count(len(took), 'picture')} taken over" if took else "nothing new was taken over"
    out.print(f"[bold {colour}]{what}[/]" + (f", {size}, for {_origin(found)}" if took else ""), soft_wrap=True)
    if done.finished:
        out.print(f"  {words.count(done.finished, 'picture')} of an import that was cut off finished", soft_wrap=True)
    counted = sum(one.item.variant is not None for one in took)
    if counted:
        out.print(f"  {counted} of them count for the manifest and are not bought", soft_wrap=True)
    _left(found.items)
    _failed(one for one in done.entered if one.fate is not Fate.TAKE)
    for trouble in (done.stopped, done.unsealed):
        if trouble:
            sentence(out, f"! {words.one_line(trouble)}", "yellow")
    if done.stopped and code(found, done):
        out.print("next     the same import again, it goes on from here", soft_wrap=True)
    elif code(found, done):
        out.print("next     mend what is said above, then the same import again: nothing is doubled", soft_wrap=True)
    else:
        out.print("next     `ideoflow plan` shows what is still missing", soft_wrap=True)


def _origin(found: Survey) -> str:
    return "the sandbox" if found.origin == "sandbox" else found.origin


def _problems(found: Survey) -> None:
    for problem in found.problems:
        typer.echo(str(problem), err=True)
    if found.problems:
        typer.echo(f"{words.count(len(found.problems), 'problem')}; these records are left out\n", err=True)


def _matches(found: Survey) -> None:
    """How many pictures count for which variant, and what was taken for granted."""
    out = console()
    wanted = found.of(*WANTED)
    counts = Counter(item.variant.name for item in wanted if item.variant)
    if counts:
        out.print(f"  {sum(counts.values())} count for the manifest and need not be bought (match: {found.match})")
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for name, number in list(counts.items()) if not out.is_terminal else list(counts.items())[:SHOWN]:
            open_ = {word for item in wanted if item.variant and item.variant.name == name for word in item.unsaid}
            granted = f"[dim]taken for granted: {', '.join(sorted(open_))}[/]" if open_ else ""
            table.add_row("  ", str(number), escape(name), granted)
        out.print(table)
    own = len(wanted) - sum(counts.values())
    if own:
        out.print(f"  {own} of no variant: kept, and never counted as bought", soft_wrap=True)


def _left(items: Iterable[Item]) -> None:
    out = console()
    items = list(items)
    for fate, text in ((Fate.HAVE, "in the history already"), (Fate.TWICE, "there twice: taken over once")):
        number = sum(item.fate is fate for item in items)
        if number:
            out.print(f"  {number} {text}", soft_wrap=True)
    left = [item for item in items if item.fate in LEFT]
    for item in left if not out.is_terminal else left[:SHOWN]:
        sentence(out, f"! {words.one_line(item.name)}: {words.one_line(item.why)}", "yellow")
        if item.remedy:
            sentence(out, f"    {item.remedy}")
    if out.is_terminal and len(left) > SHOWN:
        out.print(f"  and {len(left) - SHOWN} more (--json lists all)")


def _failed(entered: Iterable[Entered]) -> None:
    out = console()
    for one in entered:
        if one.fate in LEFT:
            sentence(out, f"! {words.one_line(one.item.name)}: {words.one_line(one.why)}", "yellow")


def _missing(items: Iterable[Item]) -> None:
    """What the records do not say: it stays unknown for good."""
    counts = Counter(name for item in items for name in item.record.missing)
    if counts:
        said = ", ".join(f"{MISSING[name]} ({number})" for name, number in counts.items())
        console().print(f"  not said by their records: {said}", soft_wrap=True)
        if "generated_at" in counts:
            console().print("  where no time is said, that of the file is taken", soft_wrap=True)


def _json(found: Survey, done: Done | None) -> dict[str, Any]:
    fates = {id(one.item): one for one in done.entered} if done else {}
    value: dict[str, Any] = {
        "source": found.source,
        "origin": found.origin,
        "match": str(found.match),
        "applied": done is not None,
        "counts": {str(fate): len(found.of(fate)) for fate in Fate},
        "bytes": found.bytes,
        "matched": sum(item.variant is not None for item in found.of(*WANTED)),
        "problems": [vars(problem) for problem in found.problems],
        "pictures": [_item(item, fates.get(id(item))) for item in found.items],
    }
    if done:
        taken = done.of(Fate.TAKE)
        value |= {
            "run_id": done.run_id,
            "taken": len(taken),
            "taken_bytes": sum(one.bytes for one in taken),
            "finished": done.finished,
            "stopped": done.stopped,
            "unsealed": done.unsealed or None,
        }
    return value


def _item(item: Item, entered: Entered | None) -> dict[str, Any]:
    return {
        "name": item.name,
        "where": str(item.record.place),
        "fate": str(item.fate),
        "why": item.why,
        "remedy": item.remedy,
        "sha256": item.seen.sha256 if item.seen else None,
        "bytes": item.seen.bytes if item.seen else None,
        "made_at": item.made_at,
        "variant": item.variant.name if item.variant else None,
        "taken_for_granted": list(item.unsaid),
        "missing": list(item.record.missing),
        **({"became": str(entered.fate), "became_why": entered.why} if entered else {}),
    }
