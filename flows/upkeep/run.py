"""One maintain from beginning to end, whoever calls it: the steps in their order, and what they come to."""

from __future__ import annotations

from collections.abc import Callable

from flows.errors import HistoryBusy
from flows.history.lock import Holding, lock
from flows.history.owners import this_process
from flows.measuring import Tell
from flows.pipeline.kit import Progress, Stop
from flows.stepping import Step, plainly
from flows.upkeep.finish import finish, merged, seal
from flows.upkeep.measure import measure
from flows.upkeep.report import Upkeep, published
from flows.upkeep.subset import Subset
from flows.upkeep.verify import verify
from flows.workspace import Workspace

RENEW_S = 60.0


async def maintain(
    ws: Workspace,
    subset: str = "",
    *,
    compact: bool = False,
    step: Step = plainly,
    tell: Tell = lambda _: None,
    stop: Stop | None = None,
) -> tuple[Upkeep, str]:
    """Finish, seal, measure, verify, report: the account, and where the report is.

    `subset` is the share of pictures to read, as in ``2/7``. `compact` merges the history's closed
    months as well. HistoryBusy while another one is at work.
    """
    stop = Stop() if stop is None else stop  # an unasked Stop is falsy
    share = Subset.of(subset, ws.now())
    run_id, started = ws.new_id(), ws.now()
    with lock(ws.history, "maintain", this_process(run_id), token=run_id, now=started) as alone:
        if not alone:
            raise HistoryBusy("another maintain is at work on this history: nothing to do but wait for it")
        tell = _alive(alone, tell, stop, ws.uptime)
        finished = await step("finish what was left", finish, ws, tell, stop)
        sealed = await step("seal the journal", seal, ws, run_id)
        filled = await step("measure the pictures", measure, ws, tell, stop)
        verified = await step("verify the pictures", verify, ws, run_id, share, filled.failures, tell, stop)
        compacted = await step("compact closed months", merged, ws, run_id) if compact and not stop else None
    upkeep = Upkeep(
        run_id=run_id,
        started_at=started,
        finished_at=ws.now(),
        origin=ws.settings.origin,
        finished=finished,
        sealed=sealed,
        measured=filled.measured,
        verified=verified,
        compacted=compacted,
        stopped=stop.reason if verified.cut or (compact and compacted is None) else None,
        assets=ws.assets.url,
        history=ws.history.url,
    )
    written: tuple[Upkeep, str] = await step("write the report", published, ws, upkeep)
    return written


def _alive(holding: Holding, tell: Tell, stop: Stop, uptime: Callable[[], float]) -> Tell:
    """`tell`, which also renews the lock now and then: work may take hours, and a silent lock is taken for dead."""
    renewed = uptime()

    def told(event: Progress) -> None:
        nonlocal renewed
        if uptime() - renewed >= RENEW_S:
            renewed = uptime()
            if not holding.renew():
                stop.ask("another maintain took this one's lock over", "nothing is lost: it does the same work")
        tell(event)

    return told
