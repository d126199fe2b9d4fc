"""Which variant of the manifest a picture is, by what its record says. Pure.

Two pictures are the same to buy when model, final prompt and options are the same. Records seldom say all of that:
`PROMPT` takes the same prompt and model for enough as long as nothing the record says, and not the picture's own shape,
speaks against it; `EXACT` wants everything said, and equal.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flows.adoption.record import Record
from flows.ideogram.catalogue import Endpoint, Kind, find
from flows.manifest.names import parse_ratio, parse_size
from flows.manifest.options import check, find_ratio
from flows.manifest.variant import Variant, fingerprint

# Half the way, as a logarithm, between the two ratios of the catalogue that are nearest to each other.
SAME_SHAPE = 0.032
_SHAPES = frozenset({"aspect_ratio", "resolution", "size"})


class Match(StrEnum):
    """How alike a picture must be to count for a variant."""

    EXACT = "exact"
    PROMPT = "prompt"
    NONE = "none"


@dataclass(frozen=True)
class Fit:
    """A variant that a record fits, how many facts agree, and which facts the record leaves open."""

    variant: Variant
    agreed: int
    unsaid: tuple[str, ...]


class Catalogue:
    """The manifest's variants, to be asked which of them a record is. `prints` are their fingerprints, in order."""

    def __init__(self, variants: Sequence[Variant], origin: str) -> None:
        self.by_print: dict[str, Variant] = {}
        self.wanted: dict[str, int] = {}
        self._by_words: defaultdict[tuple[str, str], list[tuple[str, Variant]]] = defaultdict(list)
        for variant in variants:
            print_ = fingerprint(variant, origin)
            self.wanted[print_] = max(self.wanted.get(print_, 0), variant.count)
            if print_ not in self.by_print:
                self.by_print[print_] = variant
                self._by_words[variant.model, _words(variant.prompt)].append((print_, variant))

    def fits(self, record: Record, size: tuple[int, int] | None, how: Match) -> list[tuple[str, Fit]]:
        """The variants that fit best, with their fingerprints: those about which most facts agree."""
        if how is Match.NONE:
            return []
        if record.fingerprint in self.by_print:
            return [(record.fingerprint or "", Fit(self.by_print[record.fingerprint or ""], 0, ()))]
        endpoint = find(record.model) if record.model else None
        if endpoint is None or record.prompt is None:
            return []
        candidates = self._by_words.get((endpoint.model, _words(record.prompt)), ())
        fits = [(print_, fit) for print_, variant in candidates if (fit := judge(record, size, variant))]
        fits = [(print_, fit) for print_, fit in fits if how is Match.PROMPT or not fit.unsaid]
        best = max((fit.agreed for _, fit in fits), default=0)
        return [(print_, fit) for print_, fit in fits if fit.agreed == best]


def judge(record: Record, size: tuple[int, int] | None, variant: Variant) -> Fit | None:
    """How a record of the same model and prompt fits; None where a fact speaks against it. `size` is in pixels."""
    if variant.edition is not None:
        return None  # wanted anew, on purpose: what was there before is not meant
    agreed: list[str] = []
    unsaid: list[str] = []
    said, odd = stated(record, variant.endpoint)
    if odd or (record.brand and variant.brand and record.brand != variant.brand):
        return None
    if variant.seed is not None:
        if record.seed not in (None, variant.seed):
            return None
        (unsaid if record.seed is None else agreed).append("seed")
    shape = _shape(record, said, size, variant)
    if shape is None:
        return None
    (agreed if shape else unsaid).append("shape")
    for name in sorted((said.keys() | variant.options.keys()) - _SHAPES):
        verdict = _option(variant.endpoint, name, said, variant.options)
        if verdict is None:
            return None
        (agreed if verdict else unsaid).append(name)
    return Fit(variant, len(agreed), tuple(unsaid))


