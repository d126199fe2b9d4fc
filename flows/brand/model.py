"""A brand as values: its colours with their names and duties, its typefaces and its logos.

Knows no YAML, no pictures and no thresholds: what is tolerated stands in ``configs/audit.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# What a duty weighs in a palette that is asked for: shares of a picture, as a designer would lay it out.
WEIGHTS: Mapping[str, float] = {
    "primary": 0.4,
    "background": 0.25,
    "secondary": 0.2,
    "tertiary": 0.1,
    "foreground": 0.05,
}
LIGHTEST = 0.05


@dataclass(frozen=True)
class Colour:
    """A colour and what the brand calls it; `hex` is ``#RRGGBB`` in upper case, sRGB."""

    name: str
    hex: str


@dataclass(frozen=True)
class Brand:
    """One brand file. `key` is its file's name without the end.

    `colours` are all of the palette, then what duties name beside it, each hex once. `duties` are the semantic
    names (primary, background ...) and their hex. `faces` are the typefaces by what they are for (base, headings
    ...), `logos` paths by name.
    """

    key: str
    name: str
    colours: tuple[Colour, ...] = ()
    duties: Mapping[str, str] = field(default_factory=dict)
    faces: Mapping[str, str] = field(default_factory=dict)
    logos: Mapping[str, str] = field(default_factory=dict)

    def called(self, hex_code: str) -> str:
        """What the brand calls a colour of its own."""
        return next(colour.name for colour in self.colours if colour.hex == hex_code)

    def members(self, most: int) -> tuple[tuple[str, float], ...]:
        """The palette to ask for: at most so many (hex, weight), heaviest first; weights add up to at most 1.

        Duties decide the weights. A brand that gives no colour a duty weighs all of its colours alike.
        """
        weights: dict[str, float] = {}
        for duty, weight in WEIGHTS.items():
            if duty in self.duties:
                hex_code = self.duties[duty]
                weights[hex_code] = weights.get(hex_code, 0.0) + weight
        if not weights:
            first = self.colours[:most]
            weights = {colour.hex: max(LIGHTEST, round(1 / len(first), 2)) for colour in first}
        ordered = sorted(weights.items(), key=lambda member: -member[1])
        return tuple((hex_code, round(weight, 2)) for hex_code, weight in ordered[:most])

    def palette_words(self) -> str:
        """The palette as a clause of a prompt: names and codes, in the order of their weight."""
        codes = [hex_code for hex_code, _ in self.members(len(self.colours) or 1)]
        words = [f"{self.called(code).replace('-', ' ')} ({code})" for code in codes]
        return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""

    def texts(self) -> dict[str, str]:
        """What the placeholders ``{brand...}`` say: name, palette, every colour, duty and typeface by its name."""
        found = {f"brand.{name}": family for name, family in self.faces.items()}
        found |= {f"brand.{colour.name}": f"{colour.name.replace('-', ' ')} ({colour.hex})" for colour in self.colours}
        found |= {
            f"brand.{duty}": f"{self.called(code).replace('-', ' ')} ({code})" for duty, code in self.duties.items()
        }
        found["brand.name"] = self.name
        if self.colours:
            found["brand.palette"] = self.palette_words()
        return found
