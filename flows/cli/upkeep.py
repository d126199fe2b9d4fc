"""What a run with a telling of its own looks like on a terminal, or as JSON."""

from __future__ import annotations

from rich.markup import escape

from flows.cli.printing import console, emit, linked, near, sentence
from flows.report import Telling


def show(told: Telling, where: str, *, as_json: bool) -> None:
    """The end of a run."""
    if as_json:
        facts = {"flow": told.flow, "run_id": told.run_id, "exit_code": told.exit_code, "next_step": told.next_step}
        emit({**facts, "report": where, **told.facts})
        return
    out = console()
    out.print(f"[bold {'yellow' if told.exit_code else 'green'}]{escape(told.lines[0])}[/]", soft_wrap=True)
    for line in told.lines[1:-1]:
        if line[:1] in {"!", "+", "?"}:
            sentence(out, line, "" if line.startswith("+") else "yellow")
        else:
            out.print(escape(line), soft_wrap=True)
    out.print(f"report   {linked(where, near(where))}", soft_wrap=True)
    out.print(escape(told.lines[-1]), soft_wrap=True)
