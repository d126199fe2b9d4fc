"""The retain flow: the policy carried out, as Prefect runs it. Deployments name it ``flows.retain.retain``."""

# Annotations are real objects here: a runner rebuilds the flow's form where names in quotes mean nothing.
from functools import partial
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from flows.keeping import run as keeping
from flows.keeping.outlook import Wish
from flows.pipeline.kit import Stop
from flows.report.keeping import KeepingReport, ending
from flows.runtime import NOTHING_KEPT, Tell, conduct, watched_run


def _name() -> str:
    """What a run is called in lists, beside the flow's name."""
    return "show" if flow_run.parameters.get("dry_run", True) else "apply"


@flow(name="retain", flow_run_name=_name, **NOTHING_KEPT)
async def retain(
    dry_run: bool = True,
    max_fraction: Annotated[float, Field(ge=0, le=1)] = 0,
    manifest: list[str] = [],  # noqa: B006  the form shows these defaults, and no one changes them
    config: list[str] = [],  # noqa: B006
    project: str = "",
) -> State[dict[str, Any]]:
    """Clean up by the policy of `configs/retention.yaml`: to the trash first, for good after the grace period.

    Every decision has its reasons, every deletion is recorded before it happens, and `ideoflow restore` undoes what
    is in the trash. It does nothing while the policy is switched off. It ends Failed where it was refused, or where a
    file is not the one that was bought: the report says which, why, and what to do.

    Args:
        dry_run: Only show what would be done, and change nothing.
        max_fraction: Let one run trash up to this part of a brand, such as 0.6. 0: what the policy says.
        manifest: Manifests whose names and classes hold. Empty: those of the settings.
        config: Overlays of the settings: a name such as s3, or a file of the project.
        project: The project's folder. Empty: IDEOFLOW_PROJECT, or the folder that the worker runs in.
    """
    wish = Wish(not dry_run, max_fraction or None, tuple(manifest))
    return await conduct("retain", project, config, partial(keeping.retain, wish=wish), ending)


def run_flow(wish: Wish, project: str, config: list[str], tell: Tell, stop: Stop) -> tuple[KeepingReport, str]:
    """The flow, in this process, for the command line: the report and where it is, as the plain function has it."""
    asked: dict[str, Any] = {
        "dry_run": not wish.apply,
        "max_fraction": wish.max_fraction or 0,
        "manifest": list(wish.manifests),
    }
    return watched_run("retain", lambda: retain(**asked, config=config, project=project, return_state=True), tell, stop)
