"""Colours: how much of a picture shows the brand's, how much shows strong others, and whether it got what was asked.

Knows brands and measured palettes; no thresholds of its own. A colour is the brand's when it is within a tolerance
(CIEDE2000) of one of the brand's colours; greys near none of them count for neither side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.brand import colour
from flows.brand.model import Brand
from flows.checks import policy as rules
from flows.checks.finding import Finding, Ran, Skipped, Verdict
from flows.checks.policy import AuditPolicy
from flows.checks.rules import found
from flows.checks.subject import Image, Measured, Subject

NAME = "palette"
_SWATCHES = 6


@dataclass(frozen=True)
class Coverage:
    """Shares of what is visible, 0 to 1; what is neither (`between`) lies near the brand's colours or is neutral."""

    brand: float
    off_brand: float
    neutral: float
    by_colour: tuple[float, ...]

    @property
    def between(self) -> float:
        """Neither the brand's, nor off brand, nor neutral."""
        return max(0.0, 1 - self.brand - self.off_brand - self.neutral)


def coverage(measured: Measured, hex_codes: Sequence[str], limits: rules.Palette) -> Coverage:
    """What of a picture shows these colours."""
    lab, shares = measured.palette[:, :3].astype(float), measured.palette[:, 3].astype(float)
    distance = colour.differences(lab, colour.labs(hex_codes))
    nearest = distance.min(axis=1)
    ours = nearest <= limits.tolerance
    neutral = ~ours & (colour.chroma(lab) < limits.neutral_chroma)
    off = ~ours & ~neutral & (nearest > limits.off_brand_from)
    at = distance.argmin(axis=1)
    each = np.bincount(at[ours], shares[ours], len(hex_codes))
    return Coverage(
        float(shares[ours].sum()),
        float(shares[off].sum()),
        float(shares[neutral].sum()),
        tuple(float(share) for share in each),
    )


def check(subject: Subject, policy: AuditPolicy) -> Verdict:
    """Every kept image of a brand with colours, and every one whose request named colours."""
    looked = 0
    results: list[Finding] = []
    unseen: Counter[str] = Counter()
    for image in subject.images:
        if not image.kept:
            continue
        brand = subject.brands.get(image.brand or "")
        asked = asked_for(image)
        if not (brand and brand.colours) and not asked:
            unseen["of no brand with colours"] += 1
            continue
        measured = subject.features_of(image)
        if measured is None or not len(measured.palette):
            unseen["without measured colours"] += 1
            continue
        looked += 1
        limits = policy.palette_for(image.brand)
        if brand and brand.colours:
            results += _against_brand(image, measured, brand, limits)
        results += _against_request(image, measured, asked, limits)
    if not looked:
        why = ", ".join(f"{count} {reason}" for reason, count in unseen.items()) or "no kept image"
        return Skipped(NAME, f"nothing to check: {why}")
    return Ran(NAME, looked, tuple(results))


def _against_brand(image: Image, measured: Measured, brand: Brand, limits: rules.Palette) -> Iterator[Finding]:
    codes = [one.hex for one in brand.colours]
    got = coverage(measured, codes, limits)
    if got.brand >= limits.min_coverage and got.off_brand <= limits.max_off_brand:
        return
    details: dict[str, Any] = {
        "brand": [
            {"hex": one.hex, "name": one.name, "share": round(share, 4)}
            for one, share in zip(brand.colours, got.by_colour, strict=True)
        ],
        "got": swatches(measured, codes),
        "neutral": round(got.neutral, 4),
    }
    if got.brand < limits.min_coverage:
        covered, least = apart(got.brand, limits.min_coverage)
        yield found(
            "palette.low_coverage",
            image.image_id,
            f"{covered} of the picture shows colours of {brand.name}; at least {least} should",
            image,
            remedy="Name the brand's colours in the prompt ({brand.palette}) or ask for them (color_palette: brand).",
            measure=round(got.brand, 4),
            threshold=limits.min_coverage,
            unit="share",
            details=details,
        )
    if got.off_brand > limits.max_off_brand:
        off, most = apart(got.off_brand, limits.max_off_brand)
        yield found(
            "palette.off_brand",
            image.image_id,
            f"{off} of the picture shows strong colours that are not those of {brand.name}; at most {most} should",
            image,
            remedy="Look at the picture: reject it and buy another (decide reject --replace), or accept the finding.",
            measure=round(got.off_brand, 4),
            threshold=limits.max_off_brand,
            unit="share",
            details=details,
        )


