"""A step as a Prefect task: named, awaited, and opaque.

Prefect looks into the arguments and results of tasks for futures, hashes and stores them. Ours hold the key
and the whole plan, so that a task here takes no arguments and returns nothing: both stay in this process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows.errors import IdeoflowError
from flows.ideogram.links import redact_text
from flows.stepping import plainly


def _said(error: Exception) -> str:
    return redact_text(str(error)) if isinstance(error, IdeoflowError) else f"a bug: {type(error).__name__}"


class Unkept(TypedDict):
    """Options that a flow and a task share."""

    retries: int
    persist_result: bool
    result_storage: Path


# Nothing is repeated and nothing is kept. The storage is named so that Prefect does not ask its server for one,
# which it does several times a run, each time on a connection that it leaves open.
NOTHING_KEPT = Unkept(retries=0, persist_result=False, result_storage=Path(tempfile.gettempdir()))


async def _state(wrapped: Task[[], Any]) -> State[Any]:
    # Prefect's types know no coroutine that is asked for its state; it is awaited like any other.
    call: Any = wrapped
    state: State[Any] = await call(return_state=True)
    return state


async def as_task(name: str, function: Callable[..., Any], *args: Any) -> Any:
    """`function(*args)`, as a task run of this name. Its errors arrive as they are.

    Never retried and never cached by Prefect: what was paid for, and what may be tried again, the journal knows.
    """
    outcome: list[Any] = []
    errors: list[Exception] = []

    async def run() -> State[None] | None:
        try:
            outcome.append(await plainly(name, function, *args))
        except Exception as error:  # noqa: BLE001  raised again below
            errors.append(error)
            # A state instead of an exception: what went wrong is a sentence, which a traceback would only hide,
            # and Prefect logs tracebacks as they are, while `logs` looks for secrets in them first.
            return Failed(message=_said(error))
        return None

    wrapped = task(name=name, task_run_name=name, cache_policy=NO_CACHE, **NOTHING_KEPT)(run)
    state = await _state(wrapped)
    if errors:
        raise errors[0]
    if not outcome:
        raise RuntimeError(f"Prefect did not run the step {name!r}: {state.message or state.name}")
    return outcome[0]
