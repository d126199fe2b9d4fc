"""What holds for one variant: defaults, the model's options, the prompt and its axes laid over each other.

The later layer wins, field by field and option by option; it also displaces what cannot stand beside it
(`seeds` and `count`, or options the vendor excludes from each other). Every value remembers where it was
written. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from flows.ideogram.catalogue import Endpoint
from flows.ids import canonical_json
from flows.manifest.axes import Axis, Path, Point
from flows.manifest.brands import PREFIX
from flows.manifest.models import written
from flows.manifest.options import excluded_by
from flows.manifest.source import UNCHECKED, Entry, Manifest

_DISPLACES = {"seeds": "count", "count": "seeds", "edition": "refresh", "refresh": "edition"}


class Layer(IntEnum):
    """From general to particular."""

    DEFAULTS = 0
    MODEL = 1
    PROMPT = 2
    AXES = 3


@dataclass(frozen=True, slots=True)
class Written:
    """A value, where it stands, and in which layer."""

    value: Any
    path: Path
    layer: Layer


@dataclass(frozen=True)
class Merged:
    """All that was written for one variant. `tags` add up; `texts` are what placeholders may take."""

    fields: Mapping[str, Written]
    tags: tuple[str, ...]
    texts: Mapping[str, str]
    layers: tuple[tuple[Layer, Mapping[str, Any], Path], ...] = field(repr=False)
    brand: str | None = None

    def value(self, name: str) -> Any:
        """The value of a field, None where nothing was written."""
        found = self.fields.get(name)
        return found.value if found else None


def merge(manifest: Manifest, entry: Entry, chosen: Iterable[tuple[Axis, Point]]) -> Merged:
    """The layers of one combination of labels, but for the options, which need the model first."""
    layers: list[tuple[Layer, Mapping[str, Any], Path]] = [
        (Layer.DEFAULTS, written(manifest.defaults), ("defaults",)),
        (Layer.PROMPT, written(entry.prompt), entry.at),
    ]
    chosen = list(chosen)
    layers += [(Layer.AXES, written(point.overrides), point.path) for _, point in chosen]
    items = {point.path for axis, point in chosen if axis.listed}
    fields: dict[str, Written] = {}
    tags: dict[str, None] = {}
    for layer, values, path in layers:
        for name, value in values.items():
            fields.pop(_DISPLACES.get(name, ""), None)
            # A list's item is the whole value of its field, and stands where the item stands.
            fields[name] = Written(value, path if path in items else (*path, name), layer)
        tags.update(dict.fromkeys(values.get("tags") or ()))
    brand = fields["brand"].value if "brand" in fields else manifest.brand
    return Merged(fields, tuple(tags), _texts(manifest, entry, chosen, fields, brand), tuple(layers), brand)


def _texts(
    manifest: Manifest,
    entry: Entry,
    chosen: Iterable[tuple[Axis, Point]],
    fields: Mapping[str, Written],
    brand: str | None,
) -> dict[str, str]:
    """Placeholders are looked up in the axes, the prompt's vars, the file's, `lettering`, and then the brand."""
    texts = dict(manifest.brands.texts(brand)) if _speaks_of_brand(entry) else {}
    if "lettering" in fields:
        texts["lettering"] = fields["lettering"].value
    texts.update(manifest.variables)
    texts.update(entry.prompt.vars or {})
    for axis, point in chosen:
        texts[axis.name] = point.text
        texts.update(point.overrides.vars or {})
    return texts


def _speaks_of_brand(entry: Entry) -> bool:
    """Whether a brand file has to be read at all: a project without one may still name its brand."""
    prompt = entry.prompt.prompt
    return PREFIX in (prompt if isinstance(prompt, str) else canonical_json(prompt))


def merge_options(manifest: Manifest, endpoint: Endpoint, merged: Merged) -> dict[str, Written]:
    """The options of a variant on this model, unchecked."""
    options: dict[str, Written] = {}
    layers = [(layer, values.get("options") or {}, (*path, "options")) for layer, values, path in merged.layers]
    if endpoint.model in manifest.models:
        own = manifest.models[endpoint.model]
        layers.insert(1, (Layer.MODEL, own.options, own.path))
    for layer, values, path in layers:
        for name in values:
            for rival in excluded_by(endpoint, name):
                if rival in options and options[rival].layer < layer:
                    del options[rival]
        for name, value in values.items():
            options[name] = Written(value, (*path, name), layer)
    return options


def merge_unchecked(manifest: Manifest, endpoint: Endpoint, merged: Merged) -> dict[str, Written]:
    """The fields to be sent unchecked, where they may be sent at all."""
    layers = [(layer, values.get(UNCHECKED) or {}, (*path, UNCHECKED)) for layer, values, path in merged.layers]
    if endpoint.model in manifest.models:
        own = manifest.models[endpoint.model]
        layers.insert(1, (Layer.MODEL, own.unchecked, (*own.path, UNCHECKED)))
    return {
        name: Written(value, (*path, name), layer) for layer, values, path in layers for name, value in values.items()
    }
