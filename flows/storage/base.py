"""What is asked of a storage, whatever it is made of."""

from __future__ import annotations

import contextlib
import errno
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from flows.errors import StorageFull, StorageTrouble

NO_SPACE = "no space left"


@dataclass(frozen=True)
class Stat:
    """One stored object: path below the root, size in bytes, last change by the storage's clock (UTC).

    `etag` is another one whenever other bytes were put there: the store's own, on a disk the time of change to the
    nanosecond. The same bytes put there again may have another. None where the storage has no such mark.
    """

    path: str
    size: int
    modified: datetime
    etag: str | None = None


class Storage(ABC):
    """A root that holds named bytes. `exclusive` says whether `create` is atomic between processes."""

    url: str
    exclusive: bool

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """All bytes, or None when there is no such object."""

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        """Several objects, each as `read` gives it; far stores are asked for all at once."""
        return {path: self.read(path) for path in paths}

    @abstractmethod
    def write(self, path: str, data: bytes | BinaryIO) -> None:
        """Replace the object as a whole and durably: readers see the old bytes or the new, never a mix."""

    @abstractmethod
    def create(self, path: str, data: bytes) -> bool:
        """Make the object if there is none: True if what is there now is exactly our `data`, else False."""

    def creates_once(self) -> bool:
        """Whether `create` keeps its promise: found out by trying, where a server could merely seem to."""
        return self.exclusive

    @abstractmethod
    def list(self, prefix: str = "") -> list[Stat]:
        """All objects below a folder, in every depth, sorted by path; empty when there is no such folder."""

    @abstractmethod
    def stat(self, path: str) -> Stat | None:
        """Size and time of one object, or None."""

    def stat_many(self, paths: Iterable[str]) -> dict[str, Stat | None]:
        """Several objects, each as `stat` gives it; far stores are asked for all at once."""
        return {path: self.stat(path) for path in paths}

    @abstractmethod
    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects, all of them or StorageTrouble; those already gone are fine. On S3 a thousand a call."""

    @abstractmethod
    def now(self) -> datetime:
        """The time by the storage's own clock, which is the one its modification times use."""

    @abstractmethod
    def sub(self, path: str) -> Storage:
        """The same storage with its root moved to a folder below."""

    @abstractmethod
    def arrow(self) -> tuple[Any, str]:
        """A pyarrow file system, and the root as a path in it, for reading Parquet."""

    def free_bytes(self) -> int | None:
        """Free space on a local disk; None where the question makes no sense."""
        return None

    def keeps_deleted(self) -> str | None:
        """Why deleting frees no space here at once (old versions are kept), in words; None where it does."""
        return None

    def where(self, path: str) -> str:
        """The full address of an object, as a person would open it."""
        return f"{self.url.rstrip('/')}/{path}"


@contextlib.contextmanager
def told(what: str, where: str) -> Iterator[None]:
    """Turn a storage's failure into words about what was tried. Where nothing need be there, say so inside."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"{NO_SPACE}: could not {what} {where}") from error
        raise StorageTrouble(f"could not {what} {where}: {error}") from error
