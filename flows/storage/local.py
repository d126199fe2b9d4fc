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


def _sync_folder(folder: Path) -> None:
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
    """

    exclusive = True

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.url = str(self.root)
        self._scratch = self.root / SCRATCH
        self._swept = False

    def read(self, path: str) -> bytes | None:
        with told("read", path):
            try:
                return (self.root / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, path: str, data: bytes | BinaryIO) -> None:
        target = self.root / path
        with told("write", path), self._written(data) as temporary:
            self._make(target.parent)
            temporary.replace(target)
            _sync_folder(target.parent)

    def create(self, path: str, data: bytes) -> bool:
        target = self.root / path
        with told("create", path), self._written(data) as temporary:
            self._make(target.parent)
            try:
                # Linking a finished file is exclusive and never shows half a record; O_EXCL would show one.
                os.link(temporary, target)
            except FileExistsError:
                return self.read(path) == data
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
                    raise
                return self._create_without_links(target, data)
            _sync_folder(target.parent)
            return True

    def list(self, prefix: str = "") -> list[Stat]:
        with told("list", prefix or self.url):
            return sorted(self._walk(prefix.strip("/")), key=lambda stat: stat.path)

    def stat(self, path: str) -> Stat | None:
        with told("look at", path):
            try:
                found = (self.root / path).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            return _stat(path, found)

    def delete(self, paths: Iterable[str]) -> None:
        with told("delete from", self.url):
            folders = set()
            for path in paths:
                target = self.root / path
                target.unlink(missing_ok=True)
                folders.add(target.parent)
            for folder in folders:
                if folder.is_dir():
                    _sync_folder(folder)

    def now(self) -> datetime:
        # Not time.time(): on a network mount the times of files are the server's.
        with told("write to", self.url), self._written(b"") as temporary:
            return datetime.fromtimestamp(temporary.stat().st_mtime, tz=UTC)

    def sub(self, path: str) -> LocalStorage:
        return LocalStorage(self.root / path)

    def arrow(self) -> tuple[Any, str]:
        from pyarrow import fs  # noqa: PLC0415  a third of a second that `validate` need not pay

        return fs.LocalFileSystem(), str(self.root)

    def free_bytes(self) -> int | None:
        with told("look at", self.url):
            self._make(self.root)
            return shutil.disk_usage(self.root).free

    def _walk(self, below: str) -> Iterator[Stat]:
        try:
            entries = list(os.scandir(self.root / below))
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
    def _written(self, data: bytes | BinaryIO) -> Iterator[Path]:
        """A synced temporary file on the same file system, removed if nobody moved it away."""
        self._make(self._scratch)
        temporary = self._scratch / secrets.token_hex(12)
        try:
            with temporary.open("xb") as file:
                if isinstance(data, bytes):
                    file.write(data)
                else:
                    shutil.copyfileobj(data, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
            self._sweep(temporary)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _sweep(self, mine: Path) -> None:
        """Remove what killed processes left behind, once: nobody writes at one file for an hour.

        Both ages are by the disk's own clock. Whoever slept that long between writing and moving is told so by
        the missing file, and writes again.
        """
        if self._swept:
            return
        self._swept = True
        with contextlib.suppress(OSError):  # tidying must not get in the way of the work
            now = mine.stat().st_mtime
            with os.scandir(self._scratch) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):  # somebody else's, moved to its place just now
                        if now - entry.stat().st_mtime > ABANDONED_S:
                            Path(entry.path).unlink()

    def _create_without_links(self, target: Path, data: bytes) -> bool:
        """For disks without hard links (exFAT): a torn record counts as present, so O_EXCL is enough."""
        try:
            with target.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return False
        _sync_folder(target.parent)
        return True

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        missing = [folder, *(parent for parent in folder.parents if not parent.exists())]
        folder.mkdir(parents=True, exist_ok=True)
        for made in missing:
            _sync_folder(made.parent)
