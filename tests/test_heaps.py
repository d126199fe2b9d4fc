"""Threads share heaps: the C library's own count of them, in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

THREADS = 8
PROGRAM = f"""
import ctypes, sys, threading
from flows import heaps

if "few" in sys.argv:
    heaps.few()
together = threading.Barrier({THREADS})
def allocate():
    together.wait()  # a heap whose thread has ended is given to the next
    kept = [bytes(2000) for _ in range(1000)]
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def _heaps(*words: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True)
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library gives threads heaps")
def test_threads_share_two_heaps() -> None:
    """Eight threads that allocate at once have two heaps together; left to itself the library gives them more."""
    assert _heaps("few") == 2 < _heaps()
