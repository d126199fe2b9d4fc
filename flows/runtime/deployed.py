"""What a Prefect server has deployed, asked for `doctor`. Reads; changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import prefect
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.settings import get_current_settings

from flows.doctor.deployments import Deployment, Schedule, Server
from flows.report import words

PATIENCE_S = 20.0
PAGE = 100


def look() -> Server:
    """The configured server and its deployments; what is in the way is told, not raised."""
    url = str(get_current_settings().api.url or "")
    try:
        return asyncio.run(_look(url))
    except Exception as error:  # noqa: BLE001  whatever a client or a server has to say
        said = words.one_line(str(error), 200) or type(error).__name__
        return Server(url, ours=prefect.__version__, trouble=said)


async def _look(url: str) -> Server:
    async with asyncio.timeout(PATIENCE_S), get_client() as client:
        trouble = await client.api_healthcheck()
        if trouble is not None:
            raise trouble
        version = await client.api_version()
        found = tuple([one async for one in _deployments(client)])
    return Server(url, str(version), prefect.__version__, found)


async def _deployments(client: PrefectClient) -> AsyncIterator[Deployment]:
    flows: dict[UUID, str] = {}
    offset = 0
    while page := await client.read_deployments(limit=PAGE, offset=offset):
        for one in page:
            if one.flow_id not in flows:
                flows[one.flow_id] = (await client.read_flow(one.flow_id)).name
            yield Deployment(
                f"{flows[one.flow_id]}/{one.name}",
                one.entrypoint or "",
                tuple(_schedule(schedule) for schedule in one.schedules),
                one.paused,
                one.work_pool_name or "",
            )
        offset += len(page)


def _schedule(found: DeploymentSchedule) -> Schedule:
    schedule: Any = found.schedule
    interval = getattr(schedule, "interval", None)
    when = getattr(schedule, "cron", None) or getattr(schedule, "rrule", None)
    if when is None and interval is not None:
        when = f"every {interval.total_seconds():g} s"
    return Schedule(str(when), str(schedule.timezone or "UTC"), found.active, str(found.id))
