"""All manifests of a run: read, checked, multiplied out, and compared with each other.

The only entrance for those who want variants. Takes names and bytes, wherever they come from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from flows.errors import InvalidInput, Problem
from flows.manifest.brands import Read, Shelf, no_brands
from flows.manifest.elsewhere import Elsewhere, unknown_brands, unknown_classes
from flows.manifest.expand import expand_all
from flows.manifest.slips import MANY, SHOWN
from flows.manifest.source import Manifest, read_manifest
from flows.manifest.variant import Variant, fingerprint


@dataclass(frozen=True)
class Loaded:
    """What the manifests want. `warnings` are no errors; `files` are the names that were read."""

    variants: tuple[Variant, ...]
    warnings: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()


def load(
    sources: Sequence[tuple[str, bytes]],
    now: datetime,
    tz: tzinfo,
    brands: Read = no_brands,
    elsewhere: Elsewhere | None = None,
) -> Loaded:
    """Every variant of every file, or InvalidInput with the problems of all files at once.

    `sources` are pairs of a name to show and the file's bytes; `now` and `tz` decide what `refresh` means. `brands`
    reads a brand by its key: None where it has no file, InvalidInput where that cannot be used. `elsewhere` are
    the names that other files define, as far as they are to be compared.
    """
    shelf = Shelf(brands)
    problems: list[Problem] = []
    warnings: list[Problem] = []
    variants: list[Variant] = []
    manifests: list[Manifest] = []
    for file, text in sources:
        manifest, found = read_manifest(file, text, shelf)
        own = list(found)
        if manifest is not None:
            manifests.append(manifest)
            own += unknown_classes(manifest, elsewhere or Elsewhere())
            warnings += unknown_brands(manifest, elsewhere or Elsewhere())
        if manifest is not None and len(own) < MANY:
            expansion = expand_all(manifest, now, tz)
            own += expansion.problems
            warnings += expansion.warnings
            variants += expansion.variants
        problems += _few(own, file)
    problems += _few(_same_ids(manifests))
    problems += _few(shelf.problems)
    if problems:
        raise InvalidInput(problems)
    warnings += _shared(variants)
    return Loaded(tuple(variants), tuple(_few(warnings)), tuple(file for file, _ in sources))


def _few(problems: Iterable[Problem], file: str = "") -> list[Problem]:
    """A hundred complaints are enough to begin with; the rest is only mentioned."""
    ordered = sorted(set(problems))
    if len(ordered) <= SHOWN:
        return ordered
    more = f"and {len(ordered) - SHOWN} more" if len(ordered) < MANY else "and many more"
    return [*ordered[:SHOWN], Problem(file or ordered[-1].file, 0, 0, "", more, "Mend the others first.")]


def _same_ids(manifests: Iterable[Manifest]) -> list[Problem]:
    """Ids name files, so two that differ only in case are the same on some file systems."""
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for manifest in manifests:
        for entry in manifest.entries:
            if "id" in entry.broken:
                continue
            path = (*entry.at, "id")
            place = f"{manifest.document.file}:{manifest.document.place(path)[0]}"
            first = seen.setdefault(entry.prompt.id.lower(), place)
            if first != place:
                message = f"the id `{entry.prompt.id}` is taken (upper and lower case are the same): see {first}"
                problems.append(manifest.document.problem(path, message, "Every prompt needs its own id."))
    return problems


def _shared(variants: Iterable[Variant]) -> list[Problem]:
    """Variants that are the same picture: legitimate, but seldom meant."""
    same: dict[str, list[Variant]] = defaultdict(list)
    for variant in variants:
        # Any origin will do for comparing: it is the same for all variants of a run.
        same[fingerprint(variant, "")].append(variant)
    return [
        Problem(
            other.file,
            other.line,
            1,
            "",
            f"{other.name} is the same picture as {group[0].name}: they share their images",
            "The larger count wins. To get different ones, set `edition`.",
        )
        for group in same.values()
        for other in group[1:]
    ]
