"""An examination as lines for people or JSON for programs. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from flows.cli.printing import console, emit
from flows.doctor.check import Check, Verdict, exit_code
from flows.report import words

COLOURS = {Verdict.OK: "green", Verdict.ODD: "yellow", Verdict.BAD: "red", Verdict.SKIPPED: "dim"}
NAMES = 22
_PLAN = "next     `ideoflow plan` shows what would be bought"
SHOWN = {Verdict.OK: "ok", Verdict.ODD: "look", Verdict.BAD: "bad", Verdict.SKIPPED: "-"}


def show(checks: Iterable[Check], done: Sequence[str], *, as_json: bool) -> int:
    """A line for each check as it is done, its remedy below it, then what it comes to. The exit code."""
    out = console()
    seen: list[Check] = []
    if not as_json:
        for line in done:
            out.print(f"[green]fixed[/] {escape(line)}", soft_wrap=True)
    for check in checks:
        seen.append(check)
        if not as_json:
            out.print(_line(check))
    code = exit_code(seen)
    if as_json:
        emit({"checks": [vars(check) for check in seen], "fixed": list(done), "exit_code": code})
        return code
    out.print("")
    for line in _ending(seen):
        out.print(line, soft_wrap=True)
    return code


def _line(check: Check) -> Table:
    """One check; what is folded stands below its first word."""
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=4, no_wrap=True)
    line.add_column(width=NAMES, no_wrap=True)
    line.add_column(overflow="fold")
    line.add_row(Text(SHOWN[check.verdict], COLOURS[check.verdict]), Text(check.name), Text(check.said))
    if check.remedy:
        line.add_row("", "", Text(f"-> {check.remedy}", "bold"))
    return line


def _ending(seen: Sequence[Check]) -> tuple[str, str]:
    wrong = sum(check.verdict is Verdict.BAD for check in seen)
    strange = sum(check.verdict is Verdict.ODD for check in seen)
    if wrong:
        what = f"[bold red]{words.count(wrong, 'thing')} to mend[/], from the top: one often causes the next"
        return what, "next     `ideoflow doctor` again"
    if strange:
        return f"[bold]nothing is in the way[/], {words.count(strange, 'thing')} to know", _PLAN
    return "[bold green]everything is in place[/]", _PLAN