def apart(share: float, limit: float) -> tuple[str, str]:
    """Two shares as percentages, with as many decimals (up to two) as it takes to see that they differ."""
    texts = [(f"{share:.{digits}%}", f"{limit:.{digits}%}") for digits in range(3)]
    return next((pair for pair in texts if pair[0] != pair[1]), texts[-1])


def swatches(measured: Measured, hex_codes: Sequence[str]) -> list[dict[str, Any]]:
    """The largest colours of a picture: hex, share, and the difference to the nearest of these colours."""
    largest = measured.palette[:_SWATCHES]
    distance = colour.differences(largest[:, :3], colour.labs(hex_codes))
    return [
        {
            "hex": colour.hex_of(lab.tolist()),
            "share": round(float(share), 4),
            "delta_e": round(float(row.min()), 1),
            "nearest": hex_codes[int(row.argmin())],
        }
        for lab, share, row in zip(largest[:, :3], largest[:, 3], distance, strict=True)
    ]


def asked_for(image: Image) -> tuple[tuple[str, float], ...]:
    """The colours that the request named, with their share: weights scaled to add up to 1, alike without any."""
    palette = image.options.get("color_palette")
    members = palette.get("members") if isinstance(palette, dict) else None
    if not isinstance(members, list) or not members:
        return ()
    weights = [float(member.get("color_weight") or 0) for member in members]
    if not sum(weights):
        weights = [1.0] * len(members)
    return tuple(
        (str(member["color_hex"]).upper(), weight / sum(weights))
        for member, weight in zip(members, weights, strict=True)
    )


def _against_request(
    image: Image, measured: Measured, asked: Sequence[tuple[str, float]], limits: rules.Palette
) -> Iterator[Finding]:
    """One finding for each image, about all the colours that are hardly there."""
    if not asked:
        return
    codes = [hex_code for hex_code, _ in asked]
    distance = colour.differences(measured.palette[:, :3], colour.labs(codes))
    shares = measured.palette[:, 3].astype(float)
    compared: list[dict[str, Any]] = []
    for column, (hex_code, wanted) in enumerate(asked):
        near = distance[:, column] <= limits.asked_tolerance
        closest = int(distance[:, column].argmin())
        compared.append(
            {
                "asked": hex_code,
                "asked_share": round(wanted, 4),
                "got_share": round(float(shares[near].sum()), 4),
                "nearest": colour.hex_of(measured.palette[closest, :3].tolist()),
                "delta_e": round(float(distance[closest, column]), 1),
            }
        )
    absent = [one for one in compared if one["got_share"] < limits.asked_ratio * one["asked_share"]]
    if not absent:
        return
    worst = min(absent, key=lambda one: one["got_share"] / one["asked_share"])
    names = ", ".join(one["asked"] for one in absent)
    yield found(
        "palette.asked_missing",
        image.image_id,
        f"asked for {names}: {worst['asked']} was to take {worst['asked_share']:.0%} of the picture "
        f"and takes {worst['got_share']:.1%}",
        image,
        remedy="Look at the picture; a heavier color_weight, or the colour's name in the prompt, may bring it.",
        measure=round(worst["got_share"] / worst["asked_share"], 4),
        threshold=limits.asked_ratio,
        unit="part of the share asked for",
        details={"compared": compared},
    )
