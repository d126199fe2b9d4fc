"""Deployments served by this process: registered, kept in step with the settings, run when they are due.

Prefect's own runner does the work, in a thread of its own: it takes signals only in the main one, and there the
command listens for them and decides. Every run is a process of its own, which imports the flow by its name.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import load_flow_from_entrypoint
from prefect.runner import Runner
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from flows.errors import Unfinished

LOOK_S = 0.2
LEAVE_S = 60.0
# A server looks for what is to be scheduled at least every minute.
PATIENCE_S = 150.0


@dataclass(frozen=True)
class Order:
    """One deployment to serve. `cron` and `timezone` are None together: then only people start it."""

    name: str
    entrypoint: str
    description: str
    parameters: Mapping[str, Any]
    cron: str | None = None
    timezone: str | None = None


@dataclass
class _Line:
    """The thread that serves, and how to reach what is in it."""

    pause: bool
    alone: bool
    ready: Callable[[], object]
    warn: Callable[[str], object]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    runner: Runner | None = None
    failure: BaseException | None = None

    def run(self, orders: Sequence[Order]) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self.loop) as loop:
                loop.run(self._serve(orders))
        except BaseException as error:  # noqa: BLE001  told by whoever waits for this thread
            self.failure = error

    async def _serve(self, orders: Sequence[Order]) -> None:
        runner = Runner(name="ideoflow", pause_on_shutdown=self.pause)
        ids = [await runner.aadd_deployment(_deployment(order)) for order in orders]
        async with get_client() as client:
            for order, deployment_id in zip(orders, ids, strict=True):
                await in_step(client, deployment_id, order)
            if self.alone:
                await bury(client, ids)
        self.runner = runner
        self.ready()
        planned = [one for order, one in zip(orders, ids, strict=True) if order.cron is not None]
        watching = asyncio.create_task(self._watch(planned))
        try:
            await runner.start()
        finally:
            watching.cancel()

    async def _watch(self, planned: Sequence[UUID]) -> None:
        """A server whose scheduler is broken looks like any other: nothing ever runs, and nobody is told."""
        await asyncio.sleep(PATIENCE_S)
        async with get_client() as client:
            if idle := await overlooked(client, planned):
                self.warn(f"Prefect's server has planned no run of {idle} of the schedules: look into its log")

    def leave(self) -> None:
        """Ask the runs to stop, and wait for them as long as Prefect does."""
        if self.runner is not None and self.runner.started:
            asyncio.run_coroutine_threadsafe(self.runner.astop(), self.loop).result(LEAVE_S)


def serve(
    orders: Sequence[Order],
    *,
    pause: bool,
    alone: bool,
    until: Callable[[], bool],
    ready: Callable[[], object],
    warn: Callable[[str], object],
) -> None:
    """Serve until `until`. `ready` is called when all is registered, `warn` with what is odd afterwards.

    `pause`: on leaving, nobody will run what is scheduled, so let the server not schedule it. `alone`: nobody else
    serves these deployments, so that a run that is under way now belongs to a process that was killed.
    """
    line = _Line(pause, alone, ready, warn)
    thread = threading.Thread(target=line.run, args=(orders,), name="serving", daemon=True)
    thread.start()
    while thread.is_alive() and not until():
        thread.join(LOOK_S)
    if thread.is_alive():
        line.leave()
        thread.join(LEAVE_S)
    if line.failure is not None:
        raise Unfinished(f"Prefect could not serve the flows: {line.failure}") from line.failure


def _deployment(order: Order) -> RunnerDeployment:
    return RunnerDeployment.from_flow(
        load_flow_from_entrypoint(order.entrypoint),
        name=order.name,
        description=order.description,
        parameters=dict(order.parameters),
        schedules=[DeploymentScheduleCreate(schedule=one, active=True) for one in _schedules(order)],
        # A run that is due while the last one is at work has nothing to add: what is left, the next one does.
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _schedules(order: Order) -> Iterator[CronSchedule]:
    if order.cron is not None:
        yield CronSchedule(cron=order.cron, timezone=order.timezone)


async def in_step(client: PrefectClient, deployment_id: UUID, order: Order) -> None:
    """Take away every schedule that the settings no longer have: Prefect keeps what it is not told of.

    A schedule of retain that lived on after it was taken out of the settings would go on deleting.
    """
    wanted = [(one.cron, one.timezone) for one in _schedules(order)]
    for schedule in await client.read_deployment_schedules(deployment_id):
        known = schedule.schedule
        spelt = (known.cron, known.timezone) if isinstance(known, CronSchedule) else None
        if spelt in wanted:
            wanted.remove(spelt)
        else:
            await client.delete_deployment_schedule(deployment_id, schedule.id)
    if wanted:
        raise Unfinished(f"Prefect did not take the schedule of {order.name}: {wanted[0]}")


async def overlooked(client: PrefectClient, deployment_ids: Sequence[UUID]) -> int:
    """How many of these deployments, all with a schedule, have no run planned."""
    idle = 0
    for deployment_id in deployment_ids:
        planned = await client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id])),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
            ),
            limit=1,
        )
        idle += not planned
    return idle


async def bury(client: PrefectClient, deployment_ids: Sequence[UUID]) -> None:
    """Say of runs whose process was killed that they crashed: else they would hold the place of the next one."""
    killed = await client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=list(deployment_ids))),
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(
                type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
            )
        ),
    )
    for run in killed:
        message = "the process that served it was killed; the next run goes on from there"
        await client.set_flow_run_state(run.id, Crashed(message=message), force=True)
