"""Who holds a claim or a lock, and whether that process is provably gone.

A process on another machine can never be proved dead: age by the storage's clock decides there (see `is_dead`).
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from flows.history.records import Owner

STALE_AFTER = timedelta(minutes=15)
PROC = Path("/proc")


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _started(pid: int, proc: Path = PROC) -> str | None:
    """The kernel's start time of a process in clock ticks since boot, or None when it is not to be seen.

    Empty for a zombie: that still has its entry but will never act again.
    """
    try:
        stat = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]


def _exists(pid: int) -> bool:
    """Whether there is such a process, also where /proc hides those of other people."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def this_process(run_id: str) -> Owner:
    """The owner that this process is."""
    return Owner(run_id, _boot_id(), _pid_namespace(), os.getpid(), _started(os.getpid()) or "")


def _of_here(owner: Owner) -> bool:
    """Whether its process number means here what it meant there: this boot, this PID namespace."""
    if not owner.boot_id or not owner.started:
        return False
    return owner.boot_id == _boot_id() and owner.pid_namespace == _pid_namespace()


def is_gone(owner: Owner, *, proc: Path = PROC) -> bool:
    """Provably dead: of this boot and PID namespace, and no such process any more."""
    if not _of_here(owner):
        return False
    started = _started(owner.pid, proc)
    return not _exists(owner.pid) if started is None else started != owner.started


def lives(owner: Owner, *, proc: Path = PROC) -> bool:
    """Provably alive: of this boot and PID namespace, and that very process is there."""
    return _of_here(owner) and _started(owner.pid, proc) == owner.started


def is_dead(owner: Owner | None, last_seen: datetime | None, now: datetime) -> bool:
    """Provably gone, or silent for fifteen minutes. Both times are the storage's own."""
    if owner is not None and is_gone(owner):
        return True
    return last_seen is not None and now - last_seen > STALE_AFTER
