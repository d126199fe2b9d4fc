"""Duplicates: the same file twice, pictures that look the same, prompts that ask for the same.

Knows hashes and groups; no thresholds of its own. Flat and dark pictures are not compared: their hashes are noise.
Within a group each image is told of once, beside the oldest. What people accepted sticks: images that were accepted
as alike, directly or by way of a third, are never told of again, whatever becomes of the third.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from flows.checks import policy as rules
from flows.checks.finding import Finding, Ran, Skipped, Verdict
from flows.checks.policy import AuditPolicy
from flows.checks.rules import found
from flows.checks.subject import Image, Measured, Subject

NAME = "duplicates"
_PAIRS = 1 << 19
"""So many pairs are compared at once: some megabytes, however many pictures there are."""


class Groups:
    """Things that belong together, joined pair by pair; the least of a group stands for it."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def of(self, one: str) -> str:
        """The least member of the group that `one` is in."""
        top = one
        while (above := self._above.get(top, top)) != top:
            top = above
        while (above := self._above.get(one, one)) != top:
            self._above[one] = top
            one = above
        return top

    def join(self, one: str, other: str) -> None:
        """From now on both are in one group."""
        first, second = sorted((self.of(one), self.of(other)))
        self._above[second] = first


def pair(one: Image, other: Image) -> str:
    """The subject of a finding about two images, the same whichever is named first."""
    return "+".join(sorted((one.image_id, other.image_id)))


def check(subject: Subject, policy: AuditPolicy) -> Verdict:
    """Every kept image, and every two prompts."""
    # Ids sort by time: the oldest of a group comes first.
    kept = sorted((image for image in subject.images if image.kept and image.sha256), key=lambda image: image.image_id)
    if not kept:
        return Skipped(NAME, "nothing to check: no kept image")
    by_digest: defaultdict[str, list[Image]] = defaultdict(list)
    for image in sorted((one for one in subject.images if one.sha256), key=lambda one: one.image_id):
        by_digest[image.sha256 or ""].append(image)
    results = list(_exact(by_digest, subject.accepted))
    results += _near(by_digest, subject, policy.duplicates)
    results += _prompts(kept)
    return Ran(NAME, len(kept), tuple(results))


def _exact(by_digest: Mapping[str, Sequence[Image]], accepted: frozenset[str]) -> Iterator[Finding]:
    for digest, images in by_digest.items():
        if len(images) > 1:
            message = "the same file as {other}"
            yield from _told("duplicates.exact", images, accepted, message, {"sha256": digest}, None, None)


def _told(
    code: str,
    images: Sequence[Image],
    accepted: frozenset[str],
    message: str,
    details: Mapping[str, object],
    measure: float | None,
    threshold: float | None,
) -> Iterator[Finding]:
    """Each kept image of a group of equals beside the oldest kept one that it is not accepted beside."""
    known = Groups()
    if accepted:
        for at, one in enumerate(images):
            for other in images[:at]:
                if found(code, pair(one, other), "", None).finding_id in accepted:
                    known.join(one.image_id, other.image_id)
    kept = [image for image in images if image.kept]
    for image in kept[1:]:
        if known.of(image.image_id) != known.of(kept[0].image_id):
            yield _pair_finding(code, image, kept[0], message, details, measure, threshold)


def _pair_finding(
    code: str,
    image: Image,
    other: Image,
    message: str,
    details: Mapping[str, object],
    measure: float | None,
    threshold: float | None,
) -> Finding:
    return found(
        code,
        pair(image, other),
        message.format(other=other.title if other.title != image.title else f"another picture of {other.title}"),
        image,
        remedy="Reject one of them, or accept the finding: it will not come back.",
        related_image_id=other.image_id,
        measure=measure,
        threshold=threshold,
        unit="" if measure is None else "bits of 64 apart",
        details=details,
    )


