"""From decisions and what was done about them to the report of a retention run, and the one thing to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np

from flows.report import Trouble, words
from flows.report.keeping import Example, KeepingReport, Line, Sum
from flows.retention.decide import Decisions
from flows.retention.facts import Ints
from flows.retention.paragraph import paragraph
from flows.retention.reasons import grouped, says
from flows.retention.refusals import Refusal
from flows.retention.sweep import Swept
from flows.workspace import Workspace

EXAMPLES = 1_000
NAMED = 50


def report_of(
    ws: Workspace,
    decisions: Decisions,
    swept: Swept | None,
    run_id: str,
    began: datetime,
    refusals: Sequence[Refusal] = (),
    notes: Sequence[str] = (),
) -> KeepingReport:
    """The report. `swept` None: it was only shown."""
    outcomes = {
        "purged": decisions.purged,
        "trashed": decisions.newly_trashed,
        "restored": decisions.restored,
        "in the trash": decisions.waiting,
        "kept": decisions.kept,
    }
    sums = {name: Sum(len(rows), decisions.bytes_of(rows)) for name, rows in outcomes.items()}
    if swept is not None:
        sums["purged"] = Sum(swept.purged, swept.freed)
        for name, done in (("trashed", swept.trashed), ("restored", swept.restored)):
            sums[name] = sums[name] if done == sums[name].images else Sum(done, 0)
    problems = (*(Trouble(one.what, "the whole run", one.remedy) for one in refusals), *_troubles(swept))
    code = 4 if swept is not None and (swept.changed or swept.stopped) else 0
    return KeepingReport(
        run_id=run_id,
        started_at=began,
        finished_at=ws.now(),
        origin=ws.settings.origin,
        applied=swept is not None,
        policy=decisions.policy.file,
        paragraph=paragraph(decisions.policy),
        sums=sums,
        lines=tuple(_lines(decisions, outcomes)),
        examples=tuple(_examples(decisions, outcomes)),
        exit_code=code,
        next_step=next_step(decisions, swept, run_id, refusals),
        problems=problems,
        notes=(*notes, *_notes(swept)),
        freed=swept.freed if swept else 0,
        assets=ws.assets.url,
        history=ws.history.url,
    )


def _lines(decisions: Decisions, outcomes: dict[str, Ints]) -> Iterator[Line]:
    for outcome, rows in outcomes.items():
        for one in grouped(decisions, rows):
            yield Line(outcome, one.campaign, one.reason, one.images, one.bytes, one.oldest)


def _examples(decisions: Decisions, outcomes: dict[str, Ints]) -> Iterator[Example]:
    """Whole decisions: all that change something, as far as a report can hold them, the oldest first."""
    for outcome, rows in outcomes.items():
        if outcome == "kept":
            continue
        for row in rows[np.argsort(decisions.at[rows], kind="stable")][:EXAMPLES].tolist():
            name = decisions.images["variant"][row].as_py()
            yield Example(decisions.images["image_id"][row].as_py(), name or "", says(decisions, row))


def _troubles(swept: Swept | None) -> Iterator[Trouble]:
    if swept is None:
        return
    for name in swept.changed[:NAMED]:
        what = "its file is not the one that was bought, so that it was not deleted"
        yield Trouble(what, name, "`ideoflow maintain` says what is wrong with it; `ideoflow decide hold` keeps it")
    if len(swept.changed) > NAMED:
        yield Trouble(f"{len(swept.changed) - NAMED} more like these", "the rest", "the history names them all")
    for name in swept.gone[:NAMED]:
        yield Trouble("its file was not there any more", name, "recorded as missing; nothing is left to do")


def _notes(swept: Swept | None) -> Iterator[str]:
    if swept is not None and swept.finished:
        yield f"{words.count(swept.finished, 'picture')} deleted that an earlier run had recorded and not come to"
    if swept is not None and swept.spared:
        yield f"{words.count(swept.spared, 'picture')} spared: rules, labels or holds changed in mid-run"


def next_step(decisions: Decisions, swept: Swept | None, run_id: str, refusals: Sequence[Refusal]) -> str:
    """The last line of every run."""
    policy = decisions.policy
    if not policy.digest:
        return f"write {policy.file} to say what may go"
    if not policy.enabled:
        return f"set `enabled: true` in {policy.file} once this is what you want"
    if swept is None:
        if refusals:
            return f"this would be refused: {refusals[0].remedy}"
        if len(decisions.newly_trashed) or len(decisions.purged) or len(decisions.restored):
            return "`ideoflow retain --apply` does this"
        return "nothing has to go today"
    if swept.stopped:
        return "run `ideoflow retain --apply` again, it goes on from here"
    if swept.changed:
        return "look at the pictures named above; `ideoflow maintain` verifies them"
    if swept.trashed:
        until = decisions.now + policy.grace
        return f"`ideoflow restore {run_id}` undoes it, until {until:%Y-%m-%d %H:%M} UTC"
    return "nothing is left to do; `ideoflow retain` shows what is kept and why"
