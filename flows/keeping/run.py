"""One retention run from beginning to end, whoever calls it: look, and if it is to be, sweep. Then the report.

Sweeping looks again while it holds the lock: what was shown may be an hour old.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow.compute as pc

from flows import labels
from flows.errors import HistoryBusy, InvalidInput, Refused
from flows.history.lock import lock
from flows.history.owners import this_process
from flows.history.parts import Parts
from flows.ideogram.catalogue import find, price_tier
from flows.keeping.account import report_of
from flows.keeping.outlook import Outlook, Wish, look, pictures
from flows.measuring import back_fill
from flows.pipeline.kit import Progress, Stop
from flows.report import words
from flows.report.filing import file
from flows.report.keeping import KeepingReport, to_json, to_markdown
from flows.retention.decide import Decisions, decide
from flows.retention.policy import Policy
from flows.retention.sweep import Broom, Swept, sweep
from flows.stepping import Step, plainly
from flows.workspace import Workspace

# Two clocks that are further apart than this make "older than 30 days" a guess.
CLOCKS_APART = timedelta(hours=6)


async def retain(
    ws: Workspace,
    wish: Wish,
    *,
    step: Step = plainly,
    tell: Callable[[Progress], None] = lambda _: None,
    stop: Stop | None = None,
) -> tuple[KeepingReport, str]:
    """Show what the policy would do, or do it: the report, and where it was written (nowhere when only shown)."""
    stop = Stop() if stop is None else stop
    outlook: Outlook = await step("read the policy and decide", look, ws, wish)
    if not wish.apply or not outlook.policy.enabled:
        seen = outlook
        shown = report_of(ws, seen.decisions, None, seen.run_id, seen.made_at, seen.refusals, seen.notes)
        return shown, ""
    outlook, swept = await step("trash and purge", carry_out, ws, wish, outlook, tell, stop)
    report = report_of(ws, outlook.decisions, swept, outlook.run_id, outlook.made_at, (), outlook.notes)
    written: tuple[KeepingReport, str] = await step("write the report", publish, ws, report)
    return written


def carry_out(
    ws: Workspace, wish: Wish, outlook: Outlook, tell: Callable[[Progress], None], stop: Stop
) -> tuple[Outlook, Swept]:
    """Sweep, alone: what it did, and the decisions it went by. Raises Refused where something speaks against it."""
    owner = this_process(outlook.run_id)
    with lock(ws.history, "retention", owner, token=ws.new_id(), now=ws.now()) as held:
        if not held:
            raise HistoryBusy("another retention run is at work here: try again when it is done")
        apart = abs(ws.history.now() - ws.now())
        if apart > CLOCKS_APART:
            span = words.duration(apart)
            raise Refused(f"the clocks of this machine and of {ws.history.url} are {span} apart: set them right")
        _unchanged(ws, outlook.policy)
        wanted = labels.called(ws.manifests(wish.manifests).variants, ws.settings.origin)
        labels.relabel(ws, wanted, outlook.run_id, "retain")
        # Under the lock once more: another run may have been at work since it was shown.
        fresh = replace(look(ws, wish), run_id=outlook.run_id, made_at=outlook.made_at)
        if fresh.refusals:
            raise Refused("\n".join(str(refusal) for refusal in fresh.refusals))
        parts = _OwnParts(ws.history, ws.new_id)
        broom = Broom(
            assets=ws.assets,
            parts=parts,
            holding=held,
            run_id=outlook.run_id,
            actor="retain",
            now=ws.now,
            new_id=ws.new_id,
            again=_Again(ws, wish, parts),
            record=_Record(ws),
            tell=lambda what, number: tell(Progress(what, "", number)),
            stopped=lambda: bool(stop),
        )
        return fresh, sweep(broom, fresh.decisions)


def _unchanged(ws: Workspace, policy: Policy) -> None:
    if ws.retention_policy().digest != policy.digest:
        raise Refused(f"{policy.file} was changed after this was decided: run `ideoflow retain` again and look at it")


class _OwnParts(Parts):
    """Parts that remember what they wrote themselves."""

    def __init__(self, storage: Any, new_name: Callable[[], str]) -> None:
        super().__init__(storage, new_name)
        self.written: set[str] = set()

    def write(self, dataset: str, month: str, rows: Any) -> str:
        path = super().write(dataset, month, rows)
        self.written.add(path)
        return path


class _Again:
    """Decides anew when rules, labels, holds or pictures may have changed: when others wrote, or the policy did."""

    def __init__(self, ws: Workspace, wish: Wish, parts: _OwnParts) -> None:
        self._ws, self._wish, self._parts = ws, wish, parts
        self._seen = self._others()

    def _others(self) -> frozenset[str]:
        listed = (*self._parts.listing("lifecycle"), *self._parts.listing("images"))
        return frozenset(listed) - self._parts.written

    def __call__(self, decisions: Decisions) -> Decisions:
        _unchanged(self._ws, decisions.policy)
        seen = self._others()
        if seen == self._seen:
            return decisions
        self._seen = seen
        images = pictures(self._ws, self._wish.manifests)
        return decide(images, decisions.policy, decisions.now, self._ws.settings.generate.timezone)


class _Record:
    """What outlives a purge: measured if it never was, and what making it again would cost today."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._price = ws.prices()
        self._known: dict[tuple[str, str], str | None] = {}

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        ids = [row["image_id"] for row in rows]
        back_fill(self._ws, lambda _: None, pc.field("image_id").isin(ids))
        return {row["image_id"]: {"reproduce_usd": self._usd(row), "paid_usd": row["cost_usd"]} for row in rows}

    def _usd(self, row: Mapping[str, Any]) -> str | None:
        key = (row["model"], row["options"])
        if key not in self._known:
            self._known[key] = self._asked(*key)
        return self._known[key]

    def _asked(self, model: str, options: str) -> str | None:
        endpoint = find(model or "")
        if endpoint is None:
            return None
        try:
            return f"{self._price(endpoint.model, price_tier(endpoint, json.loads(options or '{}'))).usd:f}"
        except InvalidInput:
            return None  # the book knows it no more; what was paid stands beside


def publish(ws: Workspace, report: KeepingReport) -> tuple[KeepingReport, str]:
    """Write the report: the report, which says so if that fails, and where its page is."""
    where, trouble = file(
        ws.reports, report.flow, report.started_at, report.run_id, record=to_json(report), page=to_markdown(report)
    )
    return replace(report, problems=(*report.problems, trouble)) if trouble else report, where
