"""What S3 does for many objects with one call, where fsspec would make one call an object.

Takes a file system of s3fs and whole keys (``bucket/folder/name``); knows nothing of roots or paths.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.errors import StorageTrouble

# What S3 takes, or tells, in one call.
AT_ONCE = 1000
# Where a page tells of fewer of the objects asked for, asking for each, many at a time, is no slower.
WORTH_A_PAGE = 10


def is_s3(fs: Any) -> bool:
    """Whether this file system speaks S3."""
    protocol = (fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol
    return "s3" in protocol


def listed(fs: Any, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What listings tell of these objects: size, time and etag, as `info` would.

    One call for up to a thousand objects that lie together. Of those that it leaves out nothing is said: they may be
    gone, or lie so scattered that a listing would mostly tell of others.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for folder, names in _folders(fs, keys):
        found |= _of_folder(fs, folder, names)
    return found


def _folders(fs: Any, keys: Sequence[str]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """The keys by bucket and folder, in the order that listings have, which is that of the bytes of UTF-8."""
    folders: dict[tuple[str, str], list[str]] = {}
    for key in keys:
        bucket, name, _ = fs.split_path(key)
        folders.setdefault((bucket, name.rpartition("/")[0]), []).append(name)
    return ((place, sorted(names)) for place, names in folders.items())


def _of_folder(fs: Any, place: tuple[str, str], names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    bucket, folder = place
    found: dict[str, Mapping[str, Any]] = {}
    prefix = f"{folder}/" if folder else ""
    done = 0
    while len(names) - done >= WORTH_A_PAGE:
        # Everything after a name that is a little less: the page begins with the next one asked for.
        after = {"StartAfter": before} if (before := names[done][:-1]) > prefix else {}
        page = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=AT_ONCE, **after)
        objects = {one["Key"]: one for one in page.get("Contents", ())}
        last = max(objects, default="")
        told = done
        while told < len(names) and (not page.get("IsTruncated") or names[told] <= last):
            told += 1
        there = [name for name in names[done:told] if name in objects]
        found |= {f"{bucket}/{name}": objects[name] | {"size": objects[name]["Size"]} for name in there}
        if len(there) < WORTH_A_PAGE:
            break
        done = told
    return found


def delete(fs: Any, keys: Sequence[str], url: str) -> None:
    """Asked for directly: `rm` takes brackets for patterns, and says nothing of keys that were refused."""
    for start in range(0, len(keys), AT_ONCE):
        names = [fs.split_path(key) for key in keys[start : start + AT_ONCE]]
        order = {"Objects": [{"Key": name} for _, name, _ in names], "Quiet": True}
        answer = fs.call_s3("delete_objects", Bucket=names[0][0], Delete=order)
        if refused := answer.get("Errors"):
            first = refused[0]
            why = f"{first.get('Code')}: {first.get('Message')}"
            raise StorageTrouble(f"{len(refused)} objects of {url} stay, such as {first.get('Key')} ({why})")
    fs.invalidate_cache()


def keeps_deleted(fs: Any, root: str) -> str | None:
    """Why deleting below `root` frees no space at once, in words; None where it does, or nobody may know."""
    bucket, _, _ = fs.split_path(root)
    try:
        versions = fs.call_s3("get_bucket_versioning", Bucket=bucket).get("Status")
    except Exception:  # noqa: BLE001  who may not ask, or whose server does not know, is told nothing
        return None
    if versions != "Enabled":
        return None
    kept = f"the bucket {bucket} keeps old versions of what is deleted"
    with contextlib.suppress(Exception):  # a bucket without a lock answers with an error
        lock = fs.call_s3("get_object_lock_configuration", Bucket=bucket)["ObjectLockConfiguration"]
        if lock.get("ObjectLockEnabled") == "Enabled":
            kept += ", and locks them"
    return kept
