"""A variant: one picture that the manifest wants, fully spelled out, and its fingerprint.

The fingerprint says "these are the same picture to buy". It must never move by accident: `tests/manifest`
holds golden ones, and RULES_VERSION is part of it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from flows.ideogram.catalogue import Endpoint
from flows.ids import digest

RULES_VERSION = 1


@dataclass(frozen=True)
class Variant:
    """One wanted picture.

    `name` is ``hero@language=de,format=story``; `axes` the same as a map in file order. `prompt` is the final
    text, filled in, NFC and trimmed. `options` are canonical values in the vendor's names, `aspect_ratio`
    already turned into one of them (`aspect_ratio` itself stays ``W:H`` for people, None when not written).
    `count` is how many images are wanted. `edition` is free text or the period that `refresh` stands for.
    """

    prompt_id: str
    name: str
    axes: Mapping[str, str]
    endpoint: Endpoint
    prompt: str
    count: int
    brand: str | None = None
    campaign: str | None = None
    tags: tuple[str, ...] = ()
    lettering: str | None = None
    aspect_ratio: str | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    seed: int | None = None
    edition: str | None = None
    retention: str | None = None
    file: str = ""
    line: int = 0

    @property
    def model(self) -> str:
        """The catalogue's name of the model."""
        return self.endpoint.model


def fingerprint(variant: Variant, origin: str) -> str:
    """SHA-256 over everything that decides what is bought, as 64 hex characters.

    `origin` is ``sandbox`` or the API's host, so that sandbox pictures never stand in for real ones. Options
    equal to the vendor's default are left out, as are counts, labels and all that only concerns transport.
    """
    options = {
        name: value
        for name, value in variant.options.items()
        if (option := variant.endpoint.option(name)) is None or option.default is None or value != option.default
    }
    return digest(
        {
            "rules": RULES_VERSION,
            "origin": origin,
            "brand": variant.brand,
            "model": variant.model,
            "prompt": unicodedata.normalize("NFC", variant.prompt).strip(),
            "options": options,
            "inputs": [],
            "seed": variant.seed,
            "edition": variant.edition,
        }
    )
