"""Files against records: what is missing, changed, cut short, undecodable, or belongs to nobody.

Knows paths, sizes and digests as they were listed; looks at nothing itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from flows.checks.finding import Finding, Ran, Skipped, Verdict
from flows.checks.policy import AuditPolicy
from flows.checks.rules import found
from flows.checks.subject import Image, Subject

NAME = "integrity"
_RESTORE = "Bring the file back from a copy; without one, buy another (decide reject --replace)."


def check(subject: Subject, _policy: AuditPolicy) -> Verdict:
    """Every image whose file should be there, and every file that is."""
    if subject.files is None:
        return Skipped(NAME, "the files on storage were not listed")
    files = subject.files
    stored = [image for image in subject.images if image.local_path and image.state not in ("trashed", "purged")]
    if not stored and not files:
        return Skipped(NAME, "nothing to check: no stored image and no file")
    results: list[Finding] = []
    for image in stored:
        results += _file(image, files.get(image.local_path or ""), subject)
    results += _shared(stored)
    results += _orphans(subject, files)
    return Ran(NAME, len(stored), tuple(results))


def _file(image: Image, size: int | None, subject: Subject) -> Iterator[Finding]:
    """The worst that is wrong with one file: what is missing is not also cut short."""
    path = image.local_path or ""
    details = {"path": path}
    digest = image.sha256 or ""
    if size is None:
        yield found(
            "integrity.missing", image.image_id, f"{path} is not on storage", image, remedy=_RESTORE, details=details
        )
        return
    actual = subject.digests.get(path)
    if image.bytes is not None and size != image.bytes:
        shorter = size < image.bytes
        yield found(
            "integrity.truncated" if shorter else "integrity.changed",
            image.image_id,
            f"{path} has {size:,} bytes, {image.bytes:,} were stored",
            image,
            remedy=_RESTORE,
            measure=float(size),
            threshold=float(image.bytes),
            unit="bytes",
            details=details,
        )
    elif actual is not None and image.sha256 and actual != image.sha256:
        yield found(
            "integrity.changed",
            image.image_id,
            f"{path} is not the file that was stored: its digest is another",
            image,
            remedy=_RESTORE,
            details=details | {"sha256": actual, "recorded": image.sha256},
        )
    elif image.flaw or digest in subject.unmeasured:
        why = image.flaw or subject.unmeasured[digest]
        yield found(
            "integrity.undecodable",
            image.image_id,
            f"{path} cannot be read as a picture: {why}",
            image,
            remedy="Reject the picture and buy another (decide reject --replace).",
            details=details | {"why": why},
        )


def _shared(stored: list[Image]) -> Iterator[Finding]:
    paths: defaultdict[str, list[Image]] = defaultdict(list)
    for image in stored:
        paths[image.local_path or ""].append(image)
    for path, images in paths.items():
        if len(images) > 1:
            names = sorted(image.image_id for image in images)
            yield found(
                "integrity.shared_path",
                path,
                f"{len(images)} images have the file name {path}: {', '.join(names)}",
                images[0],
                remedy="At most one of them has its file: restore the others from copies under names of their own.",
                details={"images": names},
            )


def _orphans(subject: Subject, files: Mapping[str, int]) -> Iterator[Finding]:
    """Files that belong to no image, whatever its state. Hidden ones (and the trash) are nobody's business here."""
    known = {_stem(image.local_path) for image in subject.images if image.local_path}
    for path, size in files.items():
        hidden = any(part.startswith(".") for part in path.split("/"))
        if not hidden and _stem(path) not in known:
            yield found(
                "integrity.orphaned",
                path,
                f"{path} ({size:,} bytes) belongs to no image of the history",
                None,
                remedy="Take it over (ideoflow import) or move it out of storage.assets.",
                details={"path": path, "bytes": size},
            )


def _stem(path: str) -> str:
    """A picture and the record beside it have the same."""
    return path.rpartition(".")[0] or path