def stated(record: Record, endpoint: Endpoint) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The options a record states, as they go on the wire, and those that this model does not take."""
    raw: dict[str, Any] = dict(record.options)
    if record.negative_prompt:
        raw["negative_prompt"] = record.negative_prompt
    for kin in (("magic_prompt", "magic_prompt_option"), ("rendering_speed", "quality")):
        for name, other in (kin, kin[::-1]):
            if name in raw and endpoint.option(name) is None and endpoint.option(other) is not None:
                raw.setdefault(other, raw.pop(name))
    said: dict[str, Any] = {}
    odd: list[str] = []
    for name, value in raw.items():
        if endpoint.option(name) is None:
            continue  # the API passes over what a model does not have, so it decided nothing
        read = _as_bool(value) if (option := endpoint.option(name)) and option.kind is Kind.BOOLEAN else value
        checked = check(endpoint, name, read)
        if checked.slips:
            odd.append(name)
        else:
            said[name] = checked.value
    if record.aspect_ratio and (ratio := find_ratio(endpoint, record.aspect_ratio)):
        name, value = endpoint.ratios[ratio]
        said[name] = value
    elif record.resolution:
        for name in ("size", "resolution"):
            if endpoint.option(name) is not None and not (checked := check(endpoint, name, record.resolution)).slips:
                said[name] = checked.value
    return said, tuple(odd)


def _option(endpoint: Endpoint, name: str, said: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool | None:
    """Whether record and manifest agree about an option: None is no, False that one of them does not say."""
    option = endpoint.option(name)
    default = option.default if option else None
    theirs, ours = said.get(name, default), wanted.get(name, default)
    if theirs is not None and ours is not None:
        # A default stands for what was not said: that is as good as unsaid, unless both come to the same.
        return True if theirs == ours else None if name in said else False
    if ours is None and option is not None and option.kind in (Kind.TEXT, Kind.PALETTE, Kind.CODES):
        return None  # the manifest wants none
    return False


def _shape(record: Record, said: Mapping[str, Any], size: tuple[int, int] | None, variant: Variant) -> bool | None:
    """Whether the shapes agree: None is no, False that nobody said (it is then known from the pixels alone)."""
    wanted = _wanted_shape(variant)
    # None is unknown; 0.0 is a square.
    theirs = _ratio(record.aspect_ratio) if record.aspect_ratio else _ratio_of_size(record.resolution)
    exact = {name: said[name] for name in _SHAPES & said.keys()}
    ours = {name: variant.options[name] for name in _SHAPES & variant.options.keys()}
    if exact and exact == ours:
        return True
    seen = math.log(size[0] / size[1]) if theirs is None and size else theirs
    if wanted is not None and seen is not None and abs(wanted - seen) > SAME_SHAPE:
        return None
    if theirs is None:
        return not ours  # both left it to the model
    # Said, and by default of the model's what the manifest leaves to it.
    return wanted is not None and not ours and abs(wanted - theirs) < 1e-9


def _wanted_shape(variant: Variant) -> float | None:
    """The logarithm of width by height; None where the manifest leaves it to the model, and the model to chance."""
    for name in ("size", "resolution"):
        if (value := variant.options.get(name)) and (ratio := _ratio_of_size(str(value))) is not None:
            return ratio
    option = variant.endpoint.option("aspect_ratio")
    value = variant.options.get("aspect_ratio") or variant.aspect_ratio or (option.default if option else None)
    return _ratio(str(value)) if value else None


def _ratio(text: str | None) -> float | None:
    shape = parse_ratio(text) if text else None
    return math.log(shape[0] / shape[1]) if shape else None


def _ratio_of_size(text: str | None) -> float | None:
    size = parse_size(text) if text else None
    return math.log(size[0] / size[1]) if size else None


def _as_bool(value: Any) -> Any:
    return {"true": True, "false": False}.get(str(value).strip().lower(), value)


def _words(prompt: str) -> str:
    return unicodedata.normalize("NFC", prompt).strip()


def share_out(candidates: Iterable[tuple[str, Fit]], room: dict[str, int]) -> tuple[str, Fit] | None:
    """Of variants that fit alike the first with images missing, else the first; `room` is kept up to date."""
    fits = list(candidates)
    if not fits:
        return None
    chosen = next((pair for pair in fits if room.get(pair[0], 0) > 0), fits[0])
    room[chosen[0]] = room.get(chosen[0], 0) - 1
    return chosen
