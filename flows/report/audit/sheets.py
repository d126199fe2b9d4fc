"""How an audit is spread over files: so many findings and pictures a file, and never more bytes than a browser likes.

Pure. The first file holds the summary, the worst findings and the first pictures; the rest go on in further files.
A thumbnail is in a file once, however often it is shown there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from flows.checks.finding import Finding
from flows.checks.subject import Image

T = TypeVar("T")

PICTURES = 1000
FINDINGS = 500
# Together 20 MB of thumbnails, which are 27 MB as text: with the words of so many findings and pictures below 30.
PICTURE_BYTES = 13_000_000
FINDING_BYTES = 7_000_000


@dataclass(frozen=True)
class Sheet:
    """What one file shows. `digests` are the thumbnails that it needs."""

    number: int
    findings: tuple[Finding, ...] = ()
    pictures: tuple[Image, ...] = ()
    digests: frozenset[str] = field(default_factory=frozenset)


def spread(
    findings: Sequence[Finding],
    pictures: Sequence[Image],
    sizes: Mapping[str, int],
    images: Mapping[str, Image],
) -> tuple[Sheet, ...]:
    """The files of an audit, at least one. `sizes` are the bytes of each thumbnail, `images` all by their id."""
    of_findings = list(_chunks([(one, shown(one, images)) for one in findings], sizes, FINDINGS, FINDING_BYTES))
    of_pictures = list(_chunks([(one, _digests([one])) for one in pictures], sizes, PICTURES, PICTURE_BYTES))
    sheets = []
    for number in range(max(len(of_findings), len(of_pictures), 1)):
        ours, needed = of_findings[number] if number < len(of_findings) else ((), frozenset())
        theirs, more = of_pictures[number] if number < len(of_pictures) else ((), frozenset())
        sheets.append(Sheet(number + 1, ours, theirs, frozenset(name for name in needed | more if name in sizes)))
    return tuple(sheets)


def shown(finding: Finding, images: Mapping[str, Image]) -> frozenset[str]:
    """The thumbnails that a finding shows."""
    about = (images.get(name) for name in (finding.image_id, finding.related_image_id) if name)
    return _digests(image for image in about if image is not None)


def _digests(images: Iterable[Image]) -> frozenset[str]:
    return frozenset(image.sha256 for image in images if image.sha256)


def _chunks(
    items: Sequence[tuple[T, frozenset[str]]], sizes: Mapping[str, int], most: int, most_bytes: int
) -> Iterable[tuple[tuple[T, ...], frozenset[str]]]:
    chunk: list[T] = []
    held: set[str] = set()
    weight = 0
    for item, digests in items:
        added = sum(sizes.get(name, 0) for name in digests - held)
        if chunk and (len(chunk) >= most or weight + added > most_bytes):
            yield tuple(chunk), frozenset(held)
            chunk, held, weight = [], set(), 0
            added = sum(sizes.get(name, 0) for name in digests)
        chunk.append(item)
        held |= digests
        weight += added
    if chunk:
        yield tuple(chunk), frozenset(held)
