"""Files against records: every planted fault is found under its own rule and no other."""

from __future__ import annotations

from typing import Any

import pytest

from flows.checks import integrity
from flows.checks.finding import Skipped
from flows.checks.policy import AuditPolicy


def seen(kit: Any, *images: Any, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = kit.findings(integrity.check(kit.subject(*images, **fields), AuditPolicy()))
    return found


def test_files_that_are_as_recorded_pass(kit: Any) -> None:
    """The record beside a picture and hidden files included; trashed ones are elsewhere."""
    one, gone = kit.image(1), kit.image(2, state="trashed")
    path = one.local_path
    assert (
        seen(
            kit,
            one,
            gone,
            files={path: 1000, path.replace(".png", ".json"): 300, ".trash/x.png": 5, "acme/.tmp": 1},
            digests={path: one.sha256},
        )
        == {}
    )


@pytest.mark.parametrize(
    ("size", "fields", "code"),
    [
        (None, {}, "integrity.missing"),
        (400, {}, "integrity.truncated"),
        (1001, {}, "integrity.changed"),
        (1000, {"digests": "other"}, "integrity.changed"),
        (1000, {"unmeasured": "cannot be decoded: bad"}, "integrity.undecodable"),
    ],
)
def test_a_planted_fault_is_found(kit: Any, size: int | None, fields: dict[str, str], code: str) -> None:
    """One finding for each file: the worst."""
    one = kit.image()
    more: dict[str, Any] = {"files": {} if size is None else {one.local_path: size}}
    if "digests" in fields:
        more["digests"] = {one.local_path: fields["digests"]}
    if "unmeasured" in fields:
        more["unmeasured"] = {one.sha256: fields["unmeasured"]}
    found = seen(kit, one, **more)
    assert list(found) == [code]
    (finding,) = found[code]
    assert finding.image_id == "i001"
    assert finding.details["path"] == one.local_path
    assert finding.remedy


def test_a_flaw_on_record_is_found(kit: Any) -> None:
    """What was seen when it was stored."""
    one = kit.image(flaw="is cut off")
    (finding,) = seen(kit, one, files={one.local_path: 1000})["integrity.undecodable"]
    assert "is cut off" in finding.message


def test_a_file_that_belongs_to_nobody_is_found(kit: Any) -> None:
    """By its path, so that accepting it lasts."""
    one = kit.image()
    found = seen(kit, one, files={one.local_path: 1000, "acme/stray.png": 7})
    assert [finding.subject for finding in found["integrity.orphaned"]] == ["acme/stray.png"]
    assert list(found) == ["integrity.orphaned"]


def test_two_images_of_one_path_are_found(kit: Any) -> None:
    """At most one of them can have its file."""
    images = [kit.image(1, local_path="a.png"), kit.image(2, local_path="a.png")]
    (finding,) = seen(kit, *images, files={"a.png": 1000})["integrity.shared_path"]
    assert finding.details["images"] == ["i001", "i002"]


def test_what_was_not_listed_is_not_judged(kit: Any) -> None:
    """No listing is not the same as no files."""
    verdict = integrity.check(kit.subject(kit.image()), AuditPolicy())
    assert isinstance(verdict, Skipped)
    assert "not listed" in verdict.reason
    assert isinstance(integrity.check(kit.subject(files={}), AuditPolicy()), Skipped)
