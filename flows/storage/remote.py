"""Object stores and servers behind fsspec, asked for nothing that fsspec cannot promise."""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import fsspec
from fsspec.asyn import AsyncFileSystem, sync
from fsspec.core import has_magic

from flows.errors import StorageTrouble
from flows.storage import s3
from flows.storage.base import Stat, Storage, told

# Object stores whose put can be made conditional on the key being absent, which fsspec spells mode="create".
CONDITIONAL_PUT = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"})
LOOKS_AT_ONCE = 64


class RemoteStorage(Storage):
    """Any other fsspec file system, asked only for whole-object operations."""

    def __init__(self, fs: fsspec.AbstractFileSystem, root: str, url: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self.url = url
        protocol = (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
        self.exclusive = bool(CONDITIONAL_PUT & set(protocol))

    def read(self, path: str) -> bytes | None:
        with _told("read", self.where(path)):
            try:
                return bytes(self._fs.cat_file(self._at(path)))
            except FileNotFoundError:
                return None

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        keys = {self._at(path): path for path in paths}
        if not keys:
            return {}
        with _told("read", self.url):
            found = self._fs.cat(list(keys), on_error="return")
            result: dict[str, bytes | None] = {}
            for key, path in keys.items():
                data = found[key]
                if isinstance(data, Exception) and not isinstance(data, FileNotFoundError):
                    raise data
                result[path] = None if isinstance(data, Exception) else bytes(data)
            return result

    def write(self, path: str, data: bytes | BinaryIO) -> None:
        with _told("write", self.where(path)):
            self._make_parent(path)
            if isinstance(data, bytes):
                self._fs.pipe_file(self._at(path), data, **self._kind(path))
                return
            with tempfile.NamedTemporaryFile() as local:
                shutil.copyfileobj(data, local, 1 << 20)
                local.flush()
                self._fs.put_file(local.name, self._at(path))

    def _kind(self, path: str) -> Mapping[str, str]:
        """What it is, so that a browser shows a page or a picture of a bucket instead of saving it to a file."""
        kind = mimetypes.guess_type(path)[0] if s3.is_s3(self._fs) else None
        return {} if kind is None else {"ContentType": kind}

    def create(self, path: str, data: bytes) -> bool:
        trouble: Exception | None = None
        for _ in range(3):
            try:
                self._make_parent(path)
                self._fs.pipe_file(self._at(path), data, mode="create")
            except Exception as error:  # noqa: BLE001  told below, unless the object is there
                # Servers word a lost race differently, and a retried put of ours meets itself: look.
                trouble = error
            else:
                return True
            present = self.read(path)
            if present is not None:
                return present == data
        raise StorageTrouble(f"could not create {self.where(path)}: {trouble}") from trouble

    def creates_once(self) -> bool:
        if not self.exclusive:
            return False
        # Servers that speak S3 and take no notice of the condition answer 200, and overwrite.
        probe = f".tmp/once-{secrets.token_hex(12)}"
        try:
            return self.create(probe, b"first") and not self.create(probe, b"second")
        finally:
            self.delete([probe])

    def list(self, prefix: str = "") -> list[Stat]:
        with _told("list", self.where(prefix)):
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(self._at(prefix), detail=True)
            except FileNotFoundError:
                return []
            # Some servers, and some people's tools, put an empty object where a folder is or was.
            stats = (self._stat(name, info) for name, info in found.items() if not _folder(name, info))
            return sorted((s for s in stats if s.path and not _hidden(s.path, prefix)), key=lambda s: s.path)

    def stat(self, path: str) -> Stat | None:
        with _told("look at", self.where(path)):
            self._fs.invalidate_cache()
            try:
                info = self._fs.info(self._at(path))
            except FileNotFoundError:
                return None
            return None if info.get("type") == "directory" else self._stat(self._at(path), info)

    def stat_many(self, paths: Iterable[str]) -> dict[str, Stat | None]:
        names = list(paths)
        if not isinstance(self._fs, AsyncFileSystem) or self._fs.asynchronous:
            return super().stat_many(names)
        with _told("look at", self.url):
            self._fs.invalidate_cache()
            keys = {path: self._at(path) for path in names}
            together = s3.listed(self._fs, list(keys.values())) if s3.is_s3(self._fs) else {}
            result: dict[str, Stat | None] = {
                path: self._stat(key, together[key]) for path, key in keys.items() if key in together
            }
            # Also those that a listing should have shown and did not: nothing is gone on one witness.
            alone = [path for path in keys if path not in result]
            found: Sequence[Any] = sync(self._fs.loop, self._infos, [keys[path] for path in alone])
            for path, info in zip(alone, found, strict=True):
                if isinstance(info, BaseException) and not isinstance(info, FileNotFoundError):
                    raise info
                gone = isinstance(info, BaseException) or info.get("type") == "directory"
                result[path] = None if gone else self._stat(self._at(path), info)
            return result

    async def _infos(self, keys: Sequence[str]) -> Sequence[Any]:
        gate = asyncio.Semaphore(LOOKS_AT_ONCE)

        async def look(key: str) -> Any:
            async with gate:
                return await self._fs._info(key)  # noqa: SLF001  fsspec's own name for it where one has a loop

        return await asyncio.gather(*(look(key) for key in keys), return_exceptions=True)

    def delete(self, paths: Iterable[str]) -> None:
        with _told("delete from", self.url):
            keys = [self._at(path) for path in paths]
            if not keys:
                return
            if s3.is_s3(self._fs):
                s3.delete(self._fs, keys, self.url)
                return
            if not any(has_magic(key) for key in keys):  # `rm` would take a name with brackets for a pattern
                with contextlib.suppress(FileNotFoundError):
                    self._fs.rm(keys)
                    return
            for key in keys:
                with contextlib.suppress(FileNotFoundError):
                    self._fs.rm_file(key)

    def keeps_deleted(self) -> str | None:
        return s3.keeps_deleted(self._fs, self._root) if s3.is_s3(self._fs) else None

    def now(self) -> datetime:
        # One object for all: whoever writes it last, its time is not before our write. It stays, so that no
        # killed process leaves one of its own.
        probe = ".tmp/clock"
        self.write(probe, b"")
        found = self.stat(probe)
        if found is None:
            raise StorageTrouble(f"{self.url} does not show an object that was just written")
        return found.modified

    def sub(self, path: str) -> RemoteStorage:
        return RemoteStorage(self._fs, self._at(path), self.where(path))

    def arrow(self) -> tuple[Any, str]:
        from pyarrow import fs  # noqa: PLC0415  a third of a second that `validate` need not pay

        handler = fs.FSSpecHandler(self._fs)  # type: ignore[abstract]  # the stubs forget that it is concrete
        return fs.PyFileSystem(handler), self._root

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _make_parent(self, path: str) -> None:
        if not self.exclusive:  # object stores have no folders; asking for one could create a bucket
            self._fs.makedirs(str(PurePosixPath(self._at(path)).parent), exist_ok=True)

    def _stat(self, name: str, info: Mapping[str, Any]) -> Stat:
        path = name.lstrip("/").removeprefix(self._root.lstrip("/")).lstrip("/")
        etag = info.get("ETag") or info.get("etag")
        return Stat(path, int(info.get("size") or 0), _modified(info), str(etag).strip('"') if etag else None)


@contextlib.contextmanager
def _told(what: str, where: str) -> Iterator[None]:
    """As `told`. Clients of object stores have errors of their own (botocore's are no OSError)."""
    with told(what, where):
        try:
            yield
        except (OSError, StorageTrouble):
            raise
        except Exception as error:
            raise StorageTrouble(f"could not {what} {where}: {error}") from error


def _folder(name: str, info: Mapping[str, Any]) -> bool:
    return name.endswith("/") or info.get("type") == "directory"


def _hidden(path: str, prefix: str) -> bool:
    below = path.removeprefix(prefix).lstrip("/")
    return any(part.startswith(".") for part in below.split("/"))


def _modified(info: Mapping[str, Any]) -> datetime:
    for key in ("LastModified", "last_modified", "updated", "mtime", "modified", "created"):
        value = info.get(key)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, tz=UTC)
        if isinstance(value, str):
            return datetime.fromisoformat(value)
    return datetime.now(tz=UTC)
