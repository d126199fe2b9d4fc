"""A picture found in the wild: is it one of ours, and which? By digest, by its mark, by likeness, in this order.

Reads the history only, never the pictures themselves: what is compared is their features. Decides nothing about who
may use what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    looks otherwise. `compared` is how many pictures were compared, `unmeasured` how many have no features yet.
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
    return _alike(parts, found, claimed)


def _alike(parts: Parts, found: Features, claimed: str | None) -> Recognised:
    import numpy as np  # noqa: PLC0415  numpy is slow to import, and a digest needs none

    from flows.assets import likeness  # noqa: PLC0415  see above
    from flows.assets.features import EXTRACTOR_VERSION  # noqa: PLC0415  see above

    ours = pc.field("extractor") == EXTRACTOR_VERSION
    columns = ["sha256", "extractor", "phash", "dhash"]
    known = parts.read(parts.listing("features"), "features", columns, ours)
    digests = known["sha256"].to_pylist()
    pairs = zip(known["phash"].to_pylist(), known["dhash"].to_pylist(), strict=True)
    hashes = np.array([(int(str(phash), 16), int(str(dhash), 16)) for phash, dhash in pairs], dtype=np.uint64).reshape(
        -1, 2
    )
    bits = likeness.distances(hashes, (found.phash, found.dhash))
    near = {
        digests[place]: int(bits[place]) for place in np.argsort(bits, kind="stable") if bits[place] <= likeness.NEAR
    }
    looked = dict(list(near.items())[:LOOKED_AT])
    stored = view.images(parts, ["image_id", "sha256"], pc.field("status") == "stored").to_pylist()
    # What it says to be is looked at too, however far away it is.
    said = next((str(row["sha256"]) for row in stored if row["image_id"] == claimed), None)
    if said in digests:
        looked.setdefault(said, int(bits[digests.index(said)]))
    wanted = pc.field("sha256").isin(pa.array(sorted(looked), pa.string()))
    thumbnails = parts.read(parts.listing("features"), "features", [*columns, "thumbnail"], ours & wanted).to_pylist()
    left = {row["sha256"]: likeness.difference(found.thumbnail, row["thumbnail"]) for row in thumbnails}
    scores = {
        one: Match("", How.LIKENESS, likeness.confidence(apart), looked[one], apart)
        for one, apart in left.items()
        if apart is not None
    }
    matches = [
        Match(str(row["image_id"]), How.LIKENESS, score.confidence, score.bits, score.difference)
        for row in stored
        if (score := scores.get(str(row["sha256"])))
    ]
    ordered = sorted(matches, key=lambda one: (-one.confidence, one.image_id))
    likely = tuple(one for one in ordered if one.confidence >= likeness.LIKELY)
    measured = set(digests)
    return Recognised(
        found.sha256,
        likely,
        claimed,
        doubted=said is not None and claimed not in {one.image_id for one in likely},
        compared=len(measured),
        unmeasured=len({row["sha256"] for row in stored} - measured),
        nearest=_first(ordered),
    )


def _first(matches: Sequence[Match]) -> Match | None:
    return matches[0] if matches else None
