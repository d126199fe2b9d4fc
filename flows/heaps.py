"""What this process keeps of memory it no longer uses. Nothing else is decided here, and nothing of ours is known.

The GNU C library gives threads heaps of their own, up to eight for each core, and what one has grown by another cannot
use: over a long run every heap grows to its thread's largest moment, and the process with it. Arrow's own allocator
does as much beside it, and gives little back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

FEW = 2
LARGE = 1 << 18
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""The parameter's number in the library's ``malloc.h``."""
_ARROW = "ARROW_DEFAULT_MEMORY_POOL"


def shared_with_arrow() -> None:
    """Let Arrow take its memory from the C library's heaps; to be said before pyarrow is imported, which asks once.

    For processes that are ours alone, and those they start. Whoever has chosen an allocator keeps it.
    """
    os.environ.setdefault(_ARROW, "system")


def few() -> None:
    """Let all threads of this process share a few heaps, and Arrow too; for processes that are ours alone.

    Other C libraries (musl, macOS, Windows) keep no such heaps and are left as they are.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, FEW)
        library.mallopt(_M_MMAP_THRESHOLD, LARGE)
    if _ARROW not in os.environ:
        shared_with_arrow()
        if arrow := sys.modules.get("pyarrow"):  # where it was imported before us, most of its memory
            arrow.set_memory_pool(arrow.system_memory_pool())


def trim() -> None:
    """Give what lies unused in the heaps back to the system: after work that took much, before more of another kind."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
