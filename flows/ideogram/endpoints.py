"""What an entry of the catalogue can say: options, shapes, and which of them decide the price. Pure.

Knows how a request is put together from an entry; knows no model by name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

SEED_MAX = 2**31 - 1


class Kind(StrEnum):
    """The shape of an option's value."""

    ENUM = "enum"
    SIZE = "size"
    TEXT = "text"
    BOOLEAN = "boolean"
    PALETTE = "palette"
    CODES = "codes"


@dataclass(frozen=True)
class Grid:
    """Which sizes may be asked for freely: sides in pixels, the longer at most `ratio` times the shorter."""

    step: int
    least: int
    most: int
    ratio: int

    def refusal(self, width: int, height: int) -> str:
        """Why a size is not on the grid, in words; empty if it is."""
        if width % self.step or height % self.step:
            return f"both sides must be multiples of {self.step}"
        if not self.least <= min(width, height) <= max(width, height) <= self.most:
            return f"both sides must be from {self.least} to {self.most}"
        if max(width, height) > self.ratio * min(width, height):
            return f"the longer side may be at most {self.ratio} times the shorter"
        return ""

    def near(self, width: int, height: int) -> str:
        """A size on the grid that resembles this one."""
        sides = [min(max(round(side / self.step) * self.step, self.least), self.most) for side in (width, height)]
        floor = -(-max(sides) // (self.ratio * self.step)) * self.step
        return "x".join(str(max(side, floor)) for side in sides)


@dataclass(frozen=True)
class Option:
    """One field of a request, in the vendor's own name.

    `values` are the canonical spellings of an enum as they go on the wire (of a size, the words it may be
    instead). `default` is what the vendor uses when the field is left out, None where that is not certain.
    `max_length` bounds a text (characters) or a list (members). `excludes` names options that may not be
    given beside this one. `grid` bounds a size.
    """

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    default: Any = None
    max_length: int | None = None
    excludes: tuple[str, ...] = ()
    grid: Grid | None = None


@dataclass(frozen=True)
class PricedBy:
    """An option that decides the price, alone or with others.

    Its part of the tier's name is the value itself, or what `names` calls it; `pixels` names classes of a
    size by the number of pixels they go up to, in rising order. `otherwise` is the part where the option is
    not given; None where nobody knows what the vendor then takes and charges: the option must be given.
    """

    option: str
    otherwise: str | None
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    pixels: tuple[tuple[int, str], ...] = ()

    def part(self, value: Any) -> str:
        """This value's part of the tier's name."""
        width, _, height = str(value).partition("x")
        if self.pixels and width.isdigit() and height.isdigit():
            area = int(width) * int(height)
            return next((name for most, name in self.pixels if area <= most), self.pixels[-1][1])
        return self.names.get(str(value), str(value))


@dataclass(frozen=True)
class Endpoint:
    """One model on one route.

    `ratios` maps ``W:H`` to (field, value): what to send for that shape. `wraps` is the JSON key the legacy
    route nests its request under. `priced_by` are the options whose values pick the price tier, together;
    `unsold` are tiers that the vendor does not make. `json_prompts` says that the prompt may be the vendor's
    structured one, `transparent` that pictures have an alpha channel.
    """

    model: str
    version: str
    path: str
    synchronous: bool
    options: tuple[Option, ...]
    ratios: Mapping[str, tuple[str, str]]
    aliases: tuple[str, ...] = ()
    wraps: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    accepts_private: bool = False
    dry_run: bool = False
    max_images: int = 8
    max_prompt: int = 10_000
    priced_by: tuple[PricedBy, ...] = ()
    unsold: frozenset[str] = frozenset()
    json_prompts: bool = False
    transparent: bool = False

    def option(self, name: str) -> Option | None:
        """The option of that exact name, or None."""
        return next((option for option in self.options if option.name == name), None)

    @property
    def asynchronous(self) -> bool:
        """Whether a submission is answered at once with an id to poll."""
        return not self.synchronous


def request_body(
    endpoint: Endpoint,
    *,
    prompt: str,
    options: Mapping[str, Any],
    seed: int | None,
    images: int,
    private: bool,
) -> dict[str, Any]:
    """The JSON body that buys `images` pictures. `options` are canonical (see the manifest's checks)."""
    request: dict[str, Any] = {"prompt": prompt, **endpoint.fixed, **options, "num_images": images}
    if seed is not None:
        request["seed"] = seed
    if endpoint.accepts_private and private:
        request["private"] = True
    if endpoint.asynchronous:
        request["async"] = True
    return {endpoint.wraps: request} if endpoint.wraps else request


def undecided(endpoint: Endpoint, names: Iterable[str]) -> tuple[str, ...]:
    """The options that must be given for the price to be known, and are not among `names`."""
    given = set(names)
    return tuple(by.option for by in endpoint.priced_by if by.otherwise is None and by.option not in given)


def price_tier(endpoint: Endpoint, options: Mapping[str, Any]) -> str:
    """The tier of the price book that these options fall in; ``default`` where a model has one price.

    ValueError where an option that decides is missing and nobody knows what that costs (see `undecided`).
    """
    parts = [by.part(options[by.option]) if by.option in options else by.otherwise for by in endpoint.priced_by]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        raise ValueError(f"the price of {endpoint.model} depends on {', '.join(undecided(endpoint, options))}")
    return "/".join(known) or "default"


def price_tiers(endpoint: Endpoint) -> tuple[str, ...]:
    """Every tier there is to buy."""
    if not endpoint.priced_by:
        return ("default",)
    tiers = ("/".join(parts) for parts in itertools.product(*(_parts(endpoint, by) for by in endpoint.priced_by)))
    return tuple(tier for tier in tiers if tier not in endpoint.unsold)


def _parts(endpoint: Endpoint, by: PricedBy) -> tuple[str, ...]:
    option = endpoint.option(by.option)
    values = [name for _, name in by.pixels] + [by.part(value) for value in (option.values if option else ())]
    return tuple(dict.fromkeys(values))


def ratio_table(ratios: Iterable[str], option: str, spelling: str) -> Mapping[str, tuple[str, str]]:
    """For endpoints that take ratios: `spelling` is a format with ``{w}`` and ``{h}``."""
    table = {}
    for ratio in ratios:
        w, h = ratio.split(":")
        table[ratio] = (option, spelling.format(w=w, h=h))
    return MappingProxyType(table)


def size_table(sizes: Mapping[str, str], option: str) -> Mapping[str, tuple[str, str]]:
    """For endpoints that take only sizes: the documented one of each ratio."""
    return MappingProxyType({ratio: (option, size) for ratio, size in sizes.items()})
