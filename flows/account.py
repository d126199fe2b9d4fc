"""From what a run did to the report it leaves, its exit code, and the one thing to do next. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from flows.planner import Item as PlanItem
from flows.planner import Plan, Verdict
from flows.report import Item, Outcome, RunReport, Trouble, Validated
from flows.steps import Done

FATES = {
    "stored": Outcome.BOUGHT,
    "recovered": Outcome.RECOVERED,
    "withheld": Outcome.WITHHELD,
    "lost": Outcome.LOST,
    "in doubt": Outcome.IN_DOUBT,
    "unfinished": Outcome.UNFINISHED,
    "failed": Outcome.BLOCKED,
    "refused": Outcome.BLOCKED,
    "left out": Outcome.LEFT_OUT,
}
WHY = {
    "stored": "bought and stored",
    "recovered": "paid for by an earlier run, finished by this one",
    "withheld": "billed, but the safety check gave no picture",
    "lost": "billed, but the link died before it was fetched",
    "in doubt": "no usable answer on record",
    "unfinished": "paid for, not fetched yet",
    "failed": "did not run, nothing billed",
    "refused": "refused as unsafe, nothing billed",
    "left out": "planned, but the run stopped first",
}
UNFINISHED = frozenset({Outcome.LOST, Outcome.IN_DOUBT, Outcome.UNFINISHED, Outcome.BLOCKED})


def account(done: Done, finished_at: datetime, assets: str, history: str) -> RunReport:
    """The report of a run."""
    plan, tally = done.prepared.plan, done.tally
    items = (*_moved(done), *_rest(plan))
    code = exit_code(items, plan, stopped=done.stopped is not None)
    loaded = done.prepared.loaded
    return RunReport(
        run_id=done.run_id,
        started_at=done.started_at,
        finished_at=finished_at,
        origin=plan.origin,
        validated=Validated(
            manifests=loaded.files,
            prompts=len({variant.prompt_id for variant in loaded.variants}),
            variants=len(loaded.variants),
            images=sum(variant.count for variant in loaded.variants),
        ),
        items=items,
        exit_code=code,
        next_step=next_step(items, done, code),
        problems=tuple(Trouble(t.what, t.subject, t.remedy) for t in tally.troubles),
        assets=assets,
        history=history,
        stored_bytes=tally.bytes,
        orphaned=sum(plan.departed.values()),
    )


def _moved(done: Done) -> Iterator[Item]:
    tally = done.tally
    for (name, fate), images in sorted(tally.counts.items()):
        if images:
            cost = Decimal(tally.micros[name, fate]) / 1_000_000
            yield Item(name, FATES[fate], images, WHY[fate], cost)


def _rest(plan: Plan) -> Iterator[Item]:
    for item in plan.items:
        name = item.variant.name
        had = min(item.wanted, item.counted) - item.in_doubt
        if had > 0:
            yield Item(name, Outcome.HAD, had, "in the history already")
        if item.in_doubt:
            yield Item(name, Outcome.IN_DOUBT, item.in_doubt, item.reason, item.each * item.in_doubt)
        if item.left_out:
            yield Item(name, Outcome.LEFT_OUT, item.left_out, item.reason)
        if item.verdict is Verdict.BLOCKED:
            yield Item(name, Outcome.BLOCKED, item.wanted - item.counted, item.reason)


def exit_code(items: tuple[Item, ...], plan: Plan, *, stopped: bool) -> int:
    """0 when all that was asked for is there; 4 when something is missing that running again, or you, can get."""
    missing = any(item.outcome in UNFINISHED for item in items)
    capped = any(_capped(item) for item in plan.items)
    return 4 if missing or capped or stopped else 0


def _capped(item: PlanItem) -> bool:
    return item.capped and item.left_out > 0


def next_step(items: tuple[Item, ...], done: Done, code: int) -> str:
    """The last line of every run."""
    fates = {item.outcome for item in items}
    if done.stopped:
        return done.remedy or "run `ideoflow generate` again, it goes on from here"
    if Outcome.IN_DOUBT in fates:
        return "`ideoflow recover` shows what is in doubt and how to settle it"
    if Outcome.UNFINISHED in fates:
        return "run `ideoflow generate` again, it fetches what is paid for"
    if Outcome.BLOCKED in fates or Outcome.LOST in fates:
        return "see the problems above; `ideoflow plan` shows what is still missing"
    if any(_capped(item) for item in done.prepared.plan.items):
        return "raise budget.per_run_usd, or run again for the next part"
    if code == 0 and done.prepared.plan.origin == "sandbox":
        return "look at the pictures, or list them with `ideoflow history`"
    return "`ideoflow history` lists what you have"