def _near(by_digest: Mapping[str, Sequence[Image]], subject: Subject, limits: rules.Duplicates) -> Iterator[Finding]:
    """Alike but not the same file; one image of each file is compared."""
    first: list[Image] = []
    for digest, images in by_digest.items():
        measured = subject.features.get(digest)
        # Without contrast and brightness (an older extractor's row) nobody knows whether the hash says anything.
        if measured and comparable(measured, limits):
            first.append(next((image for image in images if image.kept), images[0]))
    measures = [subject.features[image.sha256 or ""] for image in first]
    close = list(look_alike(measures, limits))
    known, groups = Groups(), Groups()
    for at, other, _ in close:
        pair_id = found("duplicates.near", pair(first[at], first[other]), "", None).finding_id
        if pair_id in subject.accepted:
            known.join(first[at].image_id, first[other].image_id)
            groups.join(first[at].image_id, first[other].image_id)
    # The nearest pairs first, so that each image is told of beside the one it is most like.
    for at, other, bits in sorted(close, key=lambda one: (one[2], one[0], one[1])):
        image, older = (
            (first[at], first[other]) if first[at].image_id > first[other].image_id else (first[other], first[at])
        )
        if not (image.kept and older.kept) or known.of(image.image_id) == known.of(older.image_id):
            continue
        if groups.of(image.image_id) == groups.of(older.image_id):
            continue
        groups.join(image.image_id, older.image_id)
        details = {"phash_bits": bits}
        yield _pair_finding(
            "duplicates.near",
            image,
            older,
            "hardly to be told from {other}",
            details,
            float(bits),
            float(limits.near_bits),
        )


def look_alike(measures: Sequence[Measured], limits: rules.Duplicates) -> Iterator[tuple[int, int, int]]:
    """(i, j, bits) of every two pictures, i before j, that look the same by shapes and by colours."""
    phashes = np.array([one.phash for one in measures], np.uint64)
    dhashes = np.array([one.dhash for one in measures], np.uint64)
    for at, other, bits in alike(phashes, dhashes, limits):
        if colours_apart(measures[at], measures[other]) <= limits.near_colours:
            yield at, other, bits


def colours_apart(one: Measured, other: Measured) -> float:
    """How far the colours of one picture are from the nearest of the other, on average; the larger of both ways.

    Hashes see no colours: the same layout in another colour way is another picture. Nought where colours are unknown.
    """
    if not len(one.palette) or not len(other.palette):
        return 0.0
    distance = np.sqrt(((one.palette[:, None, :3] - other.palette[None, :, :3]) ** 2).sum(axis=2))
    forth, back = distance.min(axis=1) @ one.palette[:, 3], distance.min(axis=0) @ other.palette[:, 3]
    return float(max(forth, back))


def comparable(measured: Measured, limits: rules.Duplicates) -> bool:
    """Whether a picture has enough in it for its hash to say anything."""
    return (
        measured.contrast is not None
        and measured.brightness is not None
        and measured.contrast >= limits.min_contrast
        and measured.brightness >= limits.min_brightness
    )


def alike(
    phashes: NDArray[np.uint64], dhashes: NDArray[np.uint64], limits: rules.Duplicates
) -> Iterator[tuple[int, int, int]]:
    """(i, j, bits) of every two, i before j, whose hashes are both near; `bits` is of the perceptual one."""
    rows_at_once = max(1, _PAIRS // max(1, len(phashes)))
    for start in range(0, len(phashes), rows_at_once):
        block = slice(start, start + rows_at_once)
        bits = np.bitwise_count(phashes[block, None] ^ phashes[None, start:])
        rows, columns = np.nonzero(bits <= limits.near_bits)
        later = columns > rows
        rows, columns = rows[later], columns[later]
        gradient = np.bitwise_count(dhashes[start + rows] ^ dhashes[start + columns])
        for row, column in zip(*(side[gradient <= limits.near_gradient_bits] for side in (rows, columns)), strict=True):
            yield int(start + row), int(start + column), int(bits[row, column])


def _prompts(kept: Iterable[Image]) -> Iterator[Finding]:
    """Prompts that say the same to the same model with the same options, under several names."""
    same: defaultdict[tuple[str, str, str, str], dict[str, Image]] = defaultdict(dict)
    for image in kept:
        if image.prompt and image.prompt_id:
            text = " ".join(image.prompt.casefold().split())
            key = (text, image.model or "", repr(sorted(image.options.items())), image.aspect_ratio or "")
            same[key].setdefault(image.prompt_id, image)
    for images in same.values():
        names = sorted(images)
        for name in names[1:]:
            yield found(
                "duplicates.prompts",
                f"{names[0]}+{name}",
                f"the prompts {names[0]} and {name} ask for the same picture",
                images[name],
                remedy="Keep one of them in the manifest, with the larger count; or say in one what is to differ.",
                related_image_id=images[names[0]].image_id,
                details={"prompt": images[name].prompt},
            )
