"""From what a run did to the report it leaves, its exit code, and the one thing to do next. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from flows.budget.limits import Cap, Caps
from flows.campaign.steps import Done, Prepared
from flows.planner import Plan, Verdict
from flows.report import Item, Outcome, RunReport, Trouble, Validated
from flows.report.troubles import Troubles

FATES = {
    "stored": (Outcome.BOUGHT, "bought and stored"),
    "recovered": (Outcome.RECOVERED, "paid for by an earlier run, finished by this one"),
    "withheld": (Outcome.WITHHELD, "billed, but the safety check gave no picture"),
    "lost": (Outcome.LOST, "billed, but the link died before it was fetched"),
    "in doubt": (Outcome.IN_DOUBT, "no usable answer on record"),
    "unfinished": (Outcome.UNFINISHED, "paid for, not fetched yet"),
    "failed": (Outcome.BLOCKED, "did not run, nothing billed"),
    "refused": (Outcome.BLOCKED, "refused as unsafe, nothing billed"),
    "left out": (Outcome.LEFT_OUT, "planned, but the run stopped first"),
    "elsewhere": (Outcome.HAD, "bought by another run at the same time"),
}
UNFINISHED = frozenset({Outcome.LOST, Outcome.IN_DOUBT, Outcome.UNFINISHED, Outcome.BLOCKED})


def account(done: Done, finished_at: datetime, assets: str, history: str) -> RunReport:
    """The report of a run. For every variant its items add up to what is wanted of it, or to more where more is there.

    More than wanted is reported when a count was lowered while a request was open, or an answer came so late that
    its request had been bought again.
    """
    plan, tally = done.prepared.plan, done.tally
    items = (*_moved(done), *_rest(done.prepared), *_strays(done.prepared))
    code = exit_code(items, done)
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
        problems=tuple(_problems(done)),
        assets=assets,
        history=history,
        stored_bytes=tally.bytes,
        orphaned=sum(plan.departed.values()),
    )


def _moved(done: Done) -> Iterator[Item]:
    tally = done.tally
    for (name, fate), images in sorted(tally.counts.items()):
        if images:
            outcome, why = FATES[fate]
            yield Item(name, outcome, images, why, Decimal(tally.micros[name, fate]) / 1_000_000)


def _rest(prepared: Prepared) -> Iterator[Item]:
    # What was counted when the plan was made, and was then finished by this run, is told of as finished.
    finished: Counter[str] = Counter()
    for entry in prepared.recoverable:
        finished[entry.fingerprint] += entry.counted
    for item in prepared.plan.items:
        name = item.variant.name
        had = min(item.wanted, item.counted - item.in_doubt - (0 if item.shared else finished[item.fingerprint]))
        if had > 0:
            yield Item(name, Outcome.HAD, had, item.reason if item.shared else "in the history already")
        if item.in_doubt:
            yield Item(name, Outcome.IN_DOUBT, item.in_doubt, item.reason, item.each * item.in_doubt)
        if item.left_out:
            yield Item(name, Outcome.LEFT_OUT, item.left_out, item.reason)
        if item.verdict is Verdict.BLOCKED:
            yield Item(name, Outcome.BLOCKED, item.wanted - item.counted, item.reason)


def _strays(prepared: Prepared) -> Iterator[Item]:
    for entry in prepared.strays:
        claim, why = entry.request, prepared.doubts[entry.id]
        name = claim.labels.variant if claim else entry.id
        usd = claim.price_usd * claim.images if claim else Decimal(0)
        yield Item(name, Outcome.IN_DOUBT, entry.counted, why, usd)


def _problems(done: Done) -> Iterator[Trouble]:
    if done.resubmitted:
        yield Trouble(
            "requests in doubt were given up as not run and bought again, as generate.in_doubt says",
            f"{done.resubmitted} requests",
            "should one have run after all, its answer is reported as paid twice",
        )
    blocked = Troubles()
    for item in done.prepared.plan.items:
        if item.verdict is Verdict.BLOCKED:
            blocked.add("refused as unsafe by an earlier run", item.variant.name, "change the prompt")
    yield from blocked
    yield from done.tally.troubles


def exit_code(items: tuple[Item, ...], done: Done) -> int:
    """0 when all that was asked for is there; 4 when something is missing that running again, or you, can get.

    Images left out because somebody asked for fewer (`--limit`) are not missing; those left out in mid-run are. A
    stop that came when nothing was left to do has left nothing undone.
    """
    missing = any(item.outcome in UNFINISHED for item in items)
    cut_short = done.tally.undone or done.tally.total("left out") > 0
    return 4 if missing or cut_short or _capped(done.prepared.plan) is not None else 0


def _capped(plan: Plan) -> Cap | None:
    """The first cap that leaves something out of the plan."""
    return next((item.cap for item in plan.items if item.cap and item.left_out), None)


def next_step(items: tuple[Item, ...], done: Done, code: int) -> str:
    """The last line of every run."""
    fates = {item.outcome for item in items}
    plan = done.prepared.plan
    if done.stopped and code:
        return done.remedy or "run `ideoflow generate` again, it goes on from here"
    if Outcome.IN_DOUBT in fates:
        return "`ideoflow recover` shows what is in doubt and how to settle it"
    if Outcome.UNFINISHED in fates:
        return "run `ideoflow generate` again, it fetches what is paid for"
    if Outcome.BLOCKED in fates or Outcome.LOST in fates:
        return "see the problems above; `ideoflow plan` shows what is still missing"
    if done.tally.cap_remedy:
        return done.tally.cap_remedy
    if cap := _capped(plan):
        return Caps.remedy(cap)
    if code:
        return "run `ideoflow generate` again for what was left out"
    if plan.left_out:
        return f"run `ideoflow generate` again for the {plan.left_out} left out"
    if plan.origin == "sandbox":
        return "look at the pictures, or list them with `ideoflow history`"
    return "`ideoflow history` lists what you have"
