"""Ctrl-C and SIGTERM, turned into a clean stop. For commands and flows alike, whoever runs them.

The first signal asks the run to stop: what was sent is finished, nothing more is claimed. The second ends the
process at once, by the signal itself, as if no one had listened; the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from flows.pipeline.kit import Stop

HEARD = (signal.SIGINT, signal.SIGTERM)
REMEDY = "run `ideoflow generate` again, it goes on from here"
# A terminal signals everyone in it, and whoever supervises us passes the same signal on: that is one wish.
ECHO_S = 1.0
_SHOW_CURSOR = "\x1b[?25h"


def say(text: str) -> None:
    """Words for the person at the terminal."""
    # Said from within a signal: whatever it interrupted may have been writing there itself, or nobody reads.
    with contextlib.suppress(RuntimeError, OSError, ValueError):
        sys.stderr.write(f"\n{text}\n")
        sys.stderr.flush()


@contextlib.contextmanager
def stopping(
    stop: Stop, *, insist: bool = True, say: Callable[[str], None] = say, clock: Callable[[], float] = time.monotonic
) -> Iterator[None]:
    """While the block runs, signals stop it. Nested blocks each put back what they found.

    Without `insist` nobody is at a terminal to press Ctrl-C twice: the signals that follow the first are echoes of
    it, from a supervisor and its supervisor, and whoever loses patience has SIGKILL. Python lets only the main
    thread listen; elsewhere the block runs deaf.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    first: float | None = None

    def heard(number: int, _: FrameType | None) -> None:
        nonlocal first
        if first is None:
            first = clock()
            stop.ask(f"stopped by {signal.Signals(number).name}", REMEDY)
            say("stopping: what was sent is being finished" + ("; once more to stop at once" if insist else ""))
        elif insist and clock() - first >= ECHO_S:
            _die(number)

    before = {number: signal.signal(number, heard) for number in HEARD}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _die(number: int) -> None:
    """By the signal, so that a shell, make or a supervisor see what happened."""
    if sys.stderr.isatty():
        sys.stderr.write(_SHOW_CURSOR)
    with contextlib.suppress(RuntimeError, OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
