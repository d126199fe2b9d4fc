"""Putting a run's report where reports are kept, the same for every flow. Knows files, no report's content."""

from __future__ import annotations

from datetime import datetime

from flows.errors import StorageTrouble
from flows.report.model import Trouble
from flows.report.troubles import unwritten
from flows.storage import Storage


def file(
    reports: Storage, flow: str, started_at: datetime, run_id: str, *, record: str, page: str
) -> tuple[str, Trouble | None]:
    """Write a report as JSON (`record`) and Markdown (`page`): where the Markdown is.

    Where that fails it is nowhere, and the trouble says so: what the run did is on record, this is only about it.
    """
    # The whole run id is inside; its random end tells runs of one second apart, and the line fits a terminal.
    stem = f"{started_at:%Y-%m-%d}/{flow}-{started_at:%H%M%S}-{run_id[-8:]}"
    try:
        reports.write(f"{stem}.json", record.encode())
        reports.write(f"{stem}.md", page.encode())
    except StorageTrouble as trouble:
        return "", unwritten(trouble, reports.url)
    return reports.where(f"{stem}.md"), None
