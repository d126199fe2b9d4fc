"""A run of ours inside a flow run of Prefect's: what surrounds the work, from the first line to the final state.

`conduct` is called inside a flow. `watched_run` is for whoever starts that flow in this very process and wants
the report itself: it travels beside Prefect, which may have lost its server by then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows import heaps
from flows.errors import IdeoflowError, Unfinished
from flows.pipeline.kit import Progress, Stop
from flows.report.ending import Ending
from flows.runtime.artifacts import attempt, show
from flows.runtime.ending import announce, cancelling, final_state
from flows.runtime.logs import bridged
from flows.runtime.progress import on_board
from flows.runtime.tasks import as_task
from flows.signals import say, stopping
from flows.stepping import Step
from flows.workspace import Workspace, open_workspace

log = logging.getLogger(__name__)

Tell = Callable[[Progress], None]
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Work(Protocol[R_co]):
    """A use case from beginning to end, such as `flows.campaign.run.generate`: its report, and where that is."""

    def __call__(self, ws: Workspace, *, step: Step, tell: Tell, stop: Stop) -> Awaitable[tuple[R_co, str]]: ...


@dataclass
class Onlooker:
    """Somebody in this process who watches the run, and what they came to see."""

    tell: Tell = lambda _: None
    stop: Stop = field(default_factory=Stop)
    ending: tuple[Any, str] | None = None
    error: Exception | None = None


_ONLOOKER: ContextVar[Onlooker | None] = ContextVar("onlooker", default=None)


async def conduct(
    kind: str, project: str, config: list[str], work: Work[R], ending: Callable[[R, str], Ending]
) -> State[Any]:
    """The flow run's final state, after `work` on the project's workspace; `ending` says what its report comes to."""
    heaps.few()
    watched = _ONLOOKER.get()
    onlooker = watched or Onlooker()
    with bridged() as bridge, stopping(onlooker.stop, insist=watched is not None):
        try:
            opened = partial(open_workspace, Path(project) if project else None, tuple(config))
            ws = await asyncio.to_thread(opened)
            if ws.settings.api_key is not None and not ws.settings.sandboxed:
                bridge.hide([ws.settings.api_key.get_secret_value()])
            async with on_board(kind) as board:

                def tell(event: Progress) -> None:
                    board.tell(event)
                    onlooker.tell(event)

                onlooker.ending = report, where = await work(ws, step=as_task, tell=tell, stop=onlooker.stop)
        except IdeoflowError as error:
            onlooker.error = error
            log.error("%s", error)  # noqa: TRY400  a user's mistake is a sentence, not a traceback
            return Failed(message=bridge.clean(str(error)))
        except Exception as error:
            onlooker.error = error
            log.exception("a bug, please report it")
            return Failed(message=bridge.clean(f"a bug, please report it: {error!r}"))
        ended = ending(report, where)
        log.log(logging.WARNING if ended.exit_code else logging.INFO, "%s", "\n".join(ended.lines))
        await show(ended)
        announce(ended)
        cancelled = bool(onlooker.stop) and bool(await attempt(cancelling()))
        return final_state(ended, cancelled=cancelled)


async def _awaited(flow: Callable[[], Awaitable[Any]]) -> None:
    await flow()


def watched_run(kind: str, flow: Callable[[], Awaitable[Any]], tell: Tell, stop: Stop) -> tuple[Any, str]:
    """Run a flow in this process: its report and where that was written, or the error it met.

    The report is of the flow's own kind, which the caller knows. Raises Unfinished when Prefect did not start it.
    """
    onlooker = Onlooker(tell, stop)
    token = _ONLOOKER.set(onlooker)
    # As the standard library advises for production: a line that cannot be delivered is no news for a terminal.
    logging.raiseExceptions = False
    trouble: Exception | None = None
    try:
        asyncio.run(_awaited(flow))
    except Exception as error:  # noqa: BLE001  whatever Prefect raises, what the run did is what counts
        trouble = error
    finally:
        _ONLOOKER.reset(token)
    if onlooker.error is not None:
        raise onlooker.error
    if onlooker.ending is None:
        what = str(trouble) or type(trouble).__name__
        raise Unfinished(
            f"Prefect could not run the flow: {what}\nNothing was changed. Look after the server of PREFECT_API_URL, "
            f"or go on without it: `ideoflow {kind} --no-prefect`."
        ) from trouble
    if trouble is not None:
        say(f"Prefect could not be told how the run ended ({type(trouble).__name__}); the report below is complete")
    return onlooker.ending
