"""What fills a prompt, checked against what the prompt asks for: nothing unknown, nothing unused.

An unused text is nearly always a misspelt placeholder, and would be paid for. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from flows.documents import did_you_mean, shown
from flows.errors import Problem
from flows.manifest.axes import Path
from flows.manifest.brands import PREFIX
from flows.manifest.slips import Slip
from flows.manifest.source import Entry, Manifest
from flows.manifest.template import Filled, Wording, placeholder_in

_QUOTED = re.compile(r'"[^"\n]{2,200}"|“[^”\n]{2,200}”|„[^“”\n]{2,200}[“”]')


def check_words(manifest: Manifest, entry: Entry, template: Wording) -> Iterator[Problem]:
    """Placeholders that nothing fills; vars and list axes that fill nothing; texts that want filling."""
    yield from _unknown(manifest, entry, template)
    yield from _unused(manifest, entry, template)
    yield from _second_level(manifest, entry)


def unused_file_variables(manifest: Manifest, names: Collection[str]) -> Iterator[Problem]:
    """The file's own vars that no prompt asks for (`names`: all that any prompt asks for)."""
    for name, text in manifest.variables.items():
        path = ("vars", name)
        if name not in names and f"vars.{name}" not in manifest.broken:
            message = f"no prompt uses {{{name}}}"
            yield manifest.document.problem(path, message, "Use it in a prompt, or remove it.", key=True)
        yield from _filled(manifest, path, text)


def unsaid(lettering: str, prompt: Filled, name: str) -> Slip | None:
    """Lettering that the prompt never asks for."""
    if any(lettering in text for text in prompt.said):
        return None
    if prompt.structured:
        hint = 'Let an element of `type: text` say it: text: "{lettering}".'
        return Slip((), f"no text element of {name} says {shown(lettering)}", hint)
    hint = 'Let the prompt say it: ... reads "{lettering}".'
    return Slip((), f"the prompt of {name} never says {shown(lettering)}", hint)


def unlettered(prompt: Filled) -> Slip | None:
    """Words to be readable in a prompt that has no lettering: a note, no error."""
    if prompt.structured:
        words, verb = next(iter(prompt.said), None), "has the text element"
    else:
        quoted = _QUOTED.search(prompt.text)
        words, verb = quoted.group()[1:-1] if quoted else None, "quotes"
    if words is None:
        return None
    message = f"the prompt {verb} {shown(words)}, but there is no `lettering`"
    return Slip((), message, "With `lettering` the audit can check that it is readable.")


def _unknown(manifest: Manifest, entry: Entry, template: Wording) -> Iterator[Problem]:
    if entry.broken & {"vars", "matrix"} or "vars" in manifest.broken:
        return
    axes = entry.matrix.axes
    points = [point for axis in axes for point in axis.points]
    known = [
        *(axis.name for axis in axes),
        *(name for point in points for name in point.overrides.vars or {}),
        *(entry.prompt.vars or {}),
        *manifest.variables,
        "lettering",
    ]
    for name in dict.fromkeys(template.names):
        # What a brand fills is seen when a variant is filled: each may be of another brand.
        if name in known or name.startswith(PREFIX):
            continue
        hint = did_you_mean(name, known, "Known here")
        path = (*entry.at, "prompt", *template.at(name))
        yield manifest.document.problem(path, f"nothing fills {{{name}}}", hint)


def _unused(manifest: Manifest, entry: Entry, template: Wording) -> Iterator[Problem]:
    places: list[tuple[str, Path]] = [(name, (*entry.at, "vars", name)) for name in entry.prompt.vars or {}]
    for axis in entry.matrix.axes:
        if axis.fills:
            places.append((axis.name, axis.path))
        for point in axis.points:
            places += [(name, (*point.path, "vars", name)) for name in point.overrides.vars or {}]
    for name, path in places:
        if name not in template.names:
            message = f"the prompt never uses {{{name}}}"
            hint = "Write it into the prompt, or remove this."
            yield manifest.document.problem(path, message, hint, key=True)


def _second_level(manifest: Manifest, entry: Entry) -> Iterator[Problem]:
    for name, text in (entry.prompt.vars or {}).items():
        yield from _filled(manifest, (*entry.at, "vars", name), text)
    yield from _filled(manifest, (*entry.at, "lettering"), entry.prompt.lettering or "")
    for axis in entry.matrix.axes:
        for point in axis.points:
            if axis.fills:
                yield from _filled(manifest, point.path, point.text)
            for name, text in (point.overrides.vars or {}).items():
                yield from _filled(manifest, (*point.path, "vars", name), text)
            path = point.path if axis.listed else (*point.path, "lettering")
            yield from _filled(manifest, path, point.overrides.lettering or "")


def _filled(manifest: Manifest, path: Path, text: str) -> Iterator[Problem]:
    inner = placeholder_in(text)
    if inner is not None:
        message = f"{{{inner}}} would not be filled here: placeholders work in prompts only, one level deep"
        yield manifest.document.problem(path, message, "Write the text out, or put {name} into the prompt itself.")
