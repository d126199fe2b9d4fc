"""Records: what is missing, wrong or inconsistent is found, and a sound record is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flows.brand.model import Brand
from flows.checks import metadata
from flows.checks.finding import Ran, Severity, Skipped
from flows.checks.policy import AuditPolicy
from flows.checks.run import run

STRICT = AuditPolicy.model_validate_json('{"severities": {"metadata.unmarked": "note"}}')


def seen(kit: Any, one: Any, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = kit.findings(metadata.check(kit.subject(one, **fields), AuditPolicy()))
    return found


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status": "withheld", "state": "withheld", "local_path": None, "sha256": None, "width": None, "bytes": None},
        {"seed": 11, "seed_asked": 11},
        {"seed": 0, "cost_usd": 0.0},
        {"aspect_ratio": None, "resolution_asked": "640x400"},
        {"aspect_ratio": "1:1", "resolution_asked": "640x400"},  # the size decides
        {"aspect_ratio": "3:2", "width": 1248, "height": 832},
        {"variant": "p1@language=de"},
        {"local_path": "a/b.JPEG", "media_type": "image/jpeg"},
    ],
)
def test_a_sound_record_passes(kit: Any, fields: dict[str, Any]) -> None:
    """Withheld images have no file, and a nought is a value."""
    assert seen(kit, kit.image(**fields)) == {}


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"prompt": None, "model": ""}, "metadata.missing", "lacks prompt, model"),
        ({"sha256": None}, "metadata.missing", "sha256"),
        ({"local_path": "a/b.jpg"}, "metadata.wrong", "called .jpg and is image/png"),
        ({"seed": 12, "seed_asked": 11}, "metadata.wrong", "seed 11 was asked for, 12 used"),
        ({"aspect_ratio": "1:1"}, "metadata.wrong", "1:1 was asked for, it is 640x400"),
        ({"resolution_asked": "1024x640"}, "metadata.wrong", "1024x640 was asked for"),
        ({"status": "lost", "state": "lost"}, "metadata.inconsistent", "lost, and yet it has a file"),
        ({"cost_usd": -0.1}, "metadata.inconsistent", "-0.1 dollars"),
        ({"variant": "other@a=b"}, "metadata.inconsistent", "of prompt p1"),
    ],
)
def test_a_planted_fault_is_found(kit: Any, fields: dict[str, Any], code: str, says: str) -> None:
    """Under its rule, and under no other."""
    found = seen(kit, kit.image(**fields))
    assert list(found) == [code]
    assert says in found[code][0].message


def test_times_that_cannot_be_are_found(kit: Any) -> None:
    """Stored before it was asked for, a link that ended before."""
    one = kit.image()
    early = kit.image(stored_at=one.requested_at - timedelta(hours=1), expires_at=one.requested_at - timedelta(days=1))
    (finding,) = seen(kit, early)["metadata.inconsistent"]
    assert finding.measure == 2


def test_a_record_that_the_picture_contradicts_is_found(kit: Any) -> None:
    """By the size that was measured."""
    one = kit.image()
    found = seen(kit, one, features={one.sha256: kit.measured(width=640, height=401)})
    assert "640x401 in the picture" in found["metadata.wrong"][0].message
    assert "metadata.wrong" not in seen(kit, one, features={one.sha256: kit.measured()})


def test_a_brand_without_a_file_is_one_finding(kit: Any) -> None:
    """However many images it has; why a file cannot be used is said."""
    images = [kit.image(number, brand="nova") for number in (1, 2)]
    (finding,) = kit.findings(metadata.check(kit.subject(*images), AuditPolicy()))["metadata.unknown_brand"]
    assert finding.subject == finding.brand == "nova"
    assert "2 images of nova" in finding.message
    assert "configs/brands/nova.yml" in finding.message
    broken = kit.subject(*images, brand_problems={"nova": "its primary is no colour"})
    (finding,) = kit.findings(metadata.check(broken, AuditPolicy()))["metadata.unknown_brand"]
    assert "its primary is no colour" in finding.message
    known = kit.subject(*images, brands={"nova": Brand("nova", "Nova")})
    assert kit.findings(metadata.check(known, AuditPolicy())) == {}


def test_unmarked_pictures_are_found_where_that_is_asked_for(kit: Any) -> None:
    """Off by default; content credentials or a digital source type are enough."""
    one = kit.image()

    def verdict(policy: AuditPolicy, embedded: str) -> Any:
        subject = kit.subject(one, features={one.sha256: kit.measured(embedded=embedded)})
        return run(subject, policy, {"metadata": metadata.check})[0]

    (finding,) = verdict(STRICT, "{}").findings
    assert (finding.code, finding.severity) == ("metadata.unmarked", Severity.NOTE)
    assert verdict(AuditPolicy(), "{}").findings == ()
    assert verdict(STRICT, '{"c2pa": true}').findings == ()
    assert verdict(STRICT, '{"source_type": "trainedAlgorithmicMedia"}').findings == ()


def test_what_is_gone_is_no_matter(kit: Any) -> None:
    """Trashed and purged images are left alone."""
    assert isinstance(metadata.check(kit.subject(kit.image(state="purged", prompt=None)), AuditPolicy()), Skipped)
    assert isinstance(metadata.check(kit.subject(kit.image()), AuditPolicy()), Ran)
