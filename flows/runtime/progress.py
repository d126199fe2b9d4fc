"""How far a run is, in the Prefect UI: one artifact, moved every few seconds, and a line in the log with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from flows.pipeline.kit import Progress
from flows.report import words
from flows.runtime.artifacts import attempt

log = logging.getLogger(__name__)

EVERY_S = 3.0
# Each image meets one of these; "recovered" is told besides, of images that are stored.
SETTLED = ("stored", "withheld", "lost", "refused", "void", "doubt")
ODD = {"withheld": "withheld", "lost": "lost", "refused": "refused", "void": "not made", "doubt": "in doubt"}
MAX_ODD_LINES = 30


class Board:
    """What has been told so far. Told from any thread; counting is all that happens there."""

    def __init__(self, kind: str) -> None:
        self._key = f"{kind}-progress"
        self._seen: Counter[str] = Counter()
        self._odd_lines = 0
        self._artifact: UUID | None = None
        self._shown: tuple[float, str] | None = None

    def tell(self, event: Progress) -> None:
        """Count it. Only what is out of the ordinary is a line of its own, and only the first few of those."""
        self._seen[event.what] += event.images
        if event.what == "planned":
            log.info("%s to get", words.count(event.images, "image") if event.images else "nothing")
        elif event.what in ODD and self._odd_lines < MAX_ODD_LINES:
            self._odd_lines += 1
            log.warning("%s: %s", ODD[event.what], event.name)

    @property
    def state(self) -> tuple[float, str] | None:
        """Percent and words; None while there is nothing to wait for."""
        planned = self._seen["planned"]
        settled = sum(self._seen[what] for what in SETTLED)
        total = max(planned, settled)
        if not total:
            return None
        odd = "".join(f", {self._seen[what]:,} {said}" for what, said in ODD.items() if self._seen[what])
        measured = f", {self._seen['measured']:,} measured" if self._seen["measured"] else ""
        return round(100 * settled / total, 1), f"{settled:,} of {words.count(total, 'image')} settled{odd}{measured}"

    async def show(self) -> None:
        """Bring the artifact up to date, if there is news."""
        state = self.state
        if state is None or state == self._shown:
            return
        percent, text = self._shown = state
        log.info("%s", text)
        if self._artifact is None:
            self._artifact = await attempt(acreate_progress_artifact(percent, key=self._key, description=text))
        else:
            await attempt(aupdate_progress_artifact(self._artifact, percent, description=text))


@contextlib.asynccontextmanager
async def on_board(kind: str, every_s: float = EVERY_S) -> AsyncIterator[Board]:
    """A board that is shown every so often while the block runs, and once more at its end."""
    board = Board(kind)

    async def keep_showing() -> None:
        while True:
            await asyncio.sleep(every_s)
            await board.show()

    showing = asyncio.create_task(keep_showing())
    try:
        yield board
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing
    await board.show()
