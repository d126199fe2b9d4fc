"""The maintain flow: upkeep, as Prefect runs it. Deployments name it ``flows.maintain.maintain``."""

# Annotations are real objects here: a runner rebuilds the flow's form where names in quotes mean nothing.
from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows import upkeep
from flows.runtime import NOTHING_KEPT, conduct


def _name() -> str:
    """What a run is called in lists, beside the flow's name: what was asked for."""
    subset = flow_run.parameters.get("subset")
    return f"share {subset}" if subset else "all pictures"


@flow(name="maintain", flow_run_name=_name, **NOTHING_KEPT)
async def maintain(
    subset: str = "",
    compact: bool = False,
    config: list[str] = [],  # noqa: B006  the form shows these defaults, and no one changes them
    project: str = "",
) -> State[dict[str, Any]]:
    """Finish what killed runs left, seal the journal, measure what is not measured, verify every picture.

    No picture is deleted. One that is missing, cut off, changed or undecodable is recorded as such, and so is one
    that is back. It ends Failed when a picture turned out damaged, or when something is left to do.

    Args:
        subset: Share of the pictures whose bytes are read: 2/7, or today/7 for another seventh every day. Empty: all.
        compact: Merge the history's files of closed months too, and bring old ones up to the present columns.
        config: Overlays of the settings: a name such as s3, or a file of the project.
        project: The project's folder. Empty: IDEOFLOW_PROJECT, or the folder that the worker runs in.
    """
    return await conduct(
        "maintain", project, config, partial(upkeep.maintain, subset=subset, compact=compact), upkeep.ending
    )
