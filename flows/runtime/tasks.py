"""A step as a Prefect task: named, awaited, and opaque.

Prefect looks into the arguments and results of tasks for futures, hashes and stores them. Ours hold the key
and the whole plan, so that a task here takes no arguments and returns nothing: both stay in this process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows.campaign import plainly
from flows.errors import IdeoflowError


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
        except IdeoflowError as error:
            errors.append(error)
            # A state instead of an exception: what went wrong is a sentence, a traceback would only hide it.
            return Failed(message=str(error))
        except Exception as error:
            errors.append(error)
            raise
        return None

    wrapped = task(name=name, task_run_name=name, retries=0, cache_policy=NO_CACHE, persist_result=False)(run)
    state = await _state(wrapped)
    if errors:
        raise errors[0]
    if not outcome:
        raise RuntimeError(f"Prefect did not run the step {name!r}: {state.message or state.name}")
    return outcome[0]
