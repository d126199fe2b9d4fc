"""Variables of the environment as settings: ``IDEOFLOW_<SECTION>__<KEY>``.

Pure. Lists and maps are JSON; texts are taken as they stand; numbers, true, false and null as YAML has them.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from flows.documents import explain, nearest
from flows.documents.scalars import Trap, resolve
from flows.errors import Problem
from flows.settings.loaded import ENVIRONMENT, Source
from flows.settings.model import Sections

PREFIX = "IDEOFLOW_"
# Read before there are settings.
ELSEWHERE = frozenset({"IDEOFLOW_PROJECT", "IDEOFLOW_CONFIG"})

Values = dict[str, dict[str, Any]]


def names() -> dict[str, tuple[str, str]]:
    """Every variable that sets something: its name to section and key."""
    return {
        f"{PREFIX}{section}__{key}".upper(): (section, key)
        for section, info in Sections.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
        for key in info.annotation.model_fields
    }


def read(environ: Mapping[str, str]) -> tuple[Values, dict[str, Source], list[Problem]]:
    """What the environment sets, where from, and everything wrong with it."""
    known = names()
    values: Values = {}
    sources: dict[str, Source] = {}
    problems = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in ELSEWHERE:
            continue
        if name not in known:
            # The prefix, which all have in common, would make everything look near.
            candidates = [one.removeprefix(PREFIX) for one in (*known, *ELSEWHERE)]
            guess = nearest(name.removeprefix(PREFIX), candidates)
            hint = f"Did you mean {PREFIX}{guess}?" if guess else f"They are named as in {next(iter(known))}."
            problems.append(_problem(name, "sets nothing: there is no such setting", hint))
            continue
        section, key = known[name]
        try:
            value = _value(environ[name], _annotation(section, key))
        except Trap as trap:
            problems.append(_problem(name, f"is {trap}", ""))
            continue
        except (ValueError, RecursionError):
            problems.append(_problem(name, "is not JSON", 'Lists are written ["a", "b"], maps {"a": 1}.'))
            continue
        values.setdefault(section, {})[key] = value
        sources[f"{section}.{key}"] = Source(ENVIRONMENT, name=name)
    try:
        Sections.model_validate_json(json.dumps(values))
    except ValidationError as error:
        problems += explain(error, Sections, values, _at)
    return values, sources, problems


def _at(path: Sequence[str | int], message: str, hint: str, at_key: bool) -> Problem:  # noqa: ARG001 - as `explain` calls it
    name = f"{PREFIX}{path[0]}__{path[1]}".upper() if len(path) > 1 else PREFIX
    return _problem(name, message, hint)


def _problem(name: str, message: str, hint: str) -> Problem:
    return Problem(ENVIRONMENT, 0, 0, name, message, hint)


def _annotation(section: str, key: str) -> Any:
    model = Sections.model_fields[section].annotation
    return model.model_fields[key].annotation if isinstance(model, type) and issubclass(model, BaseModel) else str


def _value(text: str, annotation: Any) -> Any:
    """The value that a variable's text stands for, given what kind of value is wanted."""
    kinds = _branches(annotation)
    if type(None) in kinds and text.strip() in {"", "~", "null"}:
        return None
    if any((get_origin(kind) or kind) in (tuple, Mapping) or _is_model(kind) for kind in kinds):
        return json.loads(text, parse_constant=_no_constant)
    if any(kind in (int, float, bool) for kind in kinds):
        return resolve(text.strip())
    # Texts and choices; money too, which as a text keeps every digit.
    return text.strip()


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _no_constant(name: str) -> Any:
    """Python's JSON reads NaN and Infinity, which JSON has not."""
    raise ValueError(name)


def _branches(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for member in get_args(annotation) for inner in _branches(member)]
    if get_origin(annotation) is Literal:
        return [str]
    return [getattr(annotation, "__origin__", annotation)]
