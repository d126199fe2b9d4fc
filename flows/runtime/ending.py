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

from flows.report import Outcome, RunReport, headline, summary_lines, words
from flows.report.brief import Brief, Told

log = logging.getLogger(__name__)

_ALSO = (Outcome.RECOVERED, Outcome.WITHHELD, Outcome.LEFT_OUT)


def in_brief(report: RunReport | Told, where: str) -> Brief:
    """Any report, as this room needs it; the page and the tables of generate's own are made in `artifacts`."""
    if not isinstance(report, RunReport):
        return report.brief(where)
    return Brief(
        flow=report.flow,
        run_id=report.run_id,
        origin=report.origin,
        exit_code=report.exit_code,
        headline=headline(report),
        gist=gist(report),
        next_step=report.next_step,
        lines=summary_lines(report),
        page="",
        record=record(report, where),
    )


def final_state(report: RunReport | Told, where: str, *, cancelled: bool = False) -> State[dict[str, Any]]:
    """Completed when all that was asked for is there; else Failed with the headline, and what to do next.

    Prefect would call a flow completed that returns: here an unfinished campaign alarms whoever watches states.
    `cancelled` says that somebody asked Prefect to end this run: then nothing else is a state it can end in.
    """
    brief = in_brief(report, where)
    if cancelled:
        return Cancelled(message=f"stopped as asked: {brief.gist}. Next: {brief.next_step}")
    if brief.exit_code:
        return Failed(message=f"{brief.headline}. Next: {brief.next_step}")
    return Completed(message=brief.gist, data=dict(brief.record))


async def cancelling() -> bool:
    """Whether somebody asked Prefect to cancel the flow run that this is called in."""
    run_id = flow_run.id
    if run_id is None:
        return False
    async with get_client() as client:
        state = (await client.read_flow_run(UUID(run_id))).state
    return state is not None and state.is_cancelling()


def gist(report: RunReport) -> str:
    """``30 images bought, $1.98``; ``nothing to buy, 30 images there already``."""
    bought = report.images(Outcome.BOUGHT)
    parts = [f"{words.count(bought, 'image')} bought, {words.money(report.spent_usd)}"] if bought else []
    parts += [f"{report.images(also):,} {also}" for also in _ALSO if report.images(also)]
    if not parts:
        return f"nothing to buy, {words.count(report.images(Outcome.HAD), 'image')} there already"
    return ", ".join(parts)


def record(report: RunReport, where: str) -> dict[str, Any]:
    """The flow's result, for whoever calls it from another flow: counts, money as text, places."""
    return {
        "run_id": report.run_id,
        "exit_code": report.exit_code,
        "images": {tally.outcome.value: tally.images for tally in report.totals},
        "spent_usd": f"{report.spent_usd:f}",
        "report": where,
        "assets": report.assets,
        "history": report.history,
    }


def announce(report: RunReport | Told, where: str) -> None:
    """One event for the whole run, for automations: ``ideoflow.generate.finished`` or ``.unfinished``."""
    brief = in_brief(report, where)
    verb = "unfinished" if brief.exit_code else "finished"
    more = {"at_risk_usd": f"{report.at_risk_usd:f}"} if isinstance(report, RunReport) else {}
    try:
        emit_event(
            event=f"ideoflow.{brief.flow}.{verb}",
            resource={
                "prefect.resource.id": f"ideoflow.run.{brief.run_id}",
                "prefect.resource.name": f"{brief.flow} {brief.run_id}",
                "ideoflow.origin": brief.origin,
            },
            payload={**brief.record, **more},
        )
    except Exception as error:  # noqa: BLE001  an announcement that fails changes nothing about the run
        log.warning("Prefect did not take the event: %s", error)
