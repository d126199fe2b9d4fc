"""The options of a variant as they will be sent: checked, in the vendor's spelling, with the shape resolved.

`aspect_ratio` works on every model; where one has only sizes, the catalogue picks the documented one. A size
or resolution among the options decides, whatever `aspect_ratio` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from flows.documents import shown
from flows.ideogram.catalogue import CATALOGUE, Endpoint, price_tier, price_tiers, undecided
from flows.manifest.axes import Path
from flows.manifest.brands import brand_palette, is_brand
from flows.manifest.merge import Merged, Written, merge_options, merge_unchecked
from flows.manifest.names import parse_ratio, parse_size
from flows.manifest.options import Checked, check, exclusions, find_ratio
from flows.manifest.slips import Slip
from flows.manifest.source import UNCHECKED, Manifest
from flows.manifest.unchecked import check_unchecked

_SIZES = ("size", "resolution")


class Report(Protocol):
    """How a complaint about a place in the manifest is handed over."""

    def __call__(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None: ...


@dataclass
class OptionDesk:
    """Checks each written option once for each model, however many variants it is in."""

    manifest: Manifest
    problem: Report
    warning: Report
    _checked: dict[tuple[str, Path, str | None], Checked] = field(default_factory=dict)

    def check_models(self) -> None:
        """The options under `models`, whether or not a prompt uses the model."""
        for model, own in self.manifest.models.items():
            for name, value in own.options.items():
                self._check(CATALOGUE[model], name, value, (*own.path, name), self.manifest.brand)
            for name, value in own.unchecked.items():
                self._check(CATALOGUE[model], name, value, (*own.path, UNCHECKED, name), unchecked=True)

    def options(self, endpoint: Endpoint, merged: Merged) -> tuple[str | None, dict[str, Any]]:
        """The shape as people write it (None where it is the model's choice), and the options to send."""
        sound: dict[str, Written] = {}
        asked = merge_options(self.manifest, endpoint, merged)
        for name, written in asked.items():
            checked = self._check(endpoint, name, written.value, written.path, merged.brand)
            if not checked.slips:
                sound[name] = Written(checked.value, written.path, written.layer)
        for first, second in exclusions(endpoint, sound):
            later = max(sound[first], sound[second], key=lambda written: written.layer)
            message = f"`{first}` and `{second}` cannot be given together on {endpoint.model}"
            self.problem(later.path, message, "Keep one of them.", key=True)
        shape, extra = self._shape(endpoint, merged.fields.get("aspect_ratio"), sound)
        options = {**{name: written.value for name, written in sound.items()}, **extra}
        if len(sound) == len(asked):
            self._priced(endpoint, merged, sound, options)
        return shape, {**options, **self._unchecked(endpoint, merged)}

    def _unchecked(self, endpoint: Endpoint, merged: Merged) -> dict[str, Any]:
        """Fields the catalogue does not know, as they are to be sent."""
        fields = {}
        for name, written in merge_unchecked(self.manifest, endpoint, merged).items():
            checked = self._check(endpoint, name, written.value, written.path, unchecked=True)
            if not checked.slips:
                fields[name] = checked.value
        return fields

    def _priced(
        self, endpoint: Endpoint, merged: Merged, sound: Mapping[str, Written], options: Mapping[str, Any]
    ) -> None:
        """Nothing is asked for whose price nobody can tell, or that is not sold."""
        missing = undecided(endpoint, options)
        for name in missing:
            option = endpoint.option(name)
            values = ", ".join(option.values) if option else ""
            message = f"{endpoint.model} needs the option `{name}`: it decides the price, and its default is not known"
            self.problem(merged.fields["model"].path, message, f"Write `options: {{{name}: ...}}`, one of: {values}.")
        if missing or (tier := price_tier(endpoint, options)) not in endpoint.unsold:
            return
        written = [sound[by.option] for by in endpoint.priced_by if by.option in sound]
        later = max(written, key=lambda one: one.layer)
        given = " and ".join(f"{one.path[-1]}: {one.value}" for one in written)
        message = f"{endpoint.model} does not make `{given}` ({tier})"
        self.problem(later.path, message, f"It makes {', '.join(price_tiers(endpoint))}.")

    def _check(
        self,
        endpoint: Endpoint,
        name: str,
        value: Any,
        path: Path,
        brand: str | None = None,
        *,
        unchecked: bool = False,
    ) -> Checked:
        branded = not unchecked and is_brand(endpoint, name, value)
        key = (endpoint.model, path, brand if branded else None)
        if key not in self._checked:
            slips: tuple[Slip, ...] = ()
            if branded:
                value, slips = brand_palette(endpoint, name, brand, self.manifest.brands)
            checked = Checked(slips=slips)
            if not slips and not (branded and value is None):
                checked = (check_unchecked if unchecked else check)(endpoint, name, value)
            self._checked[key] = checked
            for slip in checked.slips:
                self.problem((*path, *slip.path), slip.message, slip.hint, key=slip.key)
            for note in checked.notes:
                self.warning((*path, *note.path), note.message, note.hint, key=note.key)
        return self._checked[key]

    def _shape(
        self, endpoint: Endpoint, own: Written | None, options: Mapping[str, Written]
    ) -> tuple[str | None, dict[str, Any]]:
        sized = next((options[name] for name in _SIZES if name in options), None)
        rival = options.get("aspect_ratio")
        if own is None:
            return _shape_of(rival.value if rival else None), {}
        if sized is not None:
            return self._sized(own, sized), {}
        if rival is not None and rival.layer >= own.layer:
            theirs = _shape_of(rival.value)
            if rival.layer == own.layer and (theirs is None or find_ratio(endpoint, own.value) != theirs):
                message = f"the shape is given twice: {own.value} here, {rival.value} under `options`"
                self.problem(own.path, message, "Keep one of them.", key=True)
            return theirs, {}
        ratio = find_ratio(endpoint, own.value)
        if ratio is None:
            message = f"{endpoint.model} has no shape {own.value}"
            self.problem(own.path, message, f"It has {', '.join(endpoint.ratios)}.")
            return None, {}
        name, value = endpoint.ratios[ratio]
        return ratio, {name: value}

    def _sized(self, own: Written, sized: Written) -> str | None:
        asked, size = parse_ratio(own.value), parse_size(str(sized.value))
        if asked and size and asked[0] * size[1] == asked[1] * size[0]:
            return str(own.value)
        name = sized.path[-1]
        message = f"`aspect_ratio: {own.value}` has no effect here: `{name}: {sized.value}` decides"
        self.warning(own.path, message, f"Remove it, or remove {shown(name)} from the options.")
        return None


def _shape_of(value: Any) -> str | None:
    ratio = parse_ratio(value) if isinstance(value, str) else None
    return f"{ratio[0]}:{ratio[1]}" if ratio else None
