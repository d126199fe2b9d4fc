"""A pydantic model laid over a document: all that is wrong, in plain words and in place, with a remedy.

Knows pydantic and paths; knows no YAML and nothing of what the files mean. Data is validated as JSON would be
(so that strict models take lists for tuples and texts for enums, as in the file), never as Python objects.
Validators may raise `PydanticCustomError("kind", "message", {"hint": "remedy"})`.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.documents.compose import MAX_PROBLEMS
from flows.documents.document import Document, shorten, shown
from flows.documents.suggest import did_you_mean, nearest, unquoted
from flows.errors import InvalidInput, Problem

Model = TypeVar("Model", bound=BaseModel)
Step = str | int
MakeProblem = Callable[[Sequence[Step], str, str, bool], Problem]

_UNSET: Any = object()
_NO_ADVICE: Mapping[str, Any] = types.MappingProxyType({})

# What each kind of value is called, by the pydantic error that says it is something else.
_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a map of keys and values",
    "mapping_type": "a map of keys and values",
    "model_type": "a map of keys and values",
    "model_attributes_type": "a map of keys and values",
    "dataclass_type": "a map of keys and values",
    "enum": "",
    "literal_error": "",
}
_BOUNDS = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} members",
    "too_long": "must have at most {max_length} members",
}


def validate(
    document: Document,
    model: type[Model],
    data: Any = _UNSET,
    *,
    at: Sequence[Step] = (),
    advice: Mapping[str, str] = _NO_ADVICE,
) -> Model:
    """The model, or InvalidInput with all problems at their places.

    `data` (default: all of the document) was written at the path `at`. `advice` gives the remedy for unknown
    keys that people are known to write.
    """
    value = document.data if data is _UNSET else data
    try:
        return model.model_validate_json(json.dumps(value))
    except ValidationError as error:
        raise InvalidInput(explain(error, model, value, _placing(document, at), advice=advice)) from None


@dataclass(frozen=True)
class Salvage(Generic[Model]):
    """What could be read of a map: without its `broken` keys; `model` is None where nothing could."""

    model: Model | None
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()


def salvage(
    document: Document,
    model: type[Model],
    data: Any,
    *,
    at: Sequence[Step] = (),
    advice: Mapping[str, str] = _NO_ADVICE,
    instead: Mapping[str, Any] = _NO_ADVICE,
) -> Salvage[Model]:
    """As `validate`, but goes on with the keys that are right, so that they can be checked further.

    `instead` holds stand-ins for required keys that are missing or broken.
    """
    try:
        return Salvage(model.model_validate_json(json.dumps(data)))
    except ValidationError as error:
        problems = explain(error, model, data, _placing(document, at), advice=advice)
        paths = [_path(detail, data) for detail in error.errors(include_url=False)]
    broken = frozenset(str(path[0]) for path in paths if path)
    if not isinstance(data, dict):
        return Salvage(None, tuple(problems), broken)
    sound = {**instead, **{key: value for key, value in data.items() if key not in broken}}
    try:
        return Salvage(model.model_validate_json(json.dumps(sound)), tuple(problems), broken)
    except ValidationError:
        return Salvage(None, tuple(problems), broken)


def _placing(document: Document, at: Sequence[Step]) -> MakeProblem:
    def problem(path: Sequence[Step], message: str, hint: str, key: bool) -> Problem:
        return document.problem((*at, *path), message, hint, key=key)

    return problem


def explain(
    error: ValidationError,
    model: type[BaseModel],
    data: Any,
    problem: MakeProblem,
    *,
    advice: Mapping[str, str] = _NO_ADVICE,
) -> list[Problem]:
    """Every error of a validation as a problem; `problem(path, message, hint, at_key)` knows the places."""
    details = [(_path(detail, data), detail) for detail in error.errors(include_url=False)]
    above = {path[:length] for path, _ in details for length in range(len(path))}
    problems: list[Problem] = []
    seen: set[tuple[Step, ...]] = set()
    for path, detail in details:
        # A union complains once for each branch: the deepest complaint is about what the writer meant.
        # So does a list whose members were all refused: it is not empty, its members are wrong.
        general = detail["type"].endswith("_type") or detail["type"] == "too_short"
        if path in seen or (general and path in above):
            continue
        seen.add(path)
        if len(problems) == MAX_PROBLEMS:
            more = f"{len(details) - MAX_PROBLEMS:,} more problems like these"
            problems.append(problem((), more, "Mend these first.", False))
            break
        message, hint, at_key = _words(detail, path, model, advice)
        problems.append(problem(path, message, hint, at_key))
    return problems


def _path(detail: ErrorDetails, data: Any) -> tuple[Step, ...]:
    """The error's path in the file: pydantic's own, without the names of union branches and of ``[key]``."""
    path: list[Step] = []
    for step in detail["loc"]:
        if _holds(data, step):
            data = data[step]
        elif detail["type"] == "missing" and step == detail["loc"][-1]:
            data = None
        else:
            continue
        path.append(step)
    return tuple(path)


def _holds(data: Any, step: Step) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data


def _words(
    detail: ErrorDetails, path: Sequence[Step], model: type[BaseModel], advice: Mapping[str, str]
) -> tuple[str, str, bool]:
    """Message, remedy, and whether the key rather than the value is to blame."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx") or {}
    name = str(path[-1]) if path else ""
    if kind == "missing":
        return f"`{name}` is missing", "", False
    if kind == "extra_forbidden":
        known = _fields(model, path[:-1])
        return f"unknown key `{shorten(name)}`", advice.get(name) or did_you_mean(name, known), True
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(context.get("expected", ""))) or [str(context.get("expected"))]
        return f"{shown(value)} is not one of {', '.join(choices)}", _guess(value, choices), False
    if kind in _EXPECTED:
        hint = "Put it in quotes." if kind == "string_type" and isinstance(value, bool | int | float) else ""
        hint = hint or unquoted(kind, value)
        return f"must be {_EXPECTED[kind]}, not {shown(value)}", hint, False
    if kind in ("too_short", "string_too_short") and context.get("min_length") == 1:
        return "must not be empty", "", False
    if kind in _BOUNDS:
        tail = f", not {shown(value)}" if isinstance(value, str | int | float) else ""
        return _BOUNDS[kind].format_map(context) + tail, "", False
    at_key = "[key]" in detail["loc"]
    message = str(context["error"]) if kind == "value_error" and "error" in context else detail["msg"]
    return message, str(context.get("hint", "")), at_key


def _guess(value: Any, choices: Sequence[str]) -> str:
    guess = nearest(value, choices) if isinstance(value, str) else None
    return f"Did you mean `{guess}`?" if guess else ""


def _fields(model: type[BaseModel], path: Sequence[Step]) -> list[str]:
    """The keys that the model knows at `path`, followed through lists, maps and unions."""
    found: list[Any] = [model]
    for step in path:
        found = [inner for annotation in found for inner in _inside(annotation, step)]
    return [name for annotation in found for name in _names(annotation)]


def _inside(annotation: Any, step: Step) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            if step in (name, info.alias):
                return _branches(info.annotation)
        return []
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    return _branches(arguments[-1]) if arguments else []


def _branches(annotation: Any) -> list[Any]:
    """The members of a union, without annotations."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _branches(get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return [inner for member in get_args(annotation) for inner in _branches(member)]
    return [annotation]


def _names(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [info.alias or name for name, info in annotation.model_fields.items()]
    return []
