"""How a use case is run step by step: plainly, or by whoever orchestrates. Knows no use case and no Prefect.

`step` runs one function of a use case under a name people see: the plain one just calls, Prefect's makes it a task.
That is all the difference there is between a run with a Prefect server and one without.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Step(Protocol):
    """Runs a function of a use case under a name people see."""

    def __call__(self, name: str, function: Callable[..., Any], *args: Any) -> Awaitable[Any]: ...


async def plainly(name: str, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ARG001  the name is for others
    """A step without an orchestrator: blocking ones in a thread, so that a signal is still heard."""
    if inspect.iscoroutinefunction(function):
        return await function(*args)
    return await asyncio.to_thread(function, *args)
