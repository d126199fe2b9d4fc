"""Pictures that were made again on purpose: how a reproduction names its original, and the rows that link the two.

The link is in the purchase itself: a reproduction's `edition` names the image it repeats, so that it is bought
apart from its original, and a run that is killed anywhere leaves no picture without its lineage. The `reproduced`
event of a new image is written last of all. It says that its run came to its end: while an image lacks it, asking
again finishes that reproduction and buys none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from flows.history import view
from flows.history.events import Event
from flows.history.fold import Book
from flows.history.parts import Parts
from flows.history.schema import event_row, image_id

PREFIX = "reproduce:"


def edition(original: str) -> str:
    """The edition of what is bought to repeat this image."""
    return f"{PREFIX}{original}"


def original_in(edition_: str | None) -> str | None:
    """The image that an edition repeats, or None."""
    return edition_.removeprefix(PREFIX) if edition_ and edition_.startswith(PREFIX) else None


def images(parts: Parts, book: Book, fingerprint: str) -> tuple[str, ...]:
    """Every image bought under this fingerprint, sealed or not, the oldest first."""
    ours = pc.field("fingerprint") == fingerprint
    found = {str(one) for one in view.images(parts, ["image_id"], ours)["image_id"].to_pylist()}
    for entry in book.live:
        if entry.fingerprint == fingerprint and entry.final is not None and entry.final.outcome.counted:
            found |= {image_id(entry.final.request_id, image.index) for image in entry.final.images}
    return tuple(sorted(found))


def linked(parts: Parts, fingerprint: str) -> dict[str, str]:
    """The original of each image of this fingerprint whose reproduction came to its end."""
    ours = (pc.field("fingerprint") == fingerprint) & (pc.field("event") == str(Event.REPRODUCED))
    rows = parts.read(parts.listing("lifecycle"), "lifecycle", ["image_id", "fingerprint", "event", "details"], ours)
    return {row["image_id"]: json.loads(row["details"])["from"] for row in rows.to_pylist()}


def rows(
    fresh: Iterable[str],
    *,
    original: str,
    fingerprint: str,
    exact: bool,
    new_id: Callable[[], str],
    at: datetime,
    run_id: str,
) -> list[dict[str, Any]]:
    """The events that link new images to the one they repeat."""
    how = "exactly" if exact else "as it was asked for"
    return [
        event_row(
            event_id=new_id(),
            at=at,
            event=Event.REPRODUCED,
            actor="reproduce",
            run_id=run_id,
            reason=f"made from {original} again, {how}",
            image=image,
            fingerprint=fingerprint,
            details={"from": original, "exact": exact},
        )
        for image in fresh
    ]
