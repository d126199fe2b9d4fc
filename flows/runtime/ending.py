"""How a run ends, as Prefect has it: the state and the event, decided from its `Ending` alone."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from flows.report.ending import Ending

log = logging.getLogger(__name__)


def final_state(ending: Ending, *, cancelled: bool = False) -> State[dict[str, Any]]:
    """Completed when all that was asked for is there; else Failed with the headline, and what to do next.

    Prefect would call a flow completed that returns: here an unfinished campaign alarms whoever watches states.
    `cancelled` says that somebody asked Prefect to end this run: then nothing else is a state it can end in.
    """
    if cancelled:
        return Cancelled(message=f"stopped as asked: {ending.gist}. Next: {ending.next_step}")
    if ending.exit_code:
        return Failed(message=f"{ending.headline}. Next: {ending.next_step}")
    return Completed(message=ending.gist, data=dict(ending.record))


async def cancelling() -> bool:
    """Whether somebody asked Prefect to cancel the flow run that this is called in."""
    run_id = flow_run.id
    if run_id is None:
        return False
    async with get_client() as client:
        state = (await client.read_flow_run(UUID(run_id))).state
    return state is not None and state.is_cancelling()


def announce(ending: Ending) -> None:
    """One event for the whole run, for automations: ``ideoflow.generate.finished`` or ``.unfinished``."""
    try:
        emit_event(
            event=f"ideoflow.{ending.flow}.{ending.verb}",
            resource={
                "prefect.resource.id": f"ideoflow.run.{ending.run_id}",
                "prefect.resource.name": f"{ending.flow} {ending.run_id}",
                "ideoflow.origin": ending.origin,
            },
            payload={**ending.record, **ending.extra},
        )
    except Exception as error:  # noqa: BLE001  an announcement that fails changes nothing about the run
        log.warning("Prefect did not take the event: %s", error)
