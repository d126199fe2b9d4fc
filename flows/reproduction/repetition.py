"""Making an image again: the request that its history row tells of, and what can come out differently. Pure.

Knows rows, variants and what models take; buys nothing and reads nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from flows.errors import Refused
from flows.history.fold import Standing
from flows.history.reproduced import edition
from flows.ideogram.catalogue import SEED_MAX, Endpoint, Option, find
from flows.manifest.variant import Variant

MAGIC = ("magic_prompt", "magic_prompt_option")


@dataclass(frozen=True)
class Difference:
    """Something that may come out differently, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class Repetition:
    """What is to be bought to repeat an image: one of `variant`. `exact`: as it was answered, else as it was asked."""

    original: str
    exact: bool
    variant: Variant
    differences: tuple[Difference, ...]


def repetition(row: Mapping[str, Any], *, exact: bool, origin: str) -> Repetition:
    """From a row of ``images`` under its present names. Refused where the model or the request is out of reach.

    `origin` is where it would be bought. The edition names the original: the purchase is counted apart from it.
    """
    asked = requested(row)
    endpoint = asked.endpoint
    variant = replace(asked, edition=edition(row["image_id"]), count=1)
    differences = [*_elsewhere(row, origin)]
    if exact:
        variant = _as_answered(variant, row)
        differences += _exactly(row, endpoint, variant)
    else:
        differences += _as_asked(endpoint, asked)
    return Repetition(row["image_id"], exact, variant, tuple(differences))


def requested(row: Mapping[str, Any]) -> Variant:
    """The variant that was bought, spelled out again: its fingerprint is the row's."""
    endpoint = find(row["model"])
    if endpoint is None:
        raise Refused(f"{row['image_id']} was made by {row['model']}, which this version of ideoflow does not know")
    if not row["prompt"]:
        raise Refused(f"the history does not say what {row['image_id']} was asked for with")
    return Variant(
        prompt_id=row["prompt_id"],
        name=row["variant"],
        axes=MappingProxyType({}),
        endpoint=endpoint,
        prompt=row["prompt"],
        count=1,
        brand=row["brand"],
        campaign=row["campaign"],
        tags=tuple(row["tags"] or ()),
        lettering=row["lettering"],
        aspect_ratio=row["aspect_ratio"],
        options=MappingProxyType(json.loads(row["options"] or "{}")),
        seed=row["seed_asked"],
        edition=row["edition"],
    )


def magic_prompt(endpoint: Endpoint) -> Option | None:
    """The option that has the vendor reword prompts; None where it is not known how to turn that off."""
    return next((option for name in MAGIC if (option := endpoint.option(name))), None)


def wanted(standing: Standing, linked: Collection[str], images: Collection[str], total: int | None) -> int:
    """How many reproductions there shall be: one more than there are, or `total`.

    None more while an earlier one is under way, in doubt, or was cut off before its end: that one comes first.
    """
    if total is not None:
        return total
    underway = any(entry.final is None for entry in standing.live.values())
    return standing.counted + (0 if underway or set(images) - set(linked) else 1)


def _as_answered(variant: Variant, row: Mapping[str, Any]) -> Variant:
    endpoint, magic = variant.endpoint, magic_prompt(variant.endpoint)
    prompt = row["final_prompt"] or variant.prompt
    if len(prompt) > endpoint.max_prompt:
        raise Refused(
            f"its final prompt has {len(prompt):,} characters, and {endpoint.model} takes {endpoint.max_prompt:,}: "
            "leave out --exact"
        )
    options = dict(variant.options)
    if magic is not None:
        options[magic.name] = next(value for value in magic.values if value.lower() == "off")
    seed = row["seed"] if _usable(row["seed"]) else variant.seed
    return replace(variant, prompt=prompt, options=MappingProxyType(options), seed=seed)


def _usable(seed: int | None) -> bool:
    return seed is not None and 0 <= seed <= SEED_MAX


def _elsewhere(row: Mapping[str, Any], origin: str) -> list[Difference]:
    if row["origin"] == origin:
        return []
    return [Difference("everything", f"it was made by {row['origin']}, and would now be made by {origin}")]


def _exactly(row: Mapping[str, Any], endpoint: Endpoint, variant: Variant) -> list[Difference]:
    found = []
    if not row["final_prompt"]:
        found.append(Difference("the wording", "no final prompt is on record, so the prompt is sent as it was asked"))
    if magic_prompt(endpoint) is None:
        why = f"nothing is known that turns magic prompt off on {endpoint.model}: it may reword the prompt again"
        found.append(Difference("the wording", why))
    if variant.seed is None:
        found.append(Difference("the picture", "no seed is on record, so the vendor picks a new one"))
    elif row["image_index"]:
        why = f"it was number {row['image_index'] + 1} of one request, and seeds of such are not promised to work alone"
        found.append(Difference("the picture", why))
    found.append(Difference("details", "the vendor does not promise that a seed gives the same picture twice"))
    return found


def _as_asked(endpoint: Endpoint, asked: Variant) -> list[Difference]:
    found = []
    magic = magic_prompt(endpoint)
    mode = str(asked.options.get(magic.name, magic.default or "auto")).lower() if magic else "unknown"
    if mode in {"auto", "on"}:
        found.append(Difference("the wording", f"magic prompt is {mode}: it rewords the prompt anew each time"))
    elif mode == "unknown":
        found.append(Difference("the wording", f"{endpoint.model} may reword prompts, anew each time"))
    if asked.seed is None:
        found.append(Difference("the picture", "no seed was asked for, so the vendor picks a new one"))
    else:
        found.append(Difference("details", "the vendor does not promise that a seed gives the same picture twice"))
    return found
