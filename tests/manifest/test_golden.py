"""Fingerprints that must never move: a moved one buys a picture again that somebody has paid for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from flows.ideogram.catalogue import CATALOGUE
from flows.manifest.load import load
from flows.manifest.variant import Variant, fingerprint

HERE = Path(__file__).parent
GOLDEN: dict[str, str] = json.loads((HERE / "golden_fingerprints.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def variants() -> dict[str, Variant]:
    """The golden variants by name."""
    source = ("golden.yaml", (HERE / "golden.yaml").read_bytes())
    loaded = load([source], datetime(2026, 11, 22, 12, tzinfo=UTC), UTC)
    return {variant.name: variant for variant in loaded.variants}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_fingerprint_never_moves(name: str, variants: dict[str, Variant]) -> None:
    """Whatever else changes in this program, the same manifest means the same pictures."""
    assert fingerprint(variants[name], "api.ideogram.ai") == GOLDEN[name]


def test_every_golden_variant_is_kept(variants: dict[str, Variant]) -> None:
    """A new golden prompt needs its fingerprint written down, and all models have some."""
    new = {name: fingerprint(variant, "api.ideogram.ai") for name, variant in variants.items()}
    assert set(new) == set(GOLDEN), json.dumps({name: new[name] for name in set(new) - set(GOLDEN)}, indent=1)
    assert len(GOLDEN) >= 25
    assert {variant.model for variant in variants.values()} == set(CATALOGUE)


def test_defaults_written_out_are_the_same_picture(variants: dict[str, Variant]) -> None:
    """A new option with a default can be added to the catalogue without moving what is there."""
    written, left_out = variants["defaults-written-out"], variants["defaults-left-out"]
    assert fingerprint(written, "x") == fingerprint(left_out, "x")


def test_what_distinguishes_pictures(variants: dict[str, Variant]) -> None:
    """Everything that decides what is bought is in the fingerprint."""
    variant = variants["seeds@seed=1"]
    others = [
        replace(variant, brand="luna"),
        replace(variant, endpoint=CATALOGUE["V_2"]),
        replace(variant, prompt="Another pattern"),
        replace(variant, options=MappingProxyType({"rendering_speed": "turbo"})),
        replace(variant, seed=2),
        replace(variant, seed=None),
        replace(variant, edition="again"),
    ]
    prints = {fingerprint(other, "api.ideogram.ai") for other in (variant, *others)}
    assert len(prints) == len(others) + 1
    assert fingerprint(variant, "sandbox") not in prints


def test_what_does_not_distinguish_pictures(variants: dict[str, Variant]) -> None:
    """Labels and counts buy nothing."""
    variant = variants["seeds@seed=1"]
    relabelled = replace(
        variant,
        prompt_id="renamed",
        name="renamed@x=y",
        axes=MappingProxyType({"x": "y"}),
        count=9,
        campaign="autumn",
        tags=("t",),
        lettering="A",
        aspect_ratio="1:1",
        file="other.yaml",
        line=99,
        prompt=f"  {variant.prompt} ",
    )
    assert fingerprint(relabelled, "sandbox") == fingerprint(variant, "sandbox")


def test_a_retention_class_is_a_label_and_moves_no_fingerprint(variants: dict[str, Variant]) -> None:
    """It says how long a picture stays, not what it shows."""
    for name, variant in variants.items():
        labelled = replace(variant, retention="masters")
        assert fingerprint(labelled, "api.ideogram.ai") == GOLDEN[name]
