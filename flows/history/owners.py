"""Who holds a claim or a lock, and whether that process is provably gone.

A process on another machine can never be proved dead: age by the storage's clock decides there (see `is_dead`).
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from flows.history.records import Owner

STALE_AFTER = timedelta(minutes=15)


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


def _started(pid: int) -> str | None:
    """The kernel's start time of a process in clock ticks since boot, or None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    # A zombie still has its entry but will never act again.
    return None if fields[0] in ("Z", "X") else fields[19]


def this_process(run_id: str) -> Owner:
    """The owner that this process is."""
    return Owner(run_id, _boot_id(), _pid_namespace(), os.getpid(), _started(os.getpid()) or "")


def is_gone(owner: Owner) -> bool:
    """Provably dead: this boot, this PID namespace, and no such process any more."""
    if not owner.boot_id or not owner.started:
        return False
    if owner.boot_id != _boot_id() or owner.pid_namespace != _pid_namespace():
        return False
    return _started(owner.pid) != owner.started


def is_dead(owner: Owner | None, last_seen: datetime | None, now: datetime) -> bool:
    """Provably gone, or silent for fifteen minutes. Both times are the storage's own."""
    if owner is not None and is_gone(owner):
        return True
    return last_seen is not None and now - last_seen > STALE_AFTER
