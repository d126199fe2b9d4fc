"""How an audit is spread over files."""

from __future__ import annotations

from collections.abc import Callable

from flows.checks.finding import Finding, Severity
from flows.checks.subject import Image
from flows.report.audit import sheets
from flows.report.audit.sheets import spread


def test_an_empty_audit_is_one_file() -> None:
    """Which says that there is nothing."""
    (only,) = spread((), (), {}, {})
    assert (only.number, only.findings, only.pictures) == (1, (), ())


def test_a_thousand_pictures_are_one_file_and_one_more_begins_another(picture: Callable[..., Image]) -> None:
    """Every picture once, in order, with the thumbnails it needs and no others."""
    images = [picture(number) for number in range(sheets.PICTURES + 1)]
    sizes = {image.sha256 or "": 10 for image in images[:-1]}
    first, second = spread((), images, sizes, {image.image_id: image for image in images})
    assert (*first.pictures, *second.pictures) == tuple(images)
    assert len(first.pictures) == sheets.PICTURES
    assert first.digests == sizes.keys()
    assert second.digests == frozenset()


def test_heavy_thumbnails_begin_a_file_sooner(picture: Callable[..., Image], found: Callable[..., Finding]) -> None:
    """The bytes of a file are bounded, those of findings and of pictures; what is shown twice weighs once."""
    images = [picture(number) for number in range(30)]
    sizes = {image.sha256 or "": sheets.PICTURE_BYTES // 10 for image in images}
    by_id = {image.image_id: image for image in images}
    findings = [found(f"a.{at}", Severity.NOTE, images[0], "the same picture") for at in range(30)]
    several = spread(findings, images, sizes, by_id)
    assert [len(sheet.pictures) for sheet in several] == [10, 10, 10]
    assert several[0].findings == tuple(findings)
    each = [found("a.b", Severity.NOTE, image, "its own picture") for image in images]
    for sheet in spread(each, images, sizes, by_id):
        assert sum(sizes[digest] for digest in sheet.digests) <= sheets.PICTURE_BYTES + sheets.FINDING_BYTES


def test_many_findings_go_on_in_further_files(picture: Callable[..., Image], found: Callable[..., Finding]) -> None:
    """In their order, the worst first."""
    image = picture(1)
    findings = [found(f"a.{at}", Severity.ERROR, image, "x") for at in range(sheets.FINDINGS * 2 + 1)]
    several = spread(findings, [image], {}, {image.image_id: image})
    assert [len(sheet.findings) for sheet in several] == [sheets.FINDINGS, sheets.FINDINGS, 1]
    assert [one for sheet in several for one in sheet.findings] == findings
    assert [len(sheet.pictures) for sheet in several] == [1, 0, 0]
