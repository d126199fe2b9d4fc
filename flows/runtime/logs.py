"""Our log lines, in the log of the flow run: what `flows.*` says through the standard library.

Nothing passes that looks like a signed link, and no key: both are replaced by asterisks, whoever logged them.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger

from flows.ideogram.links import redact_text

LOGGER = "flows"
MAX_CHARS = 4000

Speaker = logging.Logger | logging.LoggerAdapter[Any]


class Bridge(logging.Handler):
    """Passes records on to the run's logger: the task's where a task speaks, else the flow's."""

    def __init__(self, speaker: Speaker) -> None:
        super().__init__(logging.INFO)
        self._speaker = speaker
        self._secrets: tuple[str, ...] = ()

    def hide(self, secrets: Sequence[str]) -> None:
        """Never let these pass."""
        self._secrets = tuple(secret for secret in secrets if secret)

    def emit(self, record: logging.LogRecord) -> None:
        """As `logging` has it; a log that cannot be written never stops a run."""
        try:
            text = record.getMessage()
            if record.exc_info:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
            self._here().log(record.levelno, "%s", self.clean(text))
        except Exception:  # noqa: BLE001  see above; `handleError` is how logging says so
            self.handleError(record)

    def clean(self, text: str) -> str:
        """`text` without signatures and keys, of a bearable length."""
        text = redact_text(text)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + "…"

    def _here(self) -> Speaker:
        try:
            return get_run_logger()
        except MissingContextError:
            return self._speaker  # a thread of the pipeline, which has no context of Prefect's


class _NoEmptyTraceback(logging.Filter):
    """A task that ends Failed by a sentence is logged by Prefect with the traceback of no exception at all."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info is not None and record.exc_info[0] is None:
            record.exc_info = None
        return True


@contextlib.contextmanager
def bridged() -> Iterator[Bridge]:
    """For the block, what `flows.*` logs from INFO on goes into the flow run's log. Call it inside a flow."""
    logger, tasks, tidy = logging.getLogger(LOGGER), logging.getLogger("prefect.task_runs"), _NoEmptyTraceback()
    bridge, level, propagates = Bridge(get_run_logger()), logger.level, logger.propagate
    logger.addHandler(bridge)
    tasks.addFilter(tidy)
    logger.setLevel(min(logging.INFO, logger.getEffectiveLevel()))
    # The run's logger prints as well; upwards, each line would be printed twice.
    logger.propagate = False
    try:
        yield bridge
    finally:
        tasks.removeFilter(tidy)
        logger.removeHandler(bridge)
        logger.setLevel(level)
        logger.propagate = propagates
