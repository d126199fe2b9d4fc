"""The audit flow: the brand audit, as Prefect runs it. Deployments name it ``flows.audit.audit``."""

# Annotations are real objects here: a runner rebuilds the flow's form where names in quotes mean nothing.
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows import auditing
from flows.pipeline.kit import Stop
from flows.report.audit.ending import ending
from flows.report.audit.model import Audit
from flows.runtime import NOTHING_KEPT, Tell, conduct, watched_run


@flow(name="audit", flow_run_name="everything", **NOTHING_KEPT)
async def audit(config: list[str] = [], project: str = "") -> State[dict[str, Any]]:  # noqa: B006  the form shows it
    """Measure every picture against its brand and its record, and write one page about it.

    Changes no picture and buys nothing. It ends Failed when something found is at or over `fail_on` of
    `configs/audit.yaml`: the page says what, by which measure, and what to do about it.

    Args:
        config: Overlays of the settings: a name such as s3, or a file of the project.
        project: The project's folder. Empty: IDEOFLOW_PROJECT, or the folder that the worker runs in.
    """
    return await conduct("audit", project, config, auditing.audit, ending)


def run_flow(project: str, config: list[str], tell: Tell, stop: Stop) -> tuple[Audit, str]:
    """The flow, in this process, for the command line: the audit and where its page is."""
    return watched_run("audit", lambda: audit(config=config, project=project, return_state=True), tell, stop)
