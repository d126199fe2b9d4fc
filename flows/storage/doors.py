"""From an address to a storage, and from a pattern to the files it names."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec
from fsspec.asyn import AsyncFileSystem
from fsspec.core import split_protocol, url_to_fs
from fsspec.implementations.local import LocalFileSystem

from flows.errors import StorageTrouble
from flows.storage.base import Storage, told
from flows.storage.local import LocalStorage
from flows.storage.remote import RemoteStorage


def open_storage(url: str, options: Mapping[str, Any] | None = None) -> Storage:
    """The storage at a local path or any fsspec URL. `options` go to the file system as they are."""
    try:
        kind = fsspec.get_filesystem_class(split_protocol(url)[0] or "file")
        # Only these keep listings, and only these take the option (paramiko's client chokes on it).
        uncached = {"use_listings_cache": False} if issubclass(kind, AsyncFileSystem) else {}
        fs, root = url_to_fs(url, **uncached, **(options or {}))
    except Exception as error:  # every file system has errors of its own
        raise StorageTrouble(f"cannot open the storage {url}: {error}") from error
    if isinstance(fs, LocalFileSystem):
        return LocalStorage(Path(root))
    return RemoteStorage(fs, root, url)


def read_sources(pattern: str, *, max_bytes: int, options: Mapping[str, Any] | None = None) -> list[tuple[str, bytes]]:
    """The files that a path, glob or fsspec URL names, as (name, content), sorted; empty when nothing matches.

    At most `max_bytes` + 1 bytes of each are read: enough to see that a file is too large.
    """
    found = []
    for file in fsspec.open_files(pattern, "rb", **(options or {})):
        with (
            told("read", pattern),
            contextlib.suppress(FileNotFoundError, IsADirectoryError),
            file as opened,
        ):
            found.append((file.path, opened.read(max_bytes + 1)))
    return sorted(found)
