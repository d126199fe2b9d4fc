"""Images that somebody gave up, so that others are bought in their place.

Only an event un-counts an image, never the absence of a file. The event is written before the purchase: a run that is
killed in between leaves a missing image, which the next one buys. Two events for one image free one place, because
what is counted is image ids; and an image is only ever taken off the count of its own request.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.history import view
from flows.history.conditions import among, texts
from flows.history.events import Event
from flows.history.fold import Book
from flows.history.parts import Parts
from flows.history.schema import event_row, image_id


def candidates(
    images: pa.Table, book: Book, fingerprints: Collection[str], statuses: Collection[str]
) -> dict[str, list[str]]:
    """Images of these fingerprints with one of these fates that count as bought and have not been replaced yet.

    In order of their ids, the oldest first. `images` are the rows of these fingerprints, each image once, with the
    columns image_id, fingerprint and status; `book` tells of those whose request has ended and is not sealed yet.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    if not statuses:
        return {}
    for row in images.select(["image_id", "fingerprint", "status"]).to_pylist():
        if row["fingerprint"] in fingerprints and row["status"] in statuses:
            found[row["fingerprint"]].add(row["image_id"])
    for entry in book.live:
        if entry.fingerprint in fingerprints and entry.final is not None and entry.final.outcome.counted:
            found[entry.fingerprint] |= {
                image_id(entry.final.request_id, image.index)
                for image in entry.final.images
                if image.status in statuses
            }
    return {print_: sorted(ids - book.of(print_).replaced) for print_, ids in found.items()}


def rows(
    images: Mapping[str, Iterable[str]], *, new_id: Callable[[], str], at: datetime, run_id: str, why: str
) -> list[dict[str, Any]]:
    """The events that give up these images, by fingerprint."""
    return [
        event_row(
            event_id=new_id(),
            at=at,
            event=Event.REPLACED,
            actor="generate",
            run_id=run_id,
            reason=why,
            image=image,
            fingerprint=print_,
        )
        for print_, ids in images.items()
        for image in ids
    ]


def successors(parts: Parts, fingerprints: Collection[str]) -> dict[tuple[str, str], str]:
    """Which image was bought in the place of which: (fingerprint, given up) -> new, for those not linked yet.

    The images of a fingerprint are alike, so that any bought after the event will do: the oldest for the oldest.
    """
    if not fingerprints:
        return {}
    columns = ["event_id", "event", "fingerprint", "image_id", "details"]
    given_up: defaultdict[str, dict[str, str]] = defaultdict(dict)
    linked: dict[str, str] = {}
    events = parts.among(parts.listing("lifecycle"), "lifecycle", columns, "event", [Event.REPLACED])
    for row in events.filter(pc.is_in(events["fingerprint"], texts(fingerprints))).sort_by("event_id").to_pylist():
        given_up[row["fingerprint"]].setdefault(row["image_id"], row["event_id"])
        if new := json.loads(row["details"] or "{}").get("by"):
            linked[row["image_id"]] = new
    if not given_up.keys() or all(image in linked for images in given_up.values() for image in images):
        return {}
    rows = view.images(parts, ["image_id", "fingerprint"], among("fingerprint", given_up))
    bought: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows.to_pylist():
        bought[row["fingerprint"]].append(row["image_id"])
    found: dict[tuple[str, str], str] = {}
    taken = set(linked.values())
    for print_, images in given_up.items():
        for image, event in images.items():
            # Ids of events and images both begin with their time.
            after = [name for name in sorted(bought[print_]) if name > event and name not in taken]
            if image not in linked and after:
                found[print_, image] = after[0]
                taken.add(after[0])
    return found


def links(
    found: Mapping[tuple[str, str], str], *, new_id: Callable[[], str], at: datetime, run_id: str
) -> list[dict[str, Any]]:
    """The events that say so. A second event about one image frees no second place."""
    return [
        event_row(
            event_id=new_id(),
            at=at,
            event=Event.REPLACED,
            actor="generate",
            run_id=run_id,
            reason=f"{new} was bought in its place",
            image=old,
            fingerprint=print_,
            details={"by": new},
        )
        for (print_, old), new in found.items()
    ]
