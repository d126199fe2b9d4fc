"""What has to happen at the destination: which copies stay, which are renamed, which are made. Pure.

A copy is known by its image, the digest of the original, and what was put into it. Nothing that somebody else put
there is ever touched, and what was exported before and is not asked for now stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flows.assets.naming import asset_path

TEMPLATE = "{brand}/{campaign}/{variant}_{date}_{image_id}.{ext}"
_ID_LETTERS = 8


@dataclass(frozen=True)
class Wanted:
    """An image to hand out: its copy's path, the original's digest, and which version of a mark goes in (0: none)."""

    image_id: str
    file: str
    sha256: str
    mark: int


@dataclass(frozen=True)
class Copy:
    """A copy that is there: `bytes` and `copy_sha256` are its own, `sha256` its original's; `xmp` a file beside it."""

    image_id: str
    file: str
    sha256: str
    mark: int
    bytes: int
    copy_sha256: str
    embedded: bool
    xmp: str | None
    exported_at: datetime


class Act(StrEnum):
    """What happens to one image's copy."""

    KEEP = "kept"
    RENAME = "renamed"
    COPY = "copied"


@dataclass(frozen=True)
class Step:
    """One image, and what happens to it. `before` is its copy of an earlier export, if that is still there."""

    act: Act
    wanted: Wanted
    before: Copy | None = None


def beside(file: str, ending: str) -> str:
    """The file that stands beside a copy, under the same name."""
    return f"{file.rpartition('.')[0]}.{ending}"


def named(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The path of each image's copy, for people: brand, campaign, variant, day, and the last letters of its id.

    The same for the same labels, whoever else is exported; where two would be one, the whole ids tell them apart.
    """
    rows = list(rows)
    short = {row["image_id"]: _path(row, _short(row)) for row in rows}
    # File systems of desktops do not tell capitals apart.
    crowd = Counter(path.casefold() for path in short.values())
    return {
        row["image_id"]: _path(row, row["image_id"])
        if crowd[short[row["image_id"]].casefold()] > 1
        else short[row["image_id"]]
        for row in rows
    }


def decide(wanted: Sequence[Wanted], before: Mapping[str, Copy], present: Mapping[str, int]) -> list[Step]:
    """A step for each wanted image. `present` are the sizes of the files that are there."""
    return [_step(one, before.get(one.image_id), present) for one in wanted]


def _step(wanted: Wanted, before: Copy | None, present: Mapping[str, int]) -> Step:
    if before is None:
        return Step(Act.COPY, wanted)
    whole = present.get(before.file) == before.bytes and (before.xmp is None or before.xmp in present)
    if not whole or (before.sha256, before.mark) != (wanted.sha256, wanted.mark):
        return Step(Act.COPY, wanted, before)
    return Step(Act.KEEP if before.file == wanted.file else Act.RENAME, wanted, before)


def _short(row: Mapping[str, Any]) -> str:
    index = f"-{row['image_index']}" if row["image_index"] else ""
    return f"{row['request_id'][-_ID_LETTERS:]}{index}"


def _path(row: Mapping[str, Any], name: str) -> str:
    fields = {
        "brand": row["brand"],
        "campaign": row["campaign"],
        "variant": row["variant"],
        "date": f"{row['requested_at']:%Y-%m-%d}",
        "image_id": name,
    }
    return asset_path(TEMPLATE, fields, ext=row["local_path"].rpartition(".")[2])
