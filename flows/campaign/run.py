"""One run of generate from beginning to end, whoever calls it: the steps in their order, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from flows.campaign import steps
from flows.campaign.account import account
from flows.campaign.steps import Ask, Done, Prepared
from flows.errors import StorageFull
from flows.history.claims import ClaimDesk
from flows.history.parts import Months
from flows.ids import month_of
from flows.keeping.outlook import would_free
from flows.pipeline.kit import Progress, Stop
from flows.report import RunReport
from flows.stepping import Step, plainly
from flows.workspace import Workspace


async def generate(
    ws: Workspace,
    ask: Ask,
    *,
    step: Step = plainly,
    tell: Callable[[Progress], None] = lambda _: None,
    stop: Stop | None = None,
    desk: ClaimDesk | None = None,
) -> tuple[RunReport, str]:
    """Buy what is missing and keep it: the report, and where it was written. `desk` as in `steps.prepare`."""
    stop = Stop() if stop is None else stop  # an unasked Stop is falsy
    prepared = await step("read and plan", steps.prepare, ws, ask, desk)
    tell(Progress("planned", "", prepared.images))
    done = await _bought(ws, prepared, ask, step, tell, stop)
    bought = Months(month_of(done.run_id))
    done = await step("measure the pictures", steps.measured, ws, done, tell, bought)
    if done.full:
        done = replace(done, remedy=await asyncio.to_thread(_room, ws, done.remedy))
    report = account(done, ws.now(), ws.assets.url, ws.history.url)
    written: tuple[RunReport, str] = await step("write the report", steps.publish, ws, report)
    return written


async def _bought(
    ws: Workspace, prepared: Prepared, ask: Ask, step: Step, tell: Callable[[Progress], None], stop: Stop
) -> Done:
    try:
        return cast("Done", await step("buy, fetch and record", steps.carry_out, ws, prepared, ask, tell, stop))
    except StorageFull as trouble:
        raise StorageFull(await asyncio.to_thread(_room, ws, f"{trouble}. Make room and run again")) from trouble


def _room(ws: Workspace, remedy: str) -> str:
    """A remedy, and what clearing up would bring."""
    return f"{remedy}; {would_free(ws)}"
