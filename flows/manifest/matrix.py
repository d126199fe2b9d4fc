"""A prompt's matrix: its axes, what each label of an axis changes, and which combinations are left out.

An axis is a list, whose values fill ``{axis}`` (or set the field the axis is named after), or a map from
label to overrides. Pure; works on the document, so that every complaint has its place. Nothing is multiplied
out here: a matrix of a million is only counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from flows.documents import Document, salvage, shorten, shown
from flows.errors import Problem
from flows.manifest import advice
from flows.manifest.axes import FIELD_AXES, MAX_AXES, Axis, Matrix, Path, Point
from flows.manifest.exclude import read_exclude
from flows.manifest.models import Overrides, Ratio, Text
from flows.manifest.names import LABEL_WORDS, is_label, slug
from flows.manifest.slips import MANY

_NOT_AXES = {
    "include": "Write the labels into the axes, and leave out combinations with `exclude`.",
    "seed": "Write `seeds: [11, 12]` beside `matrix`: one image for each seed.",
    "seeds": "Write `seeds: [11, 12]` beside `matrix`: one image for each seed.",
    "count": "Write `count` beside `matrix`, or under a label of an axis.",
    "vars": "Write `vars` beside `matrix`, or under a label of an axis.",
    "options": "Write `options` beside `matrix`, or under a label of an axis.",
    "options_unchecked": "Write `options_unchecked` beside `matrix`, or under a label of an axis.",
}
# Fields that stand for each other: setting one unsets the other.
_GROUPS = {"seeds": "count", "refresh": "edition"}


class _Text(BaseModel):
    model_config = ConfigDict(strict=True)
    value: Text


class _Ratio(_Text):
    value: Ratio


_LIST_VALUES: Mapping[str, type[_Text]] = {"aspect_ratio": _Ratio}


def read_matrix(document: Document, data: Mapping[str, Any], at: Path) -> tuple[Matrix, list[Problem]]:
    """The matrix written at the path `at`, as far as it is sound, and what is wrong with it."""
    problems: list[Problem] = []
    axes: list[Axis] = []
    for name, value in data.items():
        if name != "exclude":
            axis = _axis(document, name, value, (*at, name), problems)
            axes += [axis] if axis else []
    if not axes and not problems:
        hint = "Name an axis, such as `mood: [calm, playful]`, or leave `matrix` out."
        problems.append(document.problem(at, "a matrix without axes", hint))
    if len(axes) > MAX_AXES:
        problems.append(document.problem(at, f"{len(axes)} axes; at most {MAX_AXES} are possible", "Merge some."))
        axes = axes[:MAX_AXES]
    problems += _conflicts(document, axes)
    excluded: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    if "exclude" in data and not problems:
        excluded = read_exclude(document, data["exclude"], (*at, "exclude"), axes, problems)
    return Matrix(tuple(axes), {names: frozenset(rows) for names, rows in excluded.items()}), problems


def _axis(document: Document, name: str, value: Any, at: Path, problems: list[Problem]) -> Axis | None:
    if name in _NOT_AXES:
        problems.append(document.problem(at, f"`{name}` cannot be an axis", _NOT_AXES[name], key=True))
        return None
    if not is_label(name):
        hint = f"Use {LABEL_WORDS}."
        problems.append(document.problem(at, f"{shown(name)} cannot name an axis", hint, key=True))
        return None
    if not isinstance(value, list | dict) or not value:
        hint = "Write a list, as [calm, playful], or a map from label to overrides."
        what = "is empty" if isinstance(value, list | dict) else f"must be a list or a map, not {shown(value)}"
        problems.append(document.problem(at, f"an axis {what}", hint))
        return None
    if isinstance(value, list):
        points = _list_points(document, name, value, at, problems)
        return Axis(name, tuple(points), listed=True, path=at) if points else None
    points = list(_map_points(document, value, at, problems))
    return Axis(name, tuple(points), listed=False, path=at) if points else None


def _map_points(document: Document, value: Mapping[str, Any], at: Path, problems: list[Problem]) -> Iterator[Point]:
    folded: dict[str, str] = {}
    for label, overrides in value.items():
        if len(problems) >= MANY:
            return
        path = (*at, label)
        if not is_label(label):
            hint = f"Use {LABEL_WORDS}."
            problems.append(document.problem(path, f"{shown(label)} cannot be a label", hint, key=True))
            continue
        first = folded.setdefault(label.lower(), label)
        if first != label:
            message = f"the labels `{first}` and `{label}` differ only in case, which some file systems do not see"
            problems.append(document.problem(path, message, "Rename one of them.", key=True))
            continue
        read = salvage(document, Overrides, overrides, at=path, advice=advice.OVERRIDES)
        problems += read.problems
        yield Point(label, label, read.model or Overrides(), path, read.broken)


def _list_points(
    document: Document, name: str, values: Sequence[Any], at: Path, problems: list[Problem]
) -> list[Point]:
    points: list[Point] = []
    labels: dict[str, int] = {}
    for index, value in enumerate(values):
        if len(problems) >= MANY:
            break
        path = (*at, index)
        read = salvage(document, _LIST_VALUES.get(name, _Text), {"value": value}, at=path)
        if read.model is None:
            hint = "" if document.advice(path) else "To change more than a text, write the axis as a map."
            for problem in read.problems:
                hint = hint if isinstance(value, dict | list) else problem.hint
                problems.append(document.problem(path, problem.message, hint))
            continue
        text = read.model.value
        label = slug(text)
        if not label:
            hint = "Write the axis as a map: {label: {vars: {" + name + ": ...}}}."
            problems.append(document.problem(path, f"{shown(text)} has no letters to name a variant by", hint))
        elif label.lower() in labels:
            first = shown(values[labels[label.lower()]])
            hint = "Write the axis as a map, and choose the labels yourself."
            problems.append(document.problem(path, f"names its variant `{label}`, as {first} does", hint))
        else:
            labels[label.lower()] = index
            fields = {name: text} if name in FIELD_AXES else {}
            points.append(Point(label, text, Overrides.model_validate(fields), path))
    return points


def _conflicts(document: Document, axes: Sequence[Axis]) -> list[Problem]:
    """One field set by two axes: which of them should win cannot be guessed."""
    problems = []
    setters: dict[str, str] = {}
    for axis in axes:
        own: dict[str, Path] = {}
        for point in axis.points:
            for name, path in fields_set(axis, point).items():
                own.setdefault(name, path)
        for name, path in own.items():
            other = setters.setdefault(name, axis.name)
            if other != axis.name:
                message = f"`{shorten(name)}` is set by two axes, `{other}` and `{axis.name}`"
                problems.append(document.problem(path, message, "Leave it to one of them."))
    return problems


def fields_set(axis: Axis, point: Point) -> dict[str, Path]:
    """What a label sets, by the name of the field, and where. Tags add up, so that no two collide."""
    found: dict[str, Path] = {}
    for name in sorted(point.overrides.model_fields_set - {"tags"}):
        path = point.path if axis.listed else (*point.path, name)
        if name in ("options", "options_unchecked", "vars"):
            for key in getattr(point.overrides, name):
                found[f"{name}.{key}"] = (*point.path, name, key)
        else:
            found[_GROUPS.get(name, name)] = path
    if axis.fills:
        found[f"vars.{axis.name}"] = point.path
    return found
