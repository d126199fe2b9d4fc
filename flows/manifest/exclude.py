"""The combinations that a matrix leaves out. Pure; works on the document, for the places of complaints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.documents import Document, did_you_mean, shorten, shown
from flows.errors import Problem
from flows.manifest.axes import Axis, Path
from flows.manifest.slips import MANY


def read_exclude(
    document: Document, rows: Any, at: Path, axes: Sequence[Axis], problems: list[Problem]
) -> dict[tuple[str, ...], set[tuple[str, ...]]]:
    """Label tuples by the axes they name; complaints are appended to `problems`."""
    excluded: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    if not isinstance(rows, list) or not rows:
        hint = "Write it like - {language: de, format: banner}."
        problems.append(document.problem(at, "`exclude` must be a list of combinations", hint))
        return excluded
    labels = {axis.name: {name: point for point in axis.points for name in (point.label, point.text)} for axis in axes}
    for index, row in enumerate(rows):
        if len(problems) >= MANY:
            break
        path = (*at, index)
        if not isinstance(row, dict) or not row:
            hint = "Write it like {language: de, format: banner}."
            problems.append(document.problem(path, f"must be a map from axis to label, not {shown(row)}", hint))
            continue
        chosen: dict[str, str] = {}
        for name, value in row.items():
            word = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            if name not in labels:
                hint = did_you_mean(name, labels, "Axes")
                message = f"there is no axis `{shorten(name)}`"
                problems.append(document.problem((*path, name), message, hint, key=True))
            elif not isinstance(word, str) or word not in labels[name]:
                known = [point.label for point in labels[name].values()]
                hint = did_you_mean(word, known, "Labels") if isinstance(word, str) else "Write one label."
                message = f"the axis `{name}` has no label {shown(value)}"
                problems.append(document.problem((*path, name), message, hint))
            else:
                chosen[name] = labels[name][word].label
        if len(chosen) == len(row):
            names = tuple(axis.name for axis in axes if axis.name in chosen)
            excluded.setdefault(names, set()).add(tuple(chosen[name] for name in names))
    return excluded
