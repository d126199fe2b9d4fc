"""What the tests of the checks look at: records, measures and readings of their own making."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.brand.model import Brand, Colour
from flows.checks.finding import Finding, Ran, Verdict
from flows.checks.policy import AuditPolicy
from flows.checks.subject import Image, Line, Measured, Reading, Subject

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def image(number: int = 1, **fields: Any) -> Image:
    """A sound record: nothing in it is to be found."""
    values: dict[str, Any] = {
        "image_id": f"i{number:03d}",
        "request_id": f"r{number:03d}",
        "fingerprint": f"f{number}",
        "prompt_id": f"p{number}",
        "variant": f"p{number}",
        "brand": "acme",
        "campaign": "spring",
        "prompt": f"a bottle, number {number}",
        "model": "ideogram-3",
        "width": 640,
        "height": 400,
        "aspect_ratio": "16:10",
        "requested_at": NOW - timedelta(hours=2),
        "generated_at": NOW - timedelta(hours=2),
        "expires_at": NOW + timedelta(hours=22),
        "stored_at": NOW - timedelta(hours=2) + timedelta(seconds=20),
        "expiry_margin_s": 86_000.0,
        "local_path": f"acme/p{number}_i{number:03d}.png",
        "media_type": "image/png",
        "bytes": 1000,
        "sha256": f"{number:064x}",
        "cost_usd": 0.06,
    }
    return Image(**{**values, **fields})


def measured(phash: int = 0, **fields: Any) -> Measured:
    """Features of a picture with something in it."""
    values: dict[str, Any] = {"width": 640, "height": 400, "extractor": 2, "contrast": 60.0, "brightness": 120.0}
    return Measured(**{**values, "phash": phash, "dhash": phash, **fields})


def reading(*lines: str, score: float = 0.99) -> Reading:
    """Lines one below the other."""
    return Reading(
        "engine 1", tuple(Line(text, score, (0.1, 0.1 * at, 0.9, 0.1 * at + 0.08)) for at, text in enumerate(lines))
    )


ACME = Brand("acme", "Acme", (Colour("sun", "#F5A623"), Colour("cream", "#FFF4E0")), {"primary": "#F5A623"})


def findings(verdict: Verdict) -> dict[str, list[Finding]]:
    """By code; the check must have run."""
    assert isinstance(verdict, Ran), verdict
    found: dict[str, list[Finding]] = {}
    for finding in verdict.findings:
        found.setdefault(finding.code, []).append(finding)
    return found


@pytest.fixture(scope="session")
def policy() -> AuditPolicy:
    """The defaults."""
    return AuditPolicy()


@pytest.fixture(scope="session")
def kit() -> Any:
    """The makers above: fixtures travel between test modules, imports do not."""

    class Kit:
        now = NOW
        brand = ACME
        image = staticmethod(image)
        measured = staticmethod(measured)
        reading = staticmethod(reading)
        findings = staticmethod(findings)

        @staticmethod
        def subject(*images: Image, **fields: Any) -> Subject:
            return Subject(**{"now": NOW, "images": images, "brands": {"acme": ACME}, **fields})

    return Kit


Make = Callable[..., Any]
