"""Bytes under names: the one door to local disks, S3, GCS, Azure, SFTP and whatever else fsspec reaches.

Knows: whole-object read, atomic write, exclusive create, uncached listing, delete, and the storage's own clock.
Must not know: what the bytes mean. Paths are relative to the storage's root, with ``/``; names that begin with
a dot are ours alone and never listed. Nothing here caches: every answer is asked for.
"""

from flows.storage.base import NO_SPACE, Stat, Storage
from flows.storage.doors import open_storage, read_sources
from flows.storage.local import LocalStorage

__all__ = ["NO_SPACE", "LocalStorage", "Stat", "Storage", "open_storage", "read_sources"]
