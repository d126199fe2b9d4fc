"""Lettering against readings: mistakes are found, what engines do to words is not held against the picture."""

from __future__ import annotations

from typing import Any

import pytest

from flows.checks import lettering
from flows.checks.finding import Skipped
from flows.checks.policy import AuditPolicy
from flows.checks.subject import Reading

LEXICON = AuditPolicy.model_validate_json(
    '{"brands": {"acme": {"lexicon": {"allow": ["since 1999"], "forbid": ["Rival"]}}}}'
)


def seen(kit: Any, asked: str, *lines: str, score: float = 0.99, policy: AuditPolicy = LEXICON) -> dict[str, Any]:
    one = kit.image(lettering=asked)
    subject = kit.subject(one, readings={one.sha256: kit.reading(*lines, score=score)})
    found: dict[str, Any] = kit.findings(lettering.check(subject, policy))
    return found


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ("SUMMER, SLOWLY", ["SUMMER, SLOWLY"]),
        ("SUMMER, SLOWLY", ["Summer", "slowly"]),
        ("SUMMER, SLOWLY", ["SUMMER,SLOWLY"]),
        ("SUMMER, SLOWLY", ["SUMMERSLOWLY"]),  # joined by the engine
        ("SUMMER, SLOWLY", ["SUM MER", "SLOWLY"]),  # parted by it
        ("SUMMER, SLOWLY", ["SLOWLY", "SUMMER"]),  # read in another order
        ("50% OFF", ["50% 0FF"]),  # a nought for an O
        ("Don't rush", ["DONT RUSH"]),
        ("Grüße", ["GRÜSSE"]),
        ("SUMMER", ["SUMMER", "ACME"]),  # its own name
        ("SUMMER", ["SUMMER", "Since 1999"]),  # allowed
        ("SUMMER", ["SUMMER", "ab"]),  # too short to count
        ("CIAO CIAO", ["CIAO CIAO"]),
    ],
)
def test_what_says_what_was_asked_passes(kit: Any, asked: str, lines: list[str]) -> None:
    """Case, marks, line breaks and joined words are how engines read."""
    assert seen(kit, asked, *lines) == {}


@pytest.mark.parametrize(
    ("asked", "lines", "code", "says"),
    [
        ("SUMMER, SLOWLY", ["SUMER, SLOWLY"], "misspelt", "sumer"),
        ("SUMMER, SLOWLY", ["SUMMER, SLWOLY"], "misspelt", "slwoly"),
        ("CIAO", ["CAIO"], "misspelt", "caio"),
        ("AHOI", ["AHXOI"], "misspelt", "ahxoi"),
        ("SUN", ["SUM"], "misspelt", "sum"),
        ("SUMMER, SLOWLY", ["SUMMER"], "missing", "slowly"),
        ("SUMMER, SLOWLY", [], "missing", "says nothing"),
        ("CIAO", ["HELLO"], "missing", "ciao"),
        ("CIAO CIAO", ["CIAO"], "missing", "ciao"),
        ("SUMMER", ["SUMMER", "SALE"], "invented", "sale"),
        ("SUMMER", ["SUMMER RIVAL"], "forbidden", "rival"),
    ],
)
def test_a_planted_mistake_is_found(kit: Any, asked: str, lines: list[str], code: str, says: str) -> None:
    """Under its rule, with the words and the box they stand in."""
    found = seen(kit, asked, *lines)
    assert f"lettering.{code}" in found, found
    (finding,) = found[f"lettering.{code}"]
    assert says in finding.message
    assert finding.details["asked"] == asked
    assert all(0 <= side <= 1 for box in finding.details["boxes"] for side in box["box"])
    if code != "missing":
        assert list(found) == [f"lettering.{code}"]
        assert finding.details["boxes"]


def test_the_measure_is_the_error_rate_of_the_worst_word(kit: Any) -> None:
    """One letter of six; of the whole, one of twelve."""
    (finding,) = seen(kit, "SUMMER, SLOWLY", "SUMER, SLOWLY")["lettering.misspelt"]
    assert finding.measure == pytest.approx(1 / 6, abs=1e-4)
    assert finding.threshold == LEXICON.lettering.max_error_rate
    assert finding.details["character_error_rate"] == pytest.approx(1 / 12, abs=1e-4)
    assert finding.details["words"] == [{"asked": "summer", "read": "sumer"}]


def test_words_read_without_confidence_are_not_held_against_a_picture(kit: Any) -> None:
    """Leaves and waves look like letters to an engine that is not sure."""
    assert "lettering.invented" not in seen(kit, "SUMMER", "SUMMER", "WVXW", score=0.5)


def test_the_stand_in_signs_its_pictures(kit: Any) -> None:
    """Its mark is no invention where it comes from it."""

    def codes(origin: str) -> list[str]:
        one = kit.image(lettering="SUMMER", origin=origin)
        subject = kit.subject(one, readings={one.sha256: kit.reading("SUMMER", "SANDBOX")})
        return list(kit.findings(lettering.check(subject, LEXICON)))

    assert codes("sandbox") == []
    assert codes("api.example.com") == ["lettering.invented"]


def test_nothing_to_check_has_a_reason(kit: Any, policy: AuditPolicy) -> None:
    """No lettering asked for; no engine; nothing read; an engine that failed."""
    silent, speaking = kit.image(), kit.image(lettering="SUMMER")
    verdict = lettering.check(kit.subject(silent), policy)
    assert isinstance(verdict, Skipped)
    assert "no kept image was to say anything" in verdict.reason
    verdict = lettering.check(kit.subject(speaking, no_ocr="the extra ocr is not installed"), policy)
    assert verdict == Skipped("lettering", "the extra ocr is not installed")
    failed = {speaking.sha256: Reading("x", failure="it hung")}
    assert isinstance(lettering.check(kit.subject(speaking, readings=failed), policy), Skipped)
