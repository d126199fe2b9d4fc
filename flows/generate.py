"""The generate flow: the main job, as Prefect runs it. Deployments name it ``flows.generate.generate``."""

# Annotations are real objects here: a runner rebuilds the flow's form where names in quotes mean nothing.
from functools import partial
from typing import Annotated, Any, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from flows.campaign import run as campaign
from flows.campaign.steps import Ask
from flows.pipeline.kit import Stop
from flows.report import RunReport
from flows.report.campaign import ending
from flows.runtime import NOTHING_KEPT, Tell, conduct, watched_run


def _name() -> str:
    """What a run is called in lists, beside the flow's name: what was asked for."""
    asked = flow_run.parameters
    what = ", ".join(asked.get("select") or asked.get("manifest") or ["everything"])
    return what + (f", at most {asked['limit']}" if asked.get("limit") else "")


@flow(name="generate", flow_run_name=_name, **NOTHING_KEPT)
async def generate(
    manifest: list[str] = [],  # noqa: B006  the form shows these defaults, and no one changes them
    select: list[str] = [],  # noqa: B006
    limit: Annotated[int, Field(ge=0)] = 0,
    retry: list[Literal["withheld", "lost"]] = [],  # noqa: B006
    config: list[str] = [],  # noqa: B006
    project: str = "",
) -> State[dict[str, Any]]:
    """Buy the images that the manifest wants and the history has not, fetch them, record them.

    What is there already is never bought again, however often this runs, and a run that was killed is finished
    by the next one. It ends Failed when something asked for is still missing: the report says what, why, and
    what to do. Spending is capped by `budget` of the settings: per run, day and month.

    Args:
        manifest: Manifests to read: files, patterns or addresses. Empty: those of the settings.
        select: Only these: a prompt id, a variant, tag:x or campaign:x. Empty: everything.
        limit: Buy at most so many images. 0: no limit.
        retry: Buy paid images of these fates again: withheld by the safety check, or lost with their link.
        config: Overlays of the settings: a name such as s3, or a file of the project.
        project: The project's folder. Empty: IDEOFLOW_PROJECT, or the folder that the worker runs in.
    """
    ask = Ask(tuple(manifest), tuple(select), limit or None, tuple(retry))
    return await conduct("generate", project, config, partial(campaign.generate, ask=ask), ending)


def run_flow(ask: Ask, project: str, config: list[str], tell: Tell, stop: Stop) -> tuple[RunReport, str]:
    """The flow, in this process, for the command line: the report and where it is, as the plain function has it."""
    asked = {
        "manifest": list(ask.manifests),
        "select": list(ask.select),
        "limit": ask.limit or 0,
        "retry": list(ask.retry),
    }
    return watched_run(
        "generate", lambda: generate(**asked, config=config, project=project, return_state=True), tell, stop
    )
