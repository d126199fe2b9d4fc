"""The brand files that a manifest speaks of: each read once, when something of it is first needed.

Knows what a manifest may ask of a brand: its colours for a palette, its words for placeholders. Opens no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.brand.model import Brand
from flows.documents import did_you_mean
from flows.errors import InvalidInput, Problem
from flows.ideogram.catalogue import CATALOGUE, Endpoint, Kind
from flows.manifest.slips import Slip

PREFIX = "brand."
WORD = "brand"
Read = Callable[[str], Brand | None]


def no_brands(_key: str) -> Brand | None:
    """Where there are no brand files at all."""
    return None


@dataclass
class Shelf:
    """Brands by key. `read` gives None where there is no file; what is wrong with one is kept in `problems`."""

    read: Read = no_brands
    problems: list[Problem] = field(default_factory=list)
    _known: dict[str, Brand | None] = field(default_factory=dict)
    _texts: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _broken: set[str] = field(default_factory=set)

    def get(self, key: str | None) -> Brand | None:
        """The brand, None where there is none that can be used."""
        if key is None:
            return None
        if key not in self._known:
            try:
                self._known[key] = self.read(key)
            except InvalidInput as error:
                self.problems += error.problems
                self._broken.add(key)
                self._known[key] = None
        return self._known[key]

    def broken(self, key: str | None) -> bool:
        """Whether there is a file that cannot be used: told of once, at its place."""
        self.get(key)
        return key in self._broken

    def texts(self, key: str | None) -> Mapping[str, str]:
        """What ``{brand...}`` stands for."""
        brand = self.get(key)
        if brand is None or key is None:
            return {}
        if key not in self._texts:
            self._texts[key] = brand.texts()
        return self._texts[key]

    def unfilled(self, key: str | None, name: str) -> str:
        """The remedy for a placeholder that no brand fills."""
        if key is None:
            return "Name the `brand` at the top of the file."
        if self.get(key) is None:
            return f"Write configs/brands/{key}.yml, or write the text under `vars`."
        return did_you_mean(name, self.texts(key), "Known here")


def is_brand(endpoint: Endpoint, name: str, value: Any) -> bool:
    """Whether an option says `brand` where a palette belongs."""
    option = endpoint.option(name)
    palette = name == "color_palette" if option is None else option.kind is Kind.PALETTE
    return palette and isinstance(value, str) and value.strip().lower() == WORD


def brand_palette(endpoint: Endpoint, name: str, key: str | None, shelf: Shelf) -> tuple[Any, tuple[Slip, ...]]:
    """The members of a brand's palette, as they could have been written; or why there are none."""
    option = endpoint.option(name)
    if option is None:
        takers = ", ".join(model for model, other in CATALOGUE.items() if other.option(name) is not None)
        message = f"{endpoint.model} takes no palette, so `{name}: {WORD}` would have no effect"
        hint = f"Remove it and write {{{PREFIX}palette}} in the prompt; or use a model that takes one: {takers}."
        return None, (Slip((), message, hint, key=True),)
    if key is None:
        return None, (Slip((), f"`{name}: {WORD}`, but no brand is named", "Name the `brand` at the top of the file."),)
    brand = shelf.get(key)
    if brand is None:
        if shelf.broken(key):
            return None, ()
        return None, (Slip((), f"there is no configs/brands/{key}.yml", "Write it, or write the colours here."),)
    if not brand.colours:
        hint = f"Write a palette in configs/brands/{key}.yml, or the colours here."
        return None, (Slip((), f"the brand {key} has no colours", hint),)
    members = brand.members(option.max_length or len(brand.colours))
    return {"members": [{"color_hex": code, "color_weight": weight} for code, weight in members]}, ()
