"""The colours of pictures against the brand's and against what the request asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flows.brand.colour import lab_of
from flows.brand.model import Brand
from flows.checks import palette
from flows.checks.finding import Ran, Skipped
from flows.checks.policy import AuditPolicy, Palette

MEMBERS = {"members": [{"color_hex": "#F5A623", "color_weight": 0.6}, {"color_hex": "#2A7F9E", "color_weight": 0.2}]}


def of(**shares: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A palette: hex codes (without #) and shares."""
    rows = [[*lab_of(f"#{code.removeprefix('c')}"), share] for code, share in shares.items()]
    return np.array(sorted(rows, key=lambda row: -row[3]), np.float32)


def seen(kit: Any, policy: AuditPolicy, colours: Any, **fields: Any) -> dict[str, Any]:
    one = kit.image(**fields)
    subject = kit.subject(one, features={one.sha256: kit.measured(palette=colours)})
    found: dict[str, Any] = kit.findings(palette.check(subject, policy))
    return found


def test_a_picture_in_the_brands_colours_passes(kit: Any, policy: AuditPolicy) -> None:
    """Half orange, half cream, a little of something else."""
    assert seen(kit, policy, of(cF5A623=0.5, cFFF4E0=0.4, c0000FF=0.1)) == {}


def test_too_little_of_the_brand_is_found(kit: Any, policy: AuditPolicy) -> None:
    """With measure and threshold, and the brand's colours with what each got."""
    found = seen(kit, policy, of(cF5A623=0.04, c808080=0.96))
    (finding,) = found["palette.low_coverage"]
    assert (finding.measure, finding.threshold) == (0.04, 0.1)
    assert finding.image_id == finding.subject == "i001"
    assert [one["share"] for one in finding.details["brand"]] == [0.04, 0.0]
    assert finding.details["neutral"] == 0.96
    assert list(found) == ["palette.low_coverage"]  # grey is neutral, not off brand


@pytest.mark.parametrize(
    ("share", "limit", "said"),
    [
        (0.073, 0.1, ("7%", "10%")),
        (0.096, 0.1, ("9.6%", "10.0%")),
        (0.09996, 0.1, ("10.00%", "10.00%")),
        (0.0996, 0.1, ("9.96%", "10.00%")),
    ],
)
def test_a_near_miss_is_told_apart_from_its_limit(share: float, limit: float, said: tuple[str, str]) -> None:
    """`10% of the picture; at least 10% should` would be no reason."""
    assert palette.apart(share, limit) == said


def test_too_much_of_strong_others_is_found(kit: Any, policy: AuditPolicy) -> None:
    """With the colours that it is, and how far each is from the brand's nearest."""
    (finding,) = seen(kit, policy, of(cF5A623=0.3, c0000FF=0.7))["palette.off_brand"]
    assert finding.measure == pytest.approx(0.7, abs=1e-4)
    worst = finding.details["got"][0]
    assert worst["hex"] == "#0000FF"
    assert worst["delta_e"] > 40
    assert worst["nearest"] in {"#F5A623", "#FFF4E0"}


def test_a_shade_of_the_brands_colour_is_neither(kit: Any, policy: AuditPolicy) -> None:
    """Between the tolerance and off brand lies what light does to a colour."""
    got = palette.coverage(kit.measured(palette=of(cB87A10=1.0)), ["#F5A623"], Palette())
    assert (got.brand, got.off_brand) == (0, 0)
    assert got.between == 1


def test_a_white_of_the_brand_counts_though_it_is_neutral(kit: Any, policy: AuditPolicy) -> None:
    """Neutrals are apart only where they are none of the brand's colours."""
    got = palette.coverage(kit.measured(palette=of(cFFFFFF=0.5, c777777=0.5)), ["#FFFFFF"], Palette())
    assert (got.brand, got.neutral) == (0.5, 0.5)


def test_a_colour_asked_for_and_not_there_is_found(kit: Any, policy: AuditPolicy) -> None:
    """Asked against got: orange came, blue did not."""
    found = seen(kit, policy, of(cF5A623=0.97, cFFF4E0=0.03), options={"color_palette": MEMBERS})
    (finding,) = found["palette.asked_missing"]
    assert "#2A7F9E" in finding.message
    assert "#F5A623" not in finding.message
    assert finding.measure == 0
    orange, blue = finding.details["compared"]
    assert orange == {
        "asked": "#F5A623",
        "asked_share": 0.75,
        "got_share": 0.97,
        "nearest": "#F5A623",
        "delta_e": 0.0,
    }
    assert blue["asked_share"] == 0.25
    assert blue["delta_e"] > 30


def test_what_was_asked_for_and_came_passes(kit: Any, policy: AuditPolicy) -> None:
    """A quarter of the share is enough; presets name no colours, so nothing is compared."""
    assert seen(kit, policy, of(cF5A623=0.9, c2A7F9E=0.1), options={"color_palette": MEMBERS}) == {}
    assert seen(kit, policy, of(cF5A623=1.0), options={"color_palette": {"name": "EMBER"}}) == {}


def test_members_without_weights_share_alike(kit: Any, policy: AuditPolicy) -> None:
    """As the vendor means them."""
    one = kit.image(options={"color_palette": {"members": [{"color_hex": "#fa0fa0"}, {"color_hex": "#111111"}]}})
    assert palette.asked_for(one) == (("#FA0FA0", 0.5), ("#111111", 0.5))


def test_a_request_with_colours_is_checked_without_a_brand(kit: Any, policy: AuditPolicy) -> None:
    """Asked against got needs no brand file."""
    found = seen(kit, policy, of(c808080=1.0), brand="nova", options={"color_palette": MEMBERS})
    assert list(found) == ["palette.asked_missing"]


def test_the_thresholds_are_the_brands_own(kit: Any) -> None:
    """The same picture passes under one policy and fails under another."""
    strict = AuditPolicy.model_validate_json('{"brands": {"acme": {"palette": {"min_coverage": 0.6}}}}')
    colours = of(cF5A623=0.5, c808080=0.5)
    assert seen(kit, AuditPolicy(), colours) == {}
    assert list(seen(kit, strict, colours)) == ["palette.low_coverage"]


@pytest.mark.parametrize(
    ("fields", "features", "reason"),
    [
        ({"state": "trashed"}, True, "no kept image"),
        ({"verdict": "rejected"}, True, "no kept image"),
        ({"brand": "nova"}, True, "of no brand"),
        ({}, False, "without measured colours"),
    ],
)
def test_nothing_to_check_has_a_reason(
    kit: Any, policy: AuditPolicy, fields: dict[str, Any], features: bool, reason: str
) -> None:
    """Not the same as nothing wrong."""
    one = kit.image(**fields)
    known = {one.sha256: kit.measured(palette=of(c00FF00=1.0))} if features else {}
    verdict = palette.check(
        kit.subject(one, features=known, brands={"acme": kit.brand, "nova": Brand("nova", "N")}), policy
    )
    assert isinstance(verdict, Skipped)
    assert reason in verdict.reason


def test_an_old_extractors_row_is_left_out(kit: Any, policy: AuditPolicy) -> None:
    """It has no colours: that is not the same as having none of the brand's."""
    old, new = kit.image(1), kit.image(2)
    known = {old.sha256: kit.measured(extractor=1), new.sha256: kit.measured(palette=of(cF5A623=1.0))}
    verdict = palette.check(kit.subject(old, new, features=known), policy)
    assert verdict == Ran("palette", 1)
