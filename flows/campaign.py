"""One run of generate from beginning to end, whoever calls it: the steps in their order, and nothing else.

`step` runs one of them: the plain one just calls, Prefect's makes it a task. That is all the difference there
is between a run with a Prefect server and one without.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol, cast

from flows import steps
from flows.account import account
from flows.errors import StorageFull
from flows.history.claims import ClaimDesk
from flows.history.parts import Months
from flows.ids import month_of
from flows.outlook import would_free
from flows.pipeline.kit import Progress, Stop
from flows.report import RunReport
from flows.steps import Ask, Done, Prepared
from flows.workspace import Workspace


class Step(Protocol):
    """Runs a function of `flows.steps` under a name people see."""

    def __call__(self, name: str, function: Callable[..., Any], *args: Any) -> Awaitable[Any]: ...


async def plainly(name: str, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ARG001  the name is for others
    """A step without an orchestrator: blocking ones in a thread, so that a signal is still heard."""
    if inspect.iscoroutinefunction(function):
        return await function(*args)
    return await asyncio.to_thread(function, *args)


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
