"""A picture found in the wild: is it one of ours, and which? By digest, by its mark, by likeness, in this order.

Reads the history only, never the pictures themselves: what is compared is their features. Decides nothing about who
may use what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import BadImage
from flows.history import view
from flows.history.parts import Parts
from flows.ids import sha256
from flows.provenance.marking import claimed_id

if TYPE_CHECKING:  # importing it for real would load numpy for those who only compare digests
    from flows.assets.features import Features

TIMEOUT_S = 60
LOOKED_AT = 24


class How(StrEnum):
    """How a picture was recognised."""

    DIGEST = "digest"
    LIKENESS = "likeness"


@dataclass(frozen=True)
class Match:
    """One of our images. `confidence` from 0 to 1; `bits` of 128 and `difference` as in `assets.likeness`."""

    image_id: str
    how: How
    confidence: float
    bits: int | None = None
    difference: float | None = None


@dataclass(frozen=True)
class Recognised:
    """What came of looking: the best match first, none where the picture is not ours.

    `claimed` is the id in the picture's own XMP, which proves nothing; `doubted` says that we have that image, and it
    looks otherwise. `compared` is how many pictures were compared, `unmeasured` how many were not, since they have no
    features that could be: whether the picture is one of those is not known.
    """

    sha256: str
    matches: tuple[Match, ...]
    claimed: str | None = None
    doubted: bool = False
    compared: int = 0
    unmeasured: int = 0
    nearest: Match | None = None


Measure = Callable[[bytes], "Features | str"]
"""The features of a picture, or why there are none."""


def isolated(data: bytes) -> Features | str:
    """Measured in a process of its own: nobody knows where this picture has been."""
    from flows.assets.isolation import extract_many  # noqa: PLC0415  it loads numpy

    [(_, found)] = extract_many([("", data)], workers=1, timeout_s=TIMEOUT_S)
    return found


def recognise(parts: Parts, data: bytes, measure: Measure = isolated) -> Recognised:
    """Look for a picture in the history. Raises BadImage where the bytes are no picture."""
    digest, claimed = sha256(data), claimed_id(data)
    same = view.images(parts, ["image_id"], pc.field("sha256") == digest)["image_id"].to_pylist()
    if same:
        matches = tuple(Match(one, How.DIGEST, 1.0) for one in sorted(map(str, same)))
        return Recognised(digest, matches, claimed)
    found = measure(data)
    if isinstance(found, str):
        raise BadImage(found)
    return _alike(parts, digest, found, claimed)


def _alike(parts: Parts, digest: str, found: Features, claimed: str | None) -> Recognised:
    import numpy as np  # noqa: PLC0415  numpy is slow to import, and a digest needs none

    from flows.assets import likeness  # noqa: PLC0415  see above
    from flows.assets.extractor import LIKENESS_VERSIONS  # noqa: PLC0415  see above

    ours = pc.field("extractor").isin(sorted(LIKENESS_VERSIONS))
    columns = ["sha256", "extractor", "phash", "dhash"]
    listing = parts.listing("features")
    known = _latest(parts.read(listing, "features", columns, ours))
    stored = view.images(parts, ["image_id", "sha256"], pc.field("status") == "stored")
    pairs = zip(known["phash"].to_pylist(), known["dhash"].to_pylist(), strict=True)
    hashes = np.array([(int(str(one), 16), int(str(other), 16)) for one, other in pairs], dtype=np.uint64)
    bits = likeness.distances(hashes.reshape(-1, 2), (found.phash, found.dhash))
    nearest = [int(place) for place in np.argsort(bits, kind="stable")[:LOOKED_AT] if bits[place] <= likeness.NEAR]
    # What it says to be is looked at too, however far away it is.
    said = stored.filter(pc.equal(stored["image_id"], pa.scalar(claimed, pa.string())))["sha256"]
    nearest += np.flatnonzero(pc.is_in(known["sha256"], said.combine_chunks()).to_numpy()).tolist()
    looked = {str(known["sha256"][place]): int(bits[place]) for place in nearest}
    among = pa.array(sorted(looked), pa.string())
    wanted = ours & pc.field("sha256").isin(among)
    # Thumbnails are by far the largest of all columns: only parts that hold one of these are opened for them.
    shelves = parts.holding(listing, "features", wanted)
    thumbnails = _latest(parts.read(shelves, "features", [*columns, "thumbnail"], wanted))
    left = {row["sha256"]: likeness.difference(found.thumbnail, row["thumbnail"]) for row in thumbnails.to_pylist()}
    matches = [
        Match(row["image_id"], How.LIKENESS, likeness.confidence(apart), looked[row["sha256"]], apart)
        for row in stored.filter(pc.is_in(stored["sha256"], among)).to_pylist()
        if (apart := left.get(row["sha256"])) is not None
    ]
    matches.sort(key=lambda one: (-one.confidence, one.image_id))
    likely = tuple(one for one in matches if one.confidence >= likeness.LIKELY)
    lacking = stored.filter(pc.invert(pc.is_in(stored["sha256"], known["sha256"].combine_chunks())))
    return Recognised(
        digest,
        likely,
        claimed,
        doubted=len(said) > 0 and claimed not in {one.image_id for one in likely},
        compared=len(pc.unique(known["sha256"])),
        unmeasured=len(pc.unique(lacking["sha256"])),
        nearest=next(iter(matches), None),
    )


def _latest(rows: pa.Table) -> pa.Table:
    """Of each picture the features that the newest extractor measured: after an upgrade it may be an older one."""
    versions = sorted((int(one) for one in pc.unique(rows["extractor"]).to_numpy()), reverse=True)
    if len(versions) < 2:
        return rows
    found: list[pa.Table] = []
    for version in versions:
        fresh = rows.filter(pc.equal(rows["extractor"], pa.scalar(version, pa.int32())))
        for earlier in found:
            fresh = fresh.filter(pc.invert(pc.is_in(fresh["sha256"], earlier["sha256"].combine_chunks())))
        found.append(fresh)
    return pa.concat_tables(found)
