"""Images that somebody gave up, so that others are bought in their place.

Only an event un-counts an image, never the absence of a file. The event is written before the purchase: a run that is
killed in between leaves a missing image, which the next one buys. Two events for one image free one place, because
what is counted is image ids; and an image is only ever taken off the count of its own request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from flows.history import view
from flows.history.conditions import among
from flows.history.events import Event
from flows.history.fold import Book
from flows.history.parts import Parts
from flows.history.schema import event_row, image_id


def candidates(
    parts: Parts, book: Book, fingerprints: Collection[str], statuses: Collection[str]
) -> dict[str, list[str]]:
    """Images of these fingerprints with one of these fates that count as bought and have not been replaced yet.

    In order of their ids, the oldest first. `book` tells of those whose request has ended and is not sealed yet.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    if not statuses:
        return {}
    ours = among("fingerprint", fingerprints)
    # Not filtered by status here: of several rows of one image the best stands.
    for row in view.images(parts, ["image_id", "fingerprint", "status"], ours).to_pylist():
        if row["status"] in statuses:
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
