"""A folder on a disk, with the durability that a ledger of money needs."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from flows.storage.base import Stat, Storage, told

ABANDONED_S = 3600
SCRATCH = ".tmp"


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _stat(path: str, found: os.stat_result) -> Stat:
    return Stat(path, found.st_size, datetime.fromtimestamp(found.st_mtime, tz=UTC), f"{found.st_mtime_ns:x}")


class LocalStorage(Storage):
    """A folder on a disk. Writes go to ``.tmp`` below the root first, are synced, then renamed or linked.

    A process that is killed while it writes leaves its file there; others remove it when it is an hour old.

    Paths are texts here: pathlib interns every part of every path, and over a long run that table only grows.
    """

    exclusive = True

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.url = str(self.root)
        self._scratch = self._at(SCRATCH)
        self._swept = False

    def read(self, path: str) -> bytes | None:
        with told("read", path):
            try:
                with open(self._at(path), "rb") as file:
                    return file.read()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, path: str, data: bytes | BinaryIO) -> None:
        target = self._at(path)
        with told("write", path), self._written(data) as temporary:
            self._make(os.path.dirname(target))
            os.replace(temporary, target)
            _sync_folder(os.path.dirname(target))

    def create(self, path: str, data: bytes) -> bool:
        target = self._at(path)
        with told("create", path), self._written(data) as temporary:
            self._make(os.path.dirname(target))
            try:
                # Linking a finished file is exclusive and never shows half a record; O_EXCL would show one.
                os.link(temporary, target)
            except FileExistsError:
                return self.read(path) == data
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
                    raise
                return self._create_without_links(target, data)
            _sync_folder(os.path.dirname(target))
            return True

    def list(self, prefix: str = "") -> list[Stat]:
        with told("list", prefix or self.url):
            return sorted(self._walk(prefix.strip("/")), key=lambda stat: stat.path)

    def stat(self, path: str) -> Stat | None:
        with told("look at", path):
            try:
                found = os.stat(self._at(path))
            except (FileNotFoundError, NotADirectoryError):
                return None
            return _stat(path, found)

    def delete(self, paths: Iterable[str]) -> None:
        with told("delete from", self.url):
            folders = set()
            for path in paths:
                target = self._at(path)
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(target)
                folders.add(os.path.dirname(target))
            for folder in folders:
                if os.path.isdir(folder):
                    _sync_folder(folder)

    def now(self) -> datetime:
        # Not time.time(): on a network mount the times of files are the server's.
        with told("write to", self.url), self._written(b"") as temporary:
            return datetime.fromtimestamp(os.stat(temporary).st_mtime, tz=UTC)

    def sub(self, path: str) -> LocalStorage:
        return LocalStorage(self.root / path)

    def arrow(self) -> tuple[Any, str]:
        from pyarrow import fs  # noqa: PLC0415  a third of a second that `validate` need not pay

        return fs.LocalFileSystem(), str(self.root)

    def free_bytes(self) -> int | None:
        with told("look at", self.url):
            self._make(self.url)
            return shutil.disk_usage(self.root).free

    def _walk(self, below: str) -> Iterator[Stat]:
        try:
            entries = list(os.scandir(self._at(below)))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir():
                yield from self._walk(path)
                continue
            try:
                found = entry.stat()
            except FileNotFoundError:
                continue  # removed while we looked: a listing may or may not show it
            yield _stat(path, found)

    @contextlib.contextmanager
    def _written(self, data: bytes | BinaryIO) -> Iterator[str]:
        """A synced temporary file on the same file system, removed if nobody moved it away."""
        self._make(self._scratch)
        temporary = f"{self._scratch}/{secrets.token_hex(12)}"
        try:
            with open(temporary, "xb") as file:
                if isinstance(data, bytes):
                    file.write(data)
                else:
                    shutil.copyfileobj(data, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
            self._sweep(temporary)
            yield temporary
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    def _sweep(self, mine: str) -> None:
        """Remove what killed processes left behind, once: nobody writes at one file for an hour.

        Both ages are by the disk's own clock. Whoever slept that long between writing and moving is told so by
        the missing file, and writes again.
        """
        if self._swept:
            return
        self._swept = True
        with contextlib.suppress(OSError):  # tidying must not get in the way of the work
            now = os.stat(mine).st_mtime
            with os.scandir(self._scratch) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):  # somebody else's, moved to its place just now
                        if now - entry.stat().st_mtime > ABANDONED_S:
                            os.unlink(entry.path)

    def _create_without_links(self, target: str, data: bytes) -> bool:
        """For disks without hard links (exFAT): a torn record counts as present, so O_EXCL is enough."""
        try:
            with open(target, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return False
        _sync_folder(os.path.dirname(target))
        return True

    def _make(self, folder: str) -> None:
        if os.path.isdir(folder):
            return
        missing = [str(one) for one in (Path(folder), *Path(folder).parents) if not one.exists()]
        os.makedirs(folder, exist_ok=True)
        for made in missing:
            _sync_folder(os.path.dirname(made))

    def _at(self, path: str) -> str:
        return f"{self.url}/{path}" if path else self.url
