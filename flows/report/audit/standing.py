"""What follows from an audit: scores, counts, and what changed since the last one. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from flows.checks.finding import Finding, Severity
from flows.checks.subject import Image
from flows.report.audit.model import Audit, Score, Since

DEFINITION = (
    "The score counts pictures in use without an error or a warning, out of 100. Notes and accepted findings do not"
    " count, nor does what concerns no picture, such as the budget."
)
COUNTS = Severity.WARNING
"""The severity from which a finding spoils a picture's record."""


def overall(audit: Audit) -> Score:
    """The score of all pictures together."""
    return _score(None, audit.images, spoilt(audit))


def by_brand(audit: Audit) -> tuple[Score, ...]:
    """A score for every brand that has pictures in use, in the order of names; those without a brand come last."""
    groups: defaultdict[str, list[Image]] = defaultdict(list)
    for image in audit.images:
        if image.kept:
            groups[image.brand or ""].append(image)
    bad = spoilt(audit)
    return tuple(_score(name or None, groups[name], bad) for name in sorted(groups, key=lambda name: (not name, name)))


def spoilt(audit: Audit) -> frozenset[str]:
    """The images with an error or a warning; of a pair that is alike, both."""
    return frozenset(
        name
        for finding in audit.findings
        if finding.severity >= COUNTS
        for name in (finding.image_id, finding.related_image_id)
        if name
    )


def _score(brand: str | None, images: Iterable[Image], bad: frozenset[str]) -> Score:
    used = [image.image_id for image in images if image.kept]
    return Score(brand, len(used), sum(name not in bad for name in used))


def counts(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many of each severity, the worst first, those without any left out."""
    counted = Counter(finding.severity for finding in findings)
    return {severity: counted[severity] for severity in sorted(Severity, reverse=True) if counted[severity]}


def by_image(audit: Audit) -> Mapping[str, tuple[Finding, ...]]:
    """The findings about each image, the worst first."""
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in audit.findings:
        for name in dict.fromkeys((finding.image_id, finding.related_image_id)):
            if name:
                found[name].append(finding)
    return {name: tuple(ones) for name, ones in found.items()}


def changes(audit: Audit) -> dict[Since, tuple[Finding, ...]]:
    """Every finding of this audit and of the last, by what became of it. Without an earlier audit all are new.

    A finding of a check that did not look this time is not gone: nobody knows.
    """
    before = {finding.finding_id: finding for finding in audit.before}
    now = {finding.finding_id for finding in audit.findings}
    blind = {verdict.check for verdict in audit.skipped} | {
        finding.check for finding in audit.findings if finding.code.endswith(".crashed")
    }
    sorted_: dict[Since, list[Finding]] = {since: [] for since in Since}
    for finding in audit.findings:
        sorted_[Since.STILL if finding.finding_id in before else Since.NEW].append(finding)
    sorted_[Since.ACCEPTED].extend(audit.waived)
    for name, finding in sorted(before.items(), key=lambda one: (-one[1].severity, one[1].code, one[1].subject)):
        if name in now or name in audit.accepted:
            continue
        sorted_[Since.UNSEEN if finding.check in blind else Since.GONE].append(finding)
    return {since: tuple(findings) for since, findings in sorted_.items()}
