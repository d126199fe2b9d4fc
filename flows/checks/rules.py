"""Every rule of the audit: its code, how bad it is unless the policy says otherwise, and what it means.

Knows no threshold: those stand in the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.checks.finding import Finding, Severity

if TYPE_CHECKING:  # NumPy and Arrow come with it, and who only reads the policy waits for neither
    from flows.checks.subject import Image, OpenEntry, Request

NOTE, WARNING, ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR


class Rule(NamedTuple):
    """`severity` is the default; None is off unless switched on."""

    severity: Severity | None
    meaning: str


RULES: Mapping[str, Rule] = {
    "palette.low_coverage": Rule(WARNING, "too little of the picture shows a colour of the brand"),
    "palette.off_brand": Rule(WARNING, "too much of the picture shows strong colours that are none of the brand's"),
    "palette.asked_missing": Rule(WARNING, "a colour that the request asked for is hardly there"),
    "lettering.missing": Rule(ERROR, "a word that was to be readable is not"),
    "lettering.misspelt": Rule(ERROR, "the lettering is not spelt as asked"),
    "lettering.invented": Rule(WARNING, "the picture says words that nobody asked for"),
    "lettering.forbidden": Rule(ERROR, "the picture says a word that the brand's lexicon forbids"),
    "duplicates.exact": Rule(WARNING, "two images are the same file"),
    "duplicates.near": Rule(NOTE, "two images look the same"),
    "duplicates.prompts": Rule(NOTE, "two prompts ask for the same"),
    "metadata.missing": Rule(WARNING, "a field of the record is empty that has to be there"),
    "metadata.wrong": Rule(WARNING, "a field of the record contradicts the picture or the request"),
    "metadata.inconsistent": Rule(WARNING, "fields of one record contradict each other"),
    "metadata.unknown_brand": Rule(WARNING, "the brand of an image has no usable file"),
    "metadata.unmarked": Rule(None, "the file does not say that it was made by a machine"),
    "integrity.missing": Rule(ERROR, "the file of an image is not on storage"),
    "integrity.changed": Rule(ERROR, "the file of an image is not the one that was stored"),
    "integrity.truncated": Rule(ERROR, "the file of an image is shorter than it was"),
    "integrity.undecodable": Rule(ERROR, "the file of an image is no picture that can be read"),
    "integrity.orphaned": Rule(NOTE, "a file on storage belongs to no image"),
    "integrity.shared_path": Rule(ERROR, "two images have the same file name"),
    "delivery.withheld": Rule(WARNING, "an image was billed and withheld"),
    "delivery.lost": Rule(ERROR, "an image was billed and could not be fetched"),
    "delivery.failed": Rule(NOTE, "a request failed and was not billed"),
    "delivery.refused": Rule(WARNING, "a request was refused"),
    "delivery.late_link": Rule(WARNING, "an image was fetched shortly before its link ended"),
    "delivery.link_ending": Rule(ERROR, "a picture is still to be fetched and its link ends soon"),
    "delivery.in_doubt": Rule(ERROR, "nobody knows whether a request was billed"),
    "delivery.over_cap": Rule(ERROR, "more was spent than the budget allows"),
    "delivery.near_cap": Rule(NOTE, "little of the budget is left"),
    "palette.crashed": Rule(ERROR, "the check itself failed"),
    "lettering.crashed": Rule(ERROR, "the check itself failed"),
    "duplicates.crashed": Rule(ERROR, "the check itself failed"),
    "metadata.crashed": Rule(ERROR, "the check itself failed"),
    "integrity.crashed": Rule(ERROR, "the check itself failed"),
    "delivery.crashed": Rule(ERROR, "the check itself failed"),
}


def found(code: str, subject: str, message: str, about: Image | Request | OpenEntry | None, **more: Any) -> Finding:
    """A finding under a rule, with the names of what it is about. The policy has the last word on its severity."""
    names: dict[str, Any] = {}
    if about is not None:
        names = {name: getattr(about, name) for name in ("prompt_id", "variant", "brand", "campaign")}
        names |= {"image_id": about.image_id} if hasattr(about, "image_id") else {}
    return Finding(code, RULES[code].severity or WARNING, subject, message, **{**names, **more})
