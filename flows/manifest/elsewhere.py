"""Names that a manifest uses and another file defines: brands, and classes of the retention policy.

Knows where they are written in a manifest; opens no file, and knows of the others only the names in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flows.documents import did_you_mean, shorten
from flows.errors import Problem
from flows.manifest.axes import Path
from flows.manifest.source import Manifest


@dataclass(frozen=True)
class Elsewhere:
    """What there is outside of the manifests.

    `brands` are the brand files: a project may do without any. `classes` are those of the retention policy, None
    where it is not to be looked at; `policy` is what its file is called.
    """

    brands: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None
    policy: str = ""


def unknown_classes(manifest: Manifest, elsewhere: Elsewhere) -> Iterator[Problem]:
    """Every place that names a class which the policy does not have: its pictures would be kept for ever."""
    classes = elsewhere.classes
    if classes is None:
        return
    for path, name in _written(manifest, "retention"):
        if name not in classes:
            hint = did_you_mean(name, classes, "Classes") or "It has no classes yet."
            yield manifest.document.problem(path, f"`{shorten(name)}` is no class of {elsewhere.policy}", hint)


def unknown_brands(manifest: Manifest, elsewhere: Elsewhere) -> Iterator[Problem]:
    """Every place that names a brand which has no file, where others have one. A brand is a label: no error."""
    if not elsewhere.brands:
        return
    named = [(("brand",), manifest.brand)] if manifest.brand else []
    for path, name in (*named, *_written(manifest, "brand")):
        if name not in elsewhere.brands:
            hint = did_you_mean(name, elsewhere.brands, "Brands")
            yield manifest.document.problem(path, f"there is no configs/brands/{shorten(name)}.yml", hint)


def _written(manifest: Manifest, field: str) -> Iterator[tuple[Path, str]]:
    """Wherever a field of prompts is written, also where another layer displaces it."""
    found = [((*at, field), getattr(model, field, None)) for at, model in _layers(manifest)]
    return ((path, value) for path, value in found if isinstance(value, str))


def _layers(manifest: Manifest) -> Iterator[tuple[Path, object]]:
    yield ("defaults",), manifest.defaults
    for entry in manifest.entries:
        yield entry.at, entry.prompt
        for axis in entry.matrix.axes:
            if not axis.listed:
                yield from ((point.path, point.overrides) for point in axis.points)
