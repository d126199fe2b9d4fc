"""The whole story of one image, put together from every dataset and a look at its files.

Reads and joins; judges nothing and prints nothing. What the history does not say is None or empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from flows.history import reproduced, view
from flows.history.events import Event
from flows.history.parts import Parts
from flows.history.standing import current
from flows.ids import sha256
from flows.storage import Storage

Row = Mapping[str, Any]


@dataclass(frozen=True)
class File:
    """One file of an image: what it is, where, and what a look at it gave (``unchanged``, ``changed``, ``missing``)."""

    what: str
    path: str
    where: str
    found: str
    bytes: int | None


@dataclass(frozen=True)
class Lineage:
    """Which images this one comes from, and which come from it, as ids; the oldest first.

    `instead_of` were given up when this one was bought to make up for them, `replaced_by` were bought after this one
    was given up: of several given up together nobody knows which stands for which. `beside` came of the same request,
    `siblings` of the same wording and options asked for at other times.
    """

    reproduced_from: str | None = None
    reproduced_as: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    instead_of: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """`image` is the row under its present names with its standing; `request` the call that it came of.

    `events` in their order, `findings` the latest word of each, `features` the newest measures without the thumbnail.
    """

    image: Row
    request: Row | None
    lineage: Lineage
    events: tuple[Row, ...]
    findings: tuple[Row, ...]
    features: Row | None
    files: tuple[File, ...]

    @property
    def seconds_to_storage(self) -> float | None:
        """From asking to having it on storage."""
        asked, stored = self.image["requested_at"], self.image["stored_at"]
        return (stored - asked).total_seconds() if asked and stored else None


def tell(parts: Parts, assets: Storage, image_id: str) -> Story:
    """The story of an image that the history has (see `named.image_named`)."""
    [image] = current(parts, where=pc.field("image_id") == image_id).to_pylist()
    kin = _kin(parts, image)
    events = _events(parts, image, {row["image_id"] for row in kin})
    mine = [row for row in events if row["image_id"] in (None, image_id)]
    return Story(
        image={**image, "options": json.loads(image["options"] or "{}")},
        request=_request(parts, image["request_id"]),
        lineage=_lineage(parts, image, kin, events),
        events=tuple({**row, "details": json.loads(row["details"] or "{}")} for row in mine),
        findings=_findings(parts, image_id),
        features=_features(parts, image["sha256"]),
        files=_files(assets, image),
    )


def _request(parts: Parts, request_id: str) -> Row | None:
    rows = parts.read(parts.listing("requests"), "requests", where=pc.field("request_id") == request_id).to_pylist()
    return max(rows, key=lambda row: int(row["revision"]), default=None)


def _kin(parts: Parts, image: Row) -> list[Row]:
    """The images of the same fingerprint, this one included, the oldest first."""
    columns = ["image_id", "request_id", "fingerprint", "requested_at"]
    rows = view.images(parts, columns, pc.field("fingerprint") == image["fingerprint"]).to_pylist()
    return sorted(rows, key=lambda row: str(row["image_id"]))


def _events(parts: Parts, image: Row, kin: set[str]) -> list[Row]:
    """All that happened to the image, to all of its fingerprint, or to its kin; the oldest first."""
    theirs = pc.field("image_id").isin(sorted(kin)) | (pc.field("fingerprint") == image["fingerprint"])
    rows = parts.read(parts.listing("lifecycle"), "lifecycle", where=theirs).to_pylist()
    return sorted(rows, key=lambda row: str(row["event_id"]))


def _lineage(parts: Parts, image: Row, kin: Sequence[Row], events: Sequence[Row]) -> Lineage:
    name = image["image_id"]
    given_up: dict[str, datetime] = {}
    for row in events:
        if row["event"] == str(Event.REPLACED):
            given_up.setdefault(row["image_id"], row["at"])
    first = min(given_up.values(), default=None)
    later = [row["image_id"] for row in kin if name in given_up and row["requested_at"] >= given_up[name]]
    mine = image["requested_at"]
    instead = [gone for gone, at in given_up.items() if first is not None and mine >= at]
    again = view.images(parts, ["image_id"], pc.field("edition") == reproduced.edition(name))["image_id"].to_pylist()
    return Lineage(
        reproduced_from=reproduced.original_in(image["edition"]),
        reproduced_as=tuple(sorted(str(one) for one in again)),
        replaced_by=tuple(later),
        instead_of=tuple(sorted(instead)),
        beside=tuple(
            row["image_id"] for row in kin if row["request_id"] == image["request_id"] and row["image_id"] != name
        ),
        siblings=tuple(row["image_id"] for row in kin if row["request_id"] != image["request_id"]),
    )


def _findings(parts: Parts, image_id: str) -> tuple[Row, ...]:
    about = (pc.field("image_id") == image_id) | (pc.field("related_image_id") == image_id)
    rows = parts.read(parts.listing("findings"), "findings", where=about).to_pylist()
    latest = {row["finding_id"]: row for row in sorted(rows, key=lambda row: row["found_at"])}
    return tuple({**row, "details": json.loads(row["details"] or "{}")} for row in latest.values())


def _features(parts: Parts, digest: str | None) -> Row | None:
    if digest is None:
        return None
    columns = ["sha256", "extractor", "width", "height", "mode", "phash", "dhash", "extracted_at"]
    rows = parts.read(parts.listing("features"), "features", columns, pc.field("sha256") == digest).to_pylist()
    return max(rows, key=lambda row: (row["extractor"], row["extracted_at"]), default=None)


def _files(assets: Storage, image: Row) -> tuple[File, ...]:
    path = image["local_path"]
    if path is None:
        return ()
    beside = f"{path.rpartition('.')[0]}.json"
    data, note = assets.read(path), assets.stat(beside)
    picture = "missing" if data is None else "unchanged" if sha256(data) == image["sha256"] else "changed"
    return (
        File("picture", path, assets.where(path), picture, None if data is None else len(data)),
        File("record", beside, assets.where(beside), "there" if note else "missing", note.size if note else None),
    )
