"""Keeping Prefect's schedules in step with the settings, against a server that keeps what it is not told of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import DeploymentSchedule, StateType
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

from flows.errors import Unfinished
from flows.runtime.serving import Order, in_step, overlooked, serve

HERE = uuid4()


@dataclass
class Server:
    """What is asked of Prefect's client here, on schedules of one deployment."""

    schedules: list[DeploymentSchedule] = field(default_factory=list)

    def keep(self, *schedules: Any) -> None:
        self.schedules += [DeploymentSchedule(id=uuid4(), deployment_id=HERE, schedule=one) for one in schedules]

    async def read_deployment_schedules(self, deployment_id: UUID) -> list[DeploymentSchedule]:
        assert deployment_id == HERE
        return list(self.schedules)

    async def delete_deployment_schedule(self, deployment_id: UUID, schedule_id: UUID) -> None:
        assert deployment_id == HERE
        self.schedules = [one for one in self.schedules if one.id != schedule_id]

    def left(self) -> list[Any]:
        return [one.schedule for one in self.schedules]


def order(cron: str | None, timezone: str | None = "UTC") -> Order:
    return Order("x", "flows.generate.generate", "", {}, cron, timezone if cron else None)


def step(server: Server, wanted: Order) -> None:
    client: Any = server
    asyncio.run(in_step(client, HERE, wanted))


def test_a_schedule_that_is_gone_from_the_settings_is_taken_away() -> None:
    """Else a retention that was taken out would go on deleting."""
    server = Server()
    server.keep(CronSchedule(cron="30 2 * * *", timezone="UTC"))
    step(server, order(None))
    assert server.left() == []


def test_only_the_one_of_the_settings_stays_and_once() -> None:
    """Another hour, another zone, another kind and a second copy all go."""
    mine = CronSchedule(cron="0 6 * * *", timezone="Europe/Berlin")
    server = Server()
    server.keep(CronSchedule(cron="0 6 * * *", timezone="UTC"), mine, CronSchedule(cron="0 7 * * *"), mine)
    server.keep(IntervalSchedule.model_validate({"interval": 60}))
    step(server, order("0 6 * * *", "Europe/Berlin"))
    assert server.left() == [mine]


def test_a_schedule_that_was_not_taken_is_said() -> None:
    """Silence would mean that nothing ever runs."""
    with pytest.raises(Unfinished, match="did not take the schedule"):
        step(Server(), order("0 6 * * *"))


def test_what_goes_wrong_in_the_thread_is_told_by_whoever_waits() -> None:
    """A flow that cannot be loaded ends the serving with a sentence, before anything is served."""
    broken = Order("x", "flows.nowhere.nowhere", "", {})
    ready: list[bool] = []
    with pytest.raises(Unfinished, match=r"could not serve the flows.*nowhere"):
        serve(
            [broken],
            pause=False,
            alone=False,
            until=lambda: False,
            ready=lambda: ready.append(True),
            warn=lambda _: None,
        )
    assert ready == []


def test_a_scheduler_that_plans_nothing_is_noticed() -> None:
    """Two schedules, one of which the server has planned no run of."""
    planned, idle = uuid4(), uuid4()

    class Asked:
        async def read_flow_runs(self, *, deployment_filter: Any, flow_run_filter: Any, limit: int) -> list[str]:
            assert limit == 1
            assert flow_run_filter.state.type.any_ == [StateType.SCHEDULED]
            return ["a run"] if deployment_filter.id.any_ == [planned] else []

    client: Any = Asked()
    assert asyncio.run(overlooked(client, [planned, idle])) == 1
    assert asyncio.run(overlooked(client, [planned])) == 0
