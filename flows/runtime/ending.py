"""How a run ends, as Prefect has it: the state, the result and the event, decided from the report alone."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from flows.report import Outcome, RunReport, Telling, headline, words

log = logging.getLogger(__name__)

_ALSO = (Outcome.RECOVERED, Outcome.WITHHELD, Outcome.LEFT_OUT)


def final_state(report: RunReport | Telling, where: str, *, cancelled: bool = False) -> State[dict[str, Any]]:
    """Completed when all that was asked for is there; else Failed with the headline, and what to do next.

    Prefect would call a flow completed that returns: here an unfinished campaign alarms whoever watches states.
    `cancelled` says that somebody asked Prefect to end this run: then nothing else is a state it can end in.
    """
    if cancelled:
        return Cancelled(message=f"stopped as asked: {gist(report)}. Next: {report.next_step}")
    if report.exit_code:
        line = report.headline if isinstance(report, Telling) else headline(report)
        return Failed(message=f"{line}. Next: {report.next_step}")
    return Completed(message=gist(report), data=record(report, where))


async def cancelling() -> bool:
    """Whether somebody asked Prefect to cancel the flow run that this is called in."""
    run_id = flow_run.id
    if run_id is None:
        return False
    async with get_client() as client:
        state = (await client.read_flow_run(UUID(run_id))).state
    return state is not None and state.is_cancelling()


def gist(report: RunReport | Telling) -> str:
    """``30 images bought, $1.98``; ``nothing to buy, 30 images there already``."""
    if isinstance(report, Telling):
        return report.gist
    bought = report.images(Outcome.BOUGHT)
    parts = [f"{words.count(bought, 'image')} bought, {words.money(report.spent_usd)}"] if bought else []
    parts += [f"{report.images(also):,} {also}" for also in _ALSO if report.images(also)]
    if not parts:
        return f"nothing to buy, {words.count(report.images(Outcome.HAD), 'image')} there already"
    return ", ".join(parts)


def record(report: RunReport | Telling, where: str) -> dict[str, Any]:
    """The flow's result, for whoever calls it from another flow: counts, money as text, places."""
    if isinstance(report, Telling):
        return {"run_id": report.run_id, "exit_code": report.exit_code, "report": where, **report.facts}
    return {
        "run_id": report.run_id,
        "exit_code": report.exit_code,
        "images": {tally.outcome.value: tally.images for tally in report.totals},
        "spent_usd": f"{report.spent_usd:f}",
        "report": where,
        "assets": report.assets,
        "history": report.history,
    }


def announce(report: RunReport | Telling, where: str) -> None:
    """One event for the whole run, for automations: ``ideoflow.generate.finished`` or ``.unfinished``."""
    verb = "unfinished" if report.exit_code else "finished"
    payload = record(report, where)
    if isinstance(report, RunReport):
        payload["at_risk_usd"] = f"{report.at_risk_usd:f}"
    try:
        emit_event(
            event=f"ideoflow.{report.flow}.{verb}",
            resource={
                "prefect.resource.id": f"ideoflow.run.{report.run_id}",
                "prefect.resource.name": f"{report.flow} {report.run_id}",
                "ideoflow.origin": report.origin,
            },
            payload=payload,
        )
    except Exception as error:  # noqa: BLE001  an announcement that fails changes nothing about the run
        log.warning("Prefect did not take the event: %s", error)
