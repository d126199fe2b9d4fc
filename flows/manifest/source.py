"""One manifest file, read: its parts validated each for itself, so that one slip does not hide the others.

What is broken is left out and remembered, for the checks that follow to keep quiet about its consequences.
Knows the shape of a manifest; `expand` knows what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from flows.documents import Document, did_you_mean, read, salvage, shorten, shown
from flows.errors import Problem
from flows.ideogram.catalogue import CATALOGUE, find
from flows.manifest import advice
from flows.manifest.axes import Matrix, Path
from flows.manifest.brands import Shelf
from flows.manifest.matrix import read_matrix
from flows.manifest.models import Defaults, File, Prompt, Variables
from flows.manifest.slips import MANY
from flows.manifest.structured import Structured, read_structured

UNCHECKED = "options_unchecked"


class _Variables(BaseModel):
    model_config = ConfigDict(strict=True)
    vars: Variables = {}


@dataclass(frozen=True)
class Entry:
    """One prompt of a file. `broken` names the fields that could not be read.

    `structured` is the prompt where it was written as a map.
    """

    at: Path
    prompt: Prompt
    matrix: Matrix
    broken: frozenset[str]
    structured: Structured | None = None


@dataclass(frozen=True)
class ModelOptions:
    """What stands under `models` for one model, and where."""

    options: Mapping[str, Any]
    unchecked: Mapping[str, Any]
    path: Path


@dataclass(frozen=True)
class Manifest:
    """One file. `models` maps a model to its options and where they stand. `broken` as in Entry.

    `problems` are those of reading, which stops when there are MANY; a manifest with any is never expanded
    into variants to buy.
    """

    document: Document
    brand: str | None = None
    defaults: Defaults = field(default_factory=Defaults)
    models: Mapping[str, ModelOptions] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    broken: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    brands: Shelf = field(default_factory=Shelf, compare=False)


def read_manifest(
    file: str, text: bytes | str, brands: Shelf | None = None
) -> tuple[Manifest | None, tuple[Problem, ...]]:
    """The manifest as far as it can be read, and everything wrong with its form."""
    document, problems = read(text, file)
    if document is None:
        return None, tuple(problems)
    head = salvage(document, File, document.data, advice=advice.FILE, instead={"version": 1, "prompts": [{}]})
    problems += head.problems
    if head.model is None:
        return None, tuple(problems)
    broken = set(head.broken)
    defaults = salvage(document, Defaults, head.model.defaults or {}, at=("defaults",), advice=advice.DEFAULTS)
    problems += defaults.problems
    broken |= {f"defaults.{name}" for name in defaults.broken}
    variables, found, unread = _variables(document, head.model.vars or {})
    problems += found
    broken |= {f"vars.{name}" for name in unread}
    models, found = _models(document, head.model.models or {})
    problems += found
    entries: list[Entry] = []
    if "prompts" not in head.broken:
        for index, data in enumerate(head.model.prompts):
            if len(problems) >= MANY:
                break
            entry, found = _entry(document, ("prompts", index), data)
            problems += found
            entries += [entry] if entry else []
            if entry is None:
                broken.add("entries")
    manifest = Manifest(
        document,
        head.model.brand,
        defaults.model or Defaults(),
        models,
        variables,
        tuple(entries),
        frozenset(broken),
        tuple(problems),
        brands or Shelf(),
    )
    return manifest, manifest.problems


def _variables(document: Document, data: Mapping[str, Any]) -> tuple[dict[str, str], list[Problem], list[str]]:
    """The file's own texts, what is wrong with them, and the names of those that could not be read.

    Those have an empty text, so that their names are not reported as unknown as well.
    """
    problems: list[Problem] = []
    variables: dict[str, str] = {}
    unread: list[str] = []
    for name, value in data.items():
        if len(problems) >= MANY:
            break
        one = salvage(document, _Variables, {"vars": {name: value}})
        problems += one.problems
        known = one.model.vars if one.model else {}
        variables[name] = known.get(name, "")
        unread += [name] if name not in known else []
    return variables, problems, unread


def _models(document: Document, data: Mapping[str, Any]) -> tuple[dict[str, ModelOptions], list[Problem]]:
    problems: list[Problem] = []
    models: dict[str, ModelOptions] = {}
    for name, options in data.items():
        if len(problems) >= MANY:
            break
        path = ("models", name)
        endpoint = find(name)
        if endpoint is None:
            hint = did_you_mean(name, CATALOGUE, "Models")
            problems.append(document.problem(path, f"unknown model `{shorten(name)}`", hint, key=True))
        elif endpoint.model in models:
            message = f"the options of {endpoint.model} are given twice"
            problems.append(document.problem(path, message, "Merge them.", key=True))
        elif not isinstance(options, dict):
            hint = "Write the vendor's options: {quality: medium}."
            problems.append(document.problem(path, "must be a map from option to value", hint))
        else:
            known = {key: value for key, value in options.items() if key != UNCHECKED}
            unchecked = options.get(UNCHECKED, {})
            if not isinstance(unchecked, dict):
                hint = "Write the vendor's fields: {name: value}."
                problems.append(document.problem((*path, UNCHECKED), "must be a map from field to value", hint))
                unchecked = {}
            models[endpoint.model] = ModelOptions(known, unchecked, path)
    return models, problems


def _entry(document: Document, at: Path, data: Any) -> tuple[Entry | None, list[Problem]]:
    stand_in = {"id": "unnamed", "prompt": "unread"}
    one = salvage(document, Prompt, data, at=at, advice=advice.PROMPT, instead=stand_in)
    problems = list(one.problems)
    if one.model is None:
        return None, problems
    matrix, broken = Matrix(), set(one.broken)
    if one.model.matrix is not None:
        matrix, found = read_matrix(document, one.model.matrix, (*at, "matrix"))
        problems += found
        broken |= {"matrix"} if found else set()
    structured = None
    if isinstance(one.model.prompt, dict):
        structured, found = _structured(document, one.model.prompt, (*at, "prompt"))
        problems += found
        broken |= {"prompt"} if structured is None else set()
    for first, second in (("seeds", "count"), ("refresh", "edition")):
        if {first, second} <= one.model.model_fields_set:
            problems.append(_either(document, at, first, second))
    return Entry(at, one.model, matrix, frozenset(broken), structured), problems


def _structured(document: Document, data: dict[str, Any], at: Path) -> tuple[Structured | None, list[Problem]]:
    if all(value is None for value in data.values()):
        # A placeholder that YAML took for a map, or nothing at all.
        return None, [document.problem(at, f"must be a text, not {shown(data)}")]
    return read_structured(document, data, at)


def _either(document: Document, at: Path, first: str, second: str) -> Problem:
    message = f"`{first}` and `{second}` cannot be given together"
    return document.problem((*at, first), message, "Keep one of them.", key=True)
