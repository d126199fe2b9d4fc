"""How many heaps the C library keeps for this process. Nothing else is decided here, and nothing of ours is known.

The GNU C library gives threads heaps of their own, up to eight for each core, and what one has grown by another cannot
use: over a long run every heap grows to its thread's largest moment, and the process with it.
"""

from __future__ import annotations

import contextlib
import ctypes

FEW = 2
_M_ARENA_MAX = -8
"""The parameter's number in the library's ``malloc.h``."""


def few() -> None:
    """Let all threads of this process share a few heaps; for processes that are ours alone.

    Other C libraries (musl, macOS, Windows) keep no such heaps and are left as they are.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, FEW)
