"""Axes, their labels, and the combinations left out: what a matrix is once it has been read. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.manifest.models import Overrides

Path = tuple[str | int, ...]
# A list named like one of these sets that field; every other list fills {axis}.
FIELD_AXES = ("model", "aspect_ratio", "lettering")
MAX_AXES = 8


@dataclass(frozen=True)
class Point:
    """One label of an axis. `text` is what it fills ``{axis}`` with; `broken` names unreadable fields."""

    label: str
    text: str
    overrides: Overrides
    path: Path
    broken: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Axis:
    """`listed` says that it was written as a list, not as a map of overrides."""

    name: str
    points: tuple[Point, ...]
    listed: bool
    path: Path

    @property
    def fills(self) -> bool:
        """Whether its values are there to fill ``{axis}``, so that the prompt must use them."""
        return self.listed and self.name not in FIELD_AXES


@dataclass(frozen=True)
class Matrix:
    """All axes in file order. `excluded` maps a set of axis names to the label tuples left out of it."""

    axes: tuple[Axis, ...] = ()
    excluded: Mapping[tuple[str, ...], frozenset[tuple[str, ...]]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many combinations there are before `exclude`."""
        return math.prod(len(axis.points) for axis in self.axes)

    def keeps(self, labels: Mapping[str, str]) -> bool:
        """Whether a combination is wanted."""
        return not any(tuple(labels[name] for name in names) in left_out for names, left_out in self.excluded.items())
