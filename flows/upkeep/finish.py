"""The first half of a maintain: what killed runs left is finished, and what has ended goes into the history."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from flows.campaign.recovery import Doubt, Verdicts, doubts, recover
from flows.errors import ApiTrouble, Refused, Unfinished
from flows.history.compact import Compacted, compact
from flows.history.owners import this_process
from flows.history.seal import SealResult
from flows.measuring import Tell
from flows.pipeline.doubt import abandoned
from flows.pipeline.kit import Stop
from flows.report import Trouble, words
from flows.workspace import Workspace

AGAIN = "run `ideoflow maintain` again, or `ideoflow generate`, which does the same"


@dataclass(frozen=True)
class Finished:
    """Images of killed runs that are here now, what is still open, and what only a person can settle."""

    recovered: int = 0
    unfinished: int = 0
    doubts: tuple[Doubt, ...] = ()
    troubles: tuple[Trouble, ...] = ()


async def finish(ws: Workspace, tell: Tell, stop: Stop) -> Finished:
    """Finish what was answered and whose run is dead. An API that is away keeps nobody from the rest."""
    waiting = await asyncio.to_thread(_waiting, ws)
    if not waiting:
        return Finished(doubts=tuple(await asyncio.to_thread(doubts, ws)))
    try:
        done = await recover(ws, Verdicts(), tell, stop)
    except (Refused, Unfinished, ApiTrouble) as error:
        trouble = Trouble(str(error), f"{words.count(waiting, 'image')} that are paid for", AGAIN)
        return Finished(0, waiting, tuple(await asyncio.to_thread(doubts, ws)), (trouble,))
    tally = done.tally
    return Finished(tally.total("recovered"), tally.total("unfinished"), done.doubts, tuple(tally.troubles))


def _waiting(ws: Workspace) -> int:
    """Images of this API that were answered for and whose run is dead."""
    book = ws.desk().open(())
    if not book.live:
        return 0
    ours = (entry for entry in abandoned(book, ws.history.now()) if entry.ack and entry.origin == ws.settings.origin)
    return sum(entry.counted for entry in ours)


def seal(ws: Workspace, run_id: str) -> SealResult:
    """Whatever has ended, whoever ended it, becomes rows of the history."""
    return ws.sealer(run_id).seal(token=ws.new_id(), now=ws.now())


def merged(ws: Workspace, run_id: str) -> Compacted:
    """The history's closed months in few sorted files; every row is proven to be there before an old file goes."""
    return compact(ws.parts, this_process(run_id), ws.now(), token=ws.new_id())
