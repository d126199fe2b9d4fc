"""The record of an image: what is missing, what contradicts the picture or the request, what contradicts itself.

Knows rows and measures; no files, no thresholds of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from flows.checks.finding import Finding, Ran, Skipped, Verdict
from flows.checks.policy import AuditPolicy
from flows.checks.rules import found
from flows.checks.subject import Image, Measured, Subject

NAME = "metadata"
_ALWAYS = ("prompt_id", "variant", "prompt", "model", "fingerprint", "requested_at", "cost_usd")
_STORED = ("local_path", "sha256", "bytes", "media_type", "width", "height", "stored_at")
_EXTENSIONS = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/webp": ("webp",),
    "image/gif": ("gif",),
    "image/avif": ("avif",),
}
_PAIR = re.compile(r"\s*(\d+)\s*[:x\u00d7_/]\s*(\d+)\s*")
_RECORD = "Nothing is edited in the history: look how the row came about (ideoflow whois), then accept the finding."
_AGAIN = "Reject the picture and buy another (decide reject --replace), or accept the finding."


def check(subject: Subject, policy: AuditPolicy) -> Verdict:
    """Every billed image that is still of interest: trashed and purged ones are not."""
    images = [image for image in subject.images if image.state not in ("trashed", "purged")]
    if not images:
        return Skipped(NAME, "nothing to check: no image")
    results: list[Finding] = []
    for image in images:
        results += _missing(image)
        results += _wrong(image, subject.features_of(image), policy.metadata.ratio_tolerance)
        results += _inconsistent(image)
        results += _unmarked(image, subject.features_of(image))
    results += _brands(images, subject)
    return Ran(NAME, len(images), tuple(results))


def _missing(image: Image) -> Iterator[Finding]:
    wanted = (*_ALWAYS, *(_STORED if image.status == "stored" else ()))
    # Not `not value`: nothing is wrong with a seed or a price of 0, while an empty text says as little as none.
    empty = [name for name in wanted if getattr(image, name) in (None, "")]
    if empty:
        yield found(
            "metadata.missing",
            image.image_id,
            f"the record lacks {', '.join(empty)}",
            image,
            remedy=_RECORD,
            measure=float(len(empty)),
            threshold=0.0,
            unit="fields",
            details={"fields": empty},
        )


def _wrong(image: Image, measured: Measured | None, tolerance: float) -> Iterator[Finding]:
    contradictions = []
    if image.status != "stored":
        return
    if measured and image.width and image.height and (measured.width, measured.height) != (image.width, image.height):
        contradictions.append(
            f"{image.width}x{image.height} on record, {measured.width}x{measured.height} in the picture"
        )
    if image.local_path and image.media_type in _EXTENSIONS:
        extension = image.local_path.rpartition(".")[2].lower()
        if extension not in _EXTENSIONS[image.media_type]:
            contradictions.append(f"the file is called .{extension} and is {image.media_type}")
    if image.seed_asked is not None and image.seed is not None and image.seed != image.seed_asked:
        contradictions.append(f"seed {image.seed_asked} was asked for, {image.seed} used")
    if image.width and image.height:
        size = _PAIR.fullmatch(image.resolution_asked or "")
        ratio = _PAIR.fullmatch(image.aspect_ratio or "")
        if size and (int(size[1]), int(size[2])) != (image.width, image.height):
            contradictions.append(f"{image.resolution_asked} was asked for, it is {image.width}x{image.height}")
        elif not size and ratio and int(ratio[1]) and int(ratio[2]):
            wanted, got = int(ratio[1]) / int(ratio[2]), image.width / image.height
            if abs(got / wanted - 1) > tolerance:
                contradictions.append(f"{image.aspect_ratio} was asked for, it is {image.width}x{image.height}")
    if contradictions:
        yield found(
            "metadata.wrong",
            image.image_id,
            "; ".join(contradictions),
            image,
            remedy=_AGAIN,
            measure=float(len(contradictions)),
            threshold=0.0,
            unit="contradictions",
            details={"contradictions": contradictions},
        )


def _inconsistent(image: Image) -> Iterator[Finding]:
    contradictions = []
    if image.requested_at and image.stored_at and image.stored_at < image.requested_at:
        contradictions.append("stored before it was asked for")
    if image.requested_at and image.expires_at and image.expires_at < image.requested_at:
        contradictions.append("its link ended before it was asked for")
    if image.status != "stored" and image.local_path:
        contradictions.append(f"{image.status}, and yet it has a file")
    if image.cost_usd is not None and image.cost_usd < 0:
        contradictions.append(f"it cost {image.cost_usd} dollars")
    if image.variant and image.prompt_id and image.variant.partition("@")[0] != image.prompt_id:
        contradictions.append(f"variant {image.variant} of prompt {image.prompt_id}")
    if contradictions:
        yield found(
            "metadata.inconsistent",
            image.image_id,
            "; ".join(contradictions),
            image,
            remedy=_RECORD,
            measure=float(len(contradictions)),
            threshold=0.0,
            unit="contradictions",
            details={"contradictions": contradictions},
        )


def _unmarked(image: Image, measured: Measured | None) -> Iterator[Finding]:
    if not image.kept or measured is None or measured.extractor < 2:
        return
    embedded = json.loads(measured.embedded)
    if not embedded.get("c2pa") and not embedded.get("source_type"):
        yield found(
            "metadata.unmarked",
            image.image_id,
            "the file carries neither content credentials nor IPTC's digital source type",
            image,
            remedy="Export it with its provenance (ideoflow export) before it is published.",
        )


def _brands(images: list[Image], subject: Subject) -> Iterator[Finding]:
    """One finding a brand, not one an image."""
    count: dict[str, int] = {}
    for image in images:
        if image.brand and image.brand not in subject.brands:
            count[image.brand] = count.get(image.brand, 0) + 1
    for brand, number in count.items():
        why = subject.brand_problems.get(brand, f"there is no configs/brands/{brand}.yml")
        yield found(
            "metadata.unknown_brand",
            brand,
            f"{number:,} image{'s' if number > 1 else ''} of {brand} cannot be held against the brand: {why}",
            None,
            brand=brand,
            remedy=f"Write configs/brands/{brand}.yml (the _brand.yml format), or mend it.",
            measure=float(number),
            threshold=0.0,
            unit="images",
        )
