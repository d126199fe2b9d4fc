"""What a finding shows beside its words."""

from __future__ import annotations

from typing import Any

import pytest

from flows.checks.finding import Finding, Severity
from flows.report.audit.evidence import Box, Swatch, amount, evidence, meter


def made(code: str = "a.b", **more: Any) -> Finding:
    return Finding(code, Severity.WARNING, "s", "m", **more)


def test_colours_asked_for_stand_beside_what_came() -> None:
    """With both shares and the difference."""
    compared = {"asked": "#ff8800", "asked_share": 0.5, "got_share": 0.01, "nearest": "#AA8844", "delta_e": 12.34}
    shown = evidence(made(details={"compared": [compared]}))
    assert shown.swatches == (Swatch("asked", "#FF8800", 0.5, "#AA8844", 0.01, 12.34),)
    assert shown.requested


def test_colours_of_the_picture_stand_beside_the_brands_nearest() -> None:
    """Under the brand's own name for it."""
    details = {
        "brand": [{"hex": "#F5C518", "name": "lemon", "share": 0.1}],
        "got": [{"hex": "#3366AA", "share": 0.6, "delta_e": 48.0, "nearest": "#F5C518"}],
    }
    shown = evidence(made(details=details))
    assert shown.swatches == (Swatch("lemon", "#F5C518", None, "#3366AA", 0.6, 48.0),)
    assert not shown.requested
    assert shown.facts == ()


def test_boxes_stay_within_the_picture() -> None:
    """What sticks out is cut, what has no area is left out."""
    boxes = [
        {"box": [-0.2, 0.1, 0.5, 1.4], "text": "SALE"},
        {"box": [0.5, 0.5, 0.5, 0.9], "text": "a line"},
        {"box": [0.1, 0.2], "text": "half"},
    ]
    shown = evidence(made("lettering.invented", details={"boxes": boxes, "asked": "", "read": "SALE"}))
    assert shown.boxes == (Box(0.0, 0.1, 0.5, 1.0, "SALE", "wrong"),)
    assert shown.read == "SALE"


@pytest.mark.parametrize(
    "details",
    [
        {"got": "nonsense", "compared": 3, "boxes": [None, 1, {"box": ["a", 1, 2, 3]}], "brand": [[]]},
        {"got": [{"hex": "javascript:alert(1)"}], "compared": [{"asked": "red;background:url(x)"}]},
        {"boxes": [{"box": [float("nan"), 0, 1, 1]}], "asked": {"a": 1}, "read": None},
    ],
)
def test_details_of_any_shape_break_nothing(details: dict[str, Any]) -> None:
    """What cannot be drawn is not drawn; nothing but a colour's code ever becomes a colour."""
    shown = evidence(made(details=details))
    assert shown.swatches == ()
    assert shown.boxes == ()


def test_what_is_not_drawn_is_listed() -> None:
    """Key by key, in a stable order; nothing is lost."""
    shown = evidence(made(details={"path": "a/b.png", "bytes": 3, "fields": ["x", "y"], "empty": [], "none": None}))
    assert shown.facts == (("bytes", "3"), ("fields", "x, y"), ("path", "a/b.png"))


def test_a_measure_stands_on_a_scale_with_its_threshold() -> None:
    """Shares on one from nought to all, other numbers on one that holds both."""
    low = meter(made(measure=0.04, threshold=0.1, unit="share"))
    assert low is not None
    assert (low.value, low.limit, low.at, low.limit_at, low.least) == ("4%", "10%", 0.04, 0.1, True)
    late = meter(made(measure=1800.0, threshold=900.0, unit="s"))
    assert late is not None
    assert (late.value, late.limit, late.least) == ("1,800 s", "900", False)
    assert 0 < late.limit_at < late.at < 1
    rate = meter(made(measure=0.25, threshold=0.1, unit="character error rate"))
    assert rate is not None
    assert (rate.value, rate.of) == ("25%", "character error rate")


@pytest.mark.parametrize(
    ("measure", "threshold"), [(None, 1.0), (1.0, None), (1.0, 0.0), (2.0, 2.0), (-1.0, 2.0), (float("inf"), 1.0)]
)
def test_what_cannot_be_compared_has_no_scale(measure: float | None, threshold: float | None) -> None:
    """A bar that says nothing is not drawn."""
    assert meter(made(measure=measure, threshold=threshold, unit="share")) is None


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.068, "share", "6.8%"),
        (0.5, "part of the share asked for", "50%"),
        (7.25, "delta_e", "7.25 ΔE"),
        (5.0, "USD", "$5.00"),
        (4.0, "bits of 64", "4 bits of 64"),
        (12345.0, "", "12,345"),
    ],
)
def test_amounts_read_as_people_write_them(value: float, unit: str, said: str) -> None:
    """With their unit, without digits that say nothing."""
    assert amount(value, unit) == said
