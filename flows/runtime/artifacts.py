"""What a run leaves in the Prefect UI: its page, and tables such as what went wrong and what it cost.

Artifacts take strings, ints and floats only, and each one is a row in Prefect's database: endings are short. The
whole truth is in the report's own files.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable
from typing import TypeVar

from prefect.artifacts import acreate_link_artifact, acreate_markdown_artifact, acreate_table_artifact

from flows.report.ending import Ending

log = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE_S = 15.0
_ENTITY = re.compile(r"&#(\d+);")


async def attempt(call: Awaitable[T]) -> T | None:
    """The call's result, or None: a server that is slow, full or gone costs something to look at, not the run."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await call
    except Exception as error:  # noqa: BLE001  see above
        log.warning("Prefect did not answer: %s", str(error) or type(error).__name__)
        return None


async def show(ending: Ending) -> None:
    """The artifacts of one run, most useful first. Their keys stay the same: the UI keeps the versions.

    When one is not taken, the others are not tried: a server that is away is waited for once.
    """
    key = f"{ending.flow}-report"
    if await attempt(acreate_markdown_artifact(page(ending), key=key, description=ending.gist)) is None:
        return
    if ending.link:
        key, text = f"{ending.flow}-link", f"The {ending.flow} page"
        if await attempt(acreate_link_artifact(ending.link, text, key=key, description=ending.gist)) is None:
            return
    for table in ending.tables:
        key = f"{ending.flow}-{table.key}"
        if await attempt(acreate_table_artifact(table.few, key=key, description=table.about)) is None:
            return


def page(ending: Ending) -> str:
    """The page as Prefect's viewer likes it: it shows numeric entities as they are written but knows backslashes."""
    text = _ENTITY.sub(lambda match: "\\" + chr(int(match[1])), ending.markdown)
    return f"{text}\n---\n\nWritten to `{ending.where}`\n" if ending.where else text
