"""Heaps: the C library's own count of them, Arrow's allocator, and what is given back; each in its own process."""

from __future__ import annotations

import os
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


glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library gives threads heaps")


def _said(program: str, *words: str, pool: str | None = None) -> str:
    environ = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    environ |= {"ARROW_DEFAULT_MEMORY_POOL": pool} if pool else {}
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout


def _heaps(*words: str) -> int:
    return _said(PROGRAM, *words).count("<heap nr=")


@glibc
def test_threads_share_two_heaps() -> None:
    """Eight threads that allocate at once have two heaps together; left to itself the library gives them more."""
    assert _heaps("few") == 2 < _heaps()


ARROW = """
from flows import heaps
{first}
import pyarrow
{then}
print(pyarrow.default_memory_pool().backend_name)
"""


@pytest.mark.parametrize(
    ("first", "then"), [("heaps.shared_with_arrow()", ""), ("heaps.few()", ""), ("", "heaps.few()")]
)
def test_arrow_takes_its_memory_from_the_same_heaps(first: str, then: str) -> None:
    """Whether it is said before Arrow is imported or after."""
    assert _said(ARROW.format(first=first, then=then)).strip() == "system"


def test_whoever_chose_an_allocator_keeps_it() -> None:
    """The variable is Arrow's own, and people set it."""
    program = ARROW.format(first="heaps.shared_with_arrow()", then="heaps.few()")
    assert _said(program, pool="mimalloc").strip() == "mimalloc"


TRIM = """
from flows import heaps

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

kept = [bytes(4000) for _ in range(20_000)]
full = resident()
last = kept.pop()
kept.clear()
before = resident()
heaps.trim()
print(full - resident(), full - before)
"""


@glibc
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="asks Linux how much memory is resident")  # noqa: PTH110
def test_what_lies_unused_is_given_back() -> None:
    """80 MB below one block that is still in use: the library keeps them until it is told."""
    trimmed, by_itself = map(float, _said(TRIM).split())
    assert trimmed > 60 > by_itself
