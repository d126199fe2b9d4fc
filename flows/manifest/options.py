"""The vendor's options, checked against the catalogue before anything is spent, and spelled as on the wire.

The API silently ignores fields it does not know, so a slip here would be paid for and never noticed. Pure;
knows the catalogue's entries, nothing of files: places are paths below the option.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from flows.documents import did_you_mean, nearest, shorten, shown, unquoted
from flows.ideogram.catalogue import CATALOGUE, Endpoint, Kind, Option
from flows.manifest.names import parse_ratio, parse_size
from flows.manifest.palette import canonical_codes, canonical_palette
from flows.manifest.slips import Slip

# Fields of a request that are not options here: what to write instead.
RESERVED: Mapping[str, str] = MappingProxyType(
    {
        "prompt": "Write `prompt` beside `options`, not in it.",
        "text_prompt": "Write `prompt` beside `options`, not in it.",
        "json_prompt": "Write it as a map under `prompt`, beside `options`.",
        "model": "Write `model` beside `options`, not in it.",
        "seed": "Write `seeds: [11, 12]` beside `options`: one image for each seed.",
        "num_images": "Write `count` beside `options`: how many images are wanted.",
        "private": "Leave it out: images are asked for as private wherever the API accepts it.",
        "async": "Leave it out: how a request is sent is not yours to care for.",
        "custom_model_uri": "Leave it out: custom models, which have prices of their own, are not bought here yet.",
        "webhook_url": "Leave it out: results are polled for.",
        "dry_run": "Leave it out: `ideoflow plan` shows the price.",
        "target_collection_id": "Leave it out: images are kept on your own storage.",
        "image_request": "Write the fields in it directly under `options`.",
    }
)
# Files, which this version never sends.
INPUTS = frozenset(
    "images image mask style_reference_images character_reference_images character_reference_images_mask "
    "reference_images".split()
)
# The same thing under another name on another model.
_KIN = (
    frozenset({"rendering_speed", "quality"}),
    frozenset({"size", "resolution"}),
    frozenset({"magic_prompt", "magic_prompt_option"}),
)


@dataclass(frozen=True)
class Checked:
    """A value as it goes on the wire, or why it cannot; `notes` are no errors."""

    value: Any = None
    slips: tuple[Slip, ...] = ()
    notes: tuple[Slip, ...] = ()


def check(endpoint: Endpoint, name: str, value: Any) -> Checked:
    """One option of one model."""
    option = endpoint.option(name)
    if option is None:
        return Checked(slips=(_unknown(endpoint, name),))
    if value is None:
        return Checked(slips=(Slip((), f"`{name}` has no value", _choices(option)),))
    if option.kind is Kind.ENUM:
        return _enum(endpoint, option, value)
    if option.kind is Kind.SIZE:
        return _size(endpoint, option, value)
    if option.kind is Kind.TEXT:
        return _free_text(option, value)
    if option.kind is Kind.BOOLEAN:
        if isinstance(value, bool):
            return Checked(value)
        hint = unquoted("bool", value) or "Write `true` or `false`."
        return Checked(slips=(Slip((), f"must be true or false, not {shown(value)}", hint),))
    read = canonical_palette if option.kind is Kind.PALETTE else canonical_codes
    canonical, slips = read(option, value)
    return Checked(canonical, tuple(slips))


def exclusions(endpoint: Endpoint, names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of options that may not be given together, each pair once."""
    given = sorted(names)
    pairs = {
        tuple(sorted((name, other)))
        for name in given
        if (option := endpoint.option(name)) is not None
        for other in option.excludes
        if other in given
    }
    return [(first, second) for first, second in sorted(pairs)]


def excluded_by(endpoint: Endpoint, name: str) -> frozenset[str]:
    """The options that cannot stand beside `name`, in whichever direction the catalogue says so."""
    option = endpoint.option(name)
    ahead = frozenset(option.excludes) if option else frozenset()
    return ahead | {other.name for other in endpoint.options if name in other.excludes}


def find_ratio(endpoint: Endpoint, ratio: str) -> str | None:
    """The model's own spelling of a ratio: ``10:16`` for ``5:8``; None where it does not have that shape."""
    wanted = parse_ratio(ratio)
    for known in endpoint.ratios:
        shape = parse_ratio(known)
        if wanted and shape and wanted[0] * shape[1] == wanted[1] * shape[0]:
            return known
    return None


def _unknown(endpoint: Endpoint, name: str) -> Slip:
    own = [option.name for option in endpoint.options]
    word = shorten(name)
    if name in RESERVED:
        return Slip((), f"`{word}` is not an option here", RESERVED[name], key=True)
    if name in INPUTS:
        hint = "Describe in the prompt what you want to see."
        return Slip((), f"`{word}`: input images are not sent by this version", hint, key=True)
    for kin in _KIN:
        other = next((known for known in own if known in kin), None)
        if name in kin and other is not None:
            message = f"{endpoint.model} has no option `{word}`"
            return Slip((), message, f"Did you mean `{other}`? That is its name on {endpoint.model}.", key=True)
    elsewhere = [entry.model for entry in CATALOGUE.values() if entry.option(name) is not None]
    if elsewhere:
        hint = f"Models that have it: {', '.join(elsewhere)}."
        return Slip((), f"{endpoint.model} has no option `{word}`", hint, key=True)
    hint = did_you_mean(name, own, f"Options of {endpoint.model}")
    if nearest(name, own) is None:
        hint += " What only the vendor knows yet goes under `options_unchecked`."
    return Slip((), f"unknown option `{word}` of {endpoint.model}", hint, key=True)


