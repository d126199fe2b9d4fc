"""This machine: the interpreter, the packages, room on the disk."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import tempfile
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from flows.doctor import verdicts
from flows.doctor.check import Check
from flows.storage import Storage
from flows.workspace import Workspace

SHOWN = ("prefect", "fastapi", "sqlalchemy", "httpx", "pyarrow", "pandas", "fsspec", "s3fs")


def program() -> list[Check]:
    """Python and the packages that were declared, or are known to break."""
    declared = [line for line in _declared() if _applies(line)]
    names = {canonicalize_name(Requirement(line).name) for line in declared} | set(SHOWN)
    names |= {name for name, _, _ in verdicts.BREAKING}
    installed = {name: version for name in names if (version := _version(name))}
    return [verdicts.python(sys.version_info[:3]), verdicts.versions(installed, declared, SHOWN)]


def _declared() -> list[str]:
    try:
        return importlib.metadata.requires("ideoflow") or []
    except importlib.metadata.PackageNotFoundError:  # run from a source tree that was never installed
        return []


def _applies(line: str) -> bool:
    try:
        marker = Requirement(line).marker
    except InvalidRequirement:
        return False
    return marker is None or marker.evaluate({"extra": ""})


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def room(ws: Workspace) -> Iterator[Check]:
    """Free space on the disks that are written to; object stores have no end that anybody could ask for."""
    reserve = ws.settings.storage.reserve_mb << 20
    seen: set[int] = set()
    places: list[tuple[str, Storage]] = [("pictures", ws.assets), ("history", ws.history), ("reports", ws.reports)]
    for name, storage in places:
        free = storage.free_bytes()
        if free is not None and free not in seen:  # one disk is told of once
            seen.add(free)
            yield verdicts.disk(f"disk ({name})", free, reserve)
    # Where downloads are before they are verified.
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free not in seen:
        yield verdicts.disk("disk (temporary)", free, reserve)
