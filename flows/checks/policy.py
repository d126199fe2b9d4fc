"""What the audit tolerates: thresholds, severities, gates and lexicons, as ``configs/audit.yaml`` says them.

Knows the rules by their codes; knows no pictures and no findings' insides. Everything has a default, so a project
without the file is audited all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from flows.checks.finding import Finding, Severity
from flows.checks.rules import RULES
from flows.documents import Document, did_you_mean, validate

Word = Literal["error", "warning", "note", "off"]
Gate = Literal["error", "warning", "note", "never"]
Share = Annotated[float, Field(ge=0, le=1)]
Difference = Annotated[float, Field(gt=0, le=100)]
Bits = Annotated[int, Field(ge=0, le=64)]


def _code(value: str) -> str:
    if value not in RULES:
        hint = did_you_mean(value, RULES, "Rules")
        raise PydanticCustomError("rule", "unknown rule `{value}`", {"value": value, "hint": hint})
    return value


Severities = Mapping[Annotated[str, AfterValidator(_code)], Word]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Palette(_Section):
    """Colours, measured over the visible part of each picture; differences in CIEDE2000."""

    enabled: bool = Field(True, description="false leaves the check out; the report says so.")
    tolerance: Difference = Field(10.0, description="Difference up to which a colour counts as the brand's.")
    off_brand_from: Difference = Field(
        20.0, description="Difference to every brand colour from which a colour is none of the brand's."
    )
    neutral_chroma: float = Field(
        10.0, ge=0, le=100, description="Chroma (CIELAB) below which a colour is neutral: neither for nor against."
    )
    min_coverage: Share = Field(0.1, description="Share of a picture that must show the brand's colours.")
    max_off_brand: Share = Field(0.5, description="Share of a picture that may show other strong colours.")
    asked_tolerance: Difference = Field(
        15.0, description="Difference up to which a colour counts as the one that the request asked for."
    )
    asked_ratio: Share = Field(
        0.25, description="Part of the share asked for (its weight) that must be there of each colour."
    )


class Lettering(_Section):
    """Words in pictures, read by OCR where the extra `ocr` is installed and compared with what was asked for."""

    enabled: bool = Field(True, description="false leaves the check out; the report says so.")
    max_error_rate: Share = Field(
        0.05, description="Error rate of one word, by characters, up to which it counts as spelt right."
    )
    missing_from: Share = Field(0.5, description="Error rate of one word from which it counts as missing.")
    min_score: Share = Field(0.8, description="The engine's confidence from which a line that nobody asked for counts.")
    min_letters: int = Field(
        3, ge=1, le=50, description="Letters of a word that nobody asked for, from which it counts."
    )


class Duplicates(_Section):
    """Pictures that are the same or look it."""

    enabled: bool = Field(True, description="false leaves the check out; the report says so.")
    near_bits: Bits = Field(
        12, description="Bits, of 64, in which two perceptual hashes may differ for two pictures to look the same."
    )
    near_gradient_bits: Bits = Field(16, description="The same for the hashes of brightness gradients.")
    near_colours: Difference = Field(
        12.0, description="Mean difference of colour (CIELAB) up to which two pictures look the same."
    )
    min_contrast: float = Field(
        8.0, ge=0, le=255, description="Standard deviation of lightness below which a picture is too flat to compare."
    )
    min_brightness: float = Field(
        12.0, ge=0, le=255, description="Mean lightness below which a picture is too dark to compare."
    )


class Metadata(_Section):
    """The records of the images, against each other, the request and the picture."""

    enabled: bool = Field(True, description="false leaves the check out; the report says so.")
    ratio_tolerance: Share = Field(0.02, description="Part by which a picture's sides may miss the ratio asked for.")


class Integrity(_Section):
    """The files on storage, against the records."""

    enabled: bool = Field(True, description="false leaves the check out; the report says so.")


class Delivery(_Section):
    """What was paid for and did not come, came late, or is open."""

    enabled: bool = Field(True, description="false leaves the check out; the report says so.")
    min_margin_s: float = Field(
        900.0, ge=0, le=86_400, description="Seconds before the end of its link by which an image must be fetched."
    )
    recent_days: int = Field(
        30, ge=1, le=3650, description="Days for which what failed, was refused or came late is told of."
    )
    near_cap: Share = Field(0.9, description="Part of a cap from which it is nearly used up.")


class Lexicon(_Section):
    """Words of a brand."""

    allow: tuple[str, ...] = Field((), description="Words that may stand in pictures though nobody asked for them.")
    forbid: tuple[str, ...] = Field((), description="Words that must not stand in any picture.")


class BrandPolicy(_Section):
    """What is different for one brand: only what is written here."""

    fail_on: Gate | None = None
    palette: Palette | None = None
    lettering: Lettering | None = None
    lexicon: Lexicon = Field(default_factory=Lexicon)
    severities: Severities = Field(default_factory=dict)


class Rules(_Section):
    """All that the file may say."""

    fail_on: Gate = Field("error", description="Severity from which a finding fails the run; never fails none.")
    palette: Palette = Field(default_factory=Palette)
    lettering: Lettering = Field(default_factory=Lettering)
    duplicates: Duplicates = Field(default_factory=Duplicates)
    metadata: Metadata = Field(default_factory=Metadata)
    integrity: Integrity = Field(default_factory=Integrity)
    delivery: Delivery = Field(default_factory=Delivery)
    severities: Severities = Field(
        default_factory=dict, description="Severity by rule, where it is to be another: error, warning, note or off."
    )
    brands: Mapping[str, BrandPolicy] = Field(
        default_factory=dict, description="What is different for a brand, and its lexicon."
    )


_Part = TypeVar("_Part", bound=_Section)


class AuditPolicy(Rules):
    """The policy, and what it says for one brand."""

    @classmethod
    def load(cls, document: Document) -> AuditPolicy:
        """The policy that a parsed file holds, or InvalidInput with everything that is wrong with it."""
        return validate(document, cls)

    def palette_for(self, brand: str | None) -> Palette:
        """The colour rules of a brand."""
        own = self.brands.get(brand or "")
        return _over(self.palette, own.palette if own else None)

    def lettering_for(self, brand: str | None) -> Lettering:
        """The lettering rules of a brand."""
        own = self.brands.get(brand or "")
        return _over(self.lettering, own.lettering if own else None)

    def lexicon(self, brand: str | None) -> Lexicon:
        """The words of a brand."""
        own = self.brands.get(brand or "")
        return own.lexicon if own else Lexicon()

    def severity(self, code: str, brand: str | None = None) -> Severity | None:
        """How bad a rule's findings are, None where it is off."""
        own = self.brands.get(brand or "")
        word = (own.severities.get(code) if own else None) or self.severities.get(code)
        if word is None:
            return RULES[code].severity
        return None if word == "off" else Severity[word.upper()]

    def gate(self, brand: str | None = None) -> Severity | None:
        """The severity from which findings about a brand fail the run, None for never."""
        own = self.brands.get(brand or "")
        word = (own.fail_on if own else None) or self.fail_on
        return None if word == "never" else Severity[word.upper()]

    def failing(self, findings: Sequence[Finding], accepted: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
        """Those findings that fail the run: at or over their brand's gate, and nobody accepted them."""
        return tuple(
            finding
            for finding in findings
            if (gate := self.gate(finding.brand)) is not None
            and finding.severity >= gate
            and finding.finding_id not in accepted
        )


def _over(base: _Part, own: _Part | None) -> _Part:
    if own is None:
        return base
    return base.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