def _enum(endpoint: Endpoint, option: Option, value: Any) -> Checked:
    if isinstance(value, bool):
        switch = "on" if value else "off"
        hint = f"Did you mean `{switch}`?" if _lookup(option).get(switch) else _choices(option)
        return Checked(slips=(Slip((), f"must be one of {_listed(option)}, not {shown(value)}", hint),))
    if not isinstance(value, str):
        guess = nearest(str(value), option.values) if isinstance(value, int | float) else None
        hint = f"Did you mean `{guess}`?" if guess else "Write one of them, as a text."
        return Checked(slips=(Slip((), f"must be one of {_listed(option)}, not {shown(value)}", hint),))
    for key in _spellings(value):
        found = _lookup(option).get(key)
        if found is not None:
            return Checked(found, notes=_old_spelling(endpoint, value, found))
    guess = _same_shape(option, value) or nearest(value, option.values)
    hint = f"Did you mean `{guess}`?" if guess else _choices(option)
    return Checked(slips=(Slip((), f"{shown(value)} is not a value of `{option.name}` on {endpoint.model}", hint),))


def _same_shape(option: Option, value: str) -> str | None:
    """Of sizes or ratios, the one whose shape comes nearest, and among those the nearest in size."""
    read = parse_size if parse_size(value) else parse_ratio
    known = [(name, shape) for name in option.values if (shape := read(name))]
    wanted = read(value)
    if wanted is None or not known:
        return None

    def distance(shape: tuple[int, int]) -> tuple[float, float]:
        tall = abs(math.log(shape[0] * wanted[1] / (shape[1] * wanted[0])))
        return round(tall, 2), abs(math.log(shape[0] * shape[1] / (wanted[0] * wanted[1])))

    return min(known, key=lambda pair: distance(pair[1]))[0]


def _old_spelling(endpoint: Endpoint, value: str, found: str) -> tuple[Slip, ...]:
    if endpoint.version == "legacy" or not value.strip().upper().startswith(("ASPECT_", "RESOLUTION_")):
        return ()
    message = f"{shown(value)} is the spelling of the legacy models"
    return (Slip((), message, f"Understood as {found}; write that."),)


@lru_cache(maxsize=256)
def _lookup(option: Option) -> Mapping[str, str]:
    """Every spelling of an enum's values that is understood, and the canonical one."""
    return {key: value for value in reversed(option.values) for key in _spellings(value)}


def _spellings(value: str) -> Iterable[str]:
    """The keys a value is looked up by: the word without case and separators, its shape, its size."""
    yield "_".join(value.replace("-", " ").replace("_", " ").lower().split())
    ratio, size = parse_ratio(value), parse_size(value)
    if ratio:
        yield f"ratio {ratio[0]}:{ratio[1]}"
    if size:
        yield f"size {size[0]}x{size[1]}"


def _size(endpoint: Endpoint, option: Option, value: Any) -> Checked:
    size = parse_size(value) if isinstance(value, str) else None
    if size is None or option.grid is None:
        if isinstance(value, str) and parse_ratio(value):
            hint = f"Write `aspect_ratio: {value}` beside `options`, or a size like 2048x1152."
            return Checked(slips=(Slip((), f"{shown(value)} is a ratio, not a size", hint),))
        found = _enum(endpoint, option, value)
        form = "Write width x height in pixels, like 2048x1152" + "".join(f", or {word}" for word in option.values)
        return found if not found.slips else Checked(slips=(Slip((), f"{shown(value)} is not a size", f"{form}."),))
    refusal = option.grid.refusal(*size)
    if refusal:
        near = option.grid.near(*size)
        return Checked(slips=(Slip((), f"{shown(value)}: {refusal}", f"Did you mean {near}?"),))
    canonical = f"{size[0]}x{size[1]}"
    return Checked(canonical, notes=_old_spelling(endpoint, str(value), canonical))


def _free_text(option: Option, value: Any) -> Checked:
    if not isinstance(value, str):
        return Checked(slips=(Slip((), f"must be a text, not {shown(value)}", "Put it in quotes."),))
    text = value.strip()
    if not text:
        return Checked(slips=(Slip((), f"`{option.name}` must not be empty", "Leave it out."),))
    if option.max_length is not None and len(text) > option.max_length:
        message = f"{len(text):,} characters; at most {option.max_length:,} are accepted"
        return Checked(slips=(Slip((), message, "Shorten it."),))
    return Checked(text)


def _listed(option: Option) -> str:
    return ", ".join(option.values[:12]) + (", …" if len(option.values) > 12 else "")


def _choices(option: Option) -> str:
    return f"One of: {_listed(option)}." if option.values else ""
