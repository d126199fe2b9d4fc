"""Current state: the images as rows, each once, with the labels they bear now.

A fold of ``images`` and ``lifecycle``. No row is ever edited: of several rows of one image the best stands
(stored before withheld before lost), and the latest ``relabelled`` event says what it is called.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.history.conditions import texts
from flows.history.events import Event
from flows.history.parts import Months, Parts

RANK = ("stored", "withheld", "lost")
LABELLED = ("image_id", "fingerprint", "prompt_id", "variant", "campaign", "tags", "retention")


@dataclass(frozen=True)
class Names:
    """What a fingerprint's images are called, apart from what they show."""

    prompt_id: str
    variant: str
    campaign: str | None
    tags: tuple[str, ...]
    retention: str | None = None


def images(
    parts: Parts,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
    months: Months | None = None,
) -> pa.Table:
    """One row per billed image of those months. `columns` None is all of them."""
    needed = None if columns is None else list(dict.fromkeys([*columns, "image_id", "status"]))
    rows = parts.rows("images", needed, where, months)
    rows = once(rows)
    return rows if columns is None else rows.select(list(columns))


def once(rows: pa.Table) -> pa.Table:
    """Drop the second row of an image: there is one only after a broken lock or a late answer."""
    if pc.count_distinct(rows["image_id"]).as_py() == rows.num_rows:
        return rows
    rank = pc.index_in(rows["status"], texts(RANK))
    ordered = rows.append_column("_rank", rank).sort_by([("image_id", "ascending"), ("_rank", "ascending")])
    ids = ordered["image_id"].combine_chunks()
    first = pa.concat_arrays([pa.array([True]), pc.not_equal(ids[1:], ids[:-1])])
    return ordered.filter(first).drop_columns(["_rank"])


def relabelled(parts: Parts, fingerprints: Collection[str] | None = None) -> dict[str, Names]:
    """The latest names given to a fingerprint by an event; of all fingerprints, or of some."""
    columns = ["event_id", "event", "fingerprint", "details"]
    rows = parts.steadily(
        "lifecycle", lambda listing: parts.among(listing, "lifecycle", columns, "event", [Event.RELABELLED])
    )
    if fingerprints is not None:
        rows = rows.filter(pc.is_in(rows["fingerprint"], texts(fingerprints)))
    latest = sorted(rows.to_pylist(), key=lambda row: str(row["event_id"]))
    return {row["fingerprint"]: _names(json.loads(row["details"])) for row in latest}


def names(parts: Parts, fingerprints: Collection[str]) -> dict[str, Names]:
    """What the images of these fingerprints are called now; fingerprints without images are left out."""
    return called(
        parts,
        parts.steadily("images", lambda listing: parts.among(listing, "images", LABELLED, "fingerprint", fingerprints)),
    )


def called(parts: Parts, images: pa.Table) -> dict[str, Names]:
    """What the fingerprints of these images are called now: all of theirs, with the columns `LABELLED`."""
    # Ids sort by time: the newest image's own labels stand where no event says otherwise.
    found = {row["fingerprint"]: _names(row) for row in sorted(images.to_pylist(), key=lambda row: row["image_id"])}
    return found | relabelled(parts, found) if found else found


def _names(row: Mapping[str, Any]) -> Names:
    return Names(row["prompt_id"], row["variant"], row["campaign"], tuple(row["tags"] or ()), row.get("retention"))
