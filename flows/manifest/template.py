"""Prompt templates: `{name}` is filled in, `{{` and `}}` are braces, and there is nothing else.

No attributes, no formats, no conditions: a prompt should be readable as a sentence. One level only: what is
filled in is not filled itself. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from flows.documents import shorten
from flows.manifest.names import is_label
from flows.manifest.slips import Slip

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9][A-Za-z0-9_.-]*)\}")


@dataclass(frozen=True)
class Filled:
    """A prompt as it is sent, and the texts in which lettering may be asked for."""

    text: str
    said: tuple[str, ...]
    structured: bool = False


class Wording(Protocol):
    """A prompt with placeholders, whatever its form."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every placeholder, as often as it occurs."""

    def at(self, name: str) -> tuple[str | int, ...]:
        """Where a placeholder stands, as a path below the prompt."""

    def filled(self, values: Mapping[str, str]) -> Filled:
        """The prompt itself. Every name must be in `values`."""


@dataclass(frozen=True)
class Template:
    """Literal pieces and the names between them: ``pieces[0] names[0] pieces[1] ...``."""

    pieces: tuple[str, ...]
    names: tuple[str, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text. Every name must be in `values`."""
        parts = [self.pieces[0]]
        for name, piece in zip(self.names, self.pieces[1:], strict=True):
            parts += (values[name], piece)
        return "".join(parts)

    def at(self, _name: str) -> tuple[str | int, ...]:
        """A text is one place."""
        return ()

    def filled(self, values: Mapping[str, str]) -> Filled:
        """The whole text, in which anything may be said."""
        text = unicodedata.normalize("NFC", self.fill(values)).strip()
        return Filled(text, (text,))


def parse(text: str) -> tuple[Template, list[Slip]]:
    """The template, and what in it is no template."""
    pieces, names, slips = [""], [], []
    end = 0
    for match in _TOKEN.finditer(text):
        pieces[-1] += text[end : match.start()]
        end = match.end()
        token = match.group()
        if token in ("{{", "}}"):
            pieces[-1] += token[0]
        elif match[1] is None:
            near = shorten(text[match.start() : match.start() + 20])
            slips.append(Slip((), f"a single {token} at `{near}`", f"Write {token}{token} for a brace, or {{name}}."))
        elif not is_label(match[1].strip()):
            slips.append(_not_a_name(match[1]))
        else:
            names.append(match[1].strip())
            pieces.append("")
    pieces[-1] += text[end:]
    return Template(tuple(pieces), tuple(names)), slips


def placeholder_in(text: str) -> str | None:
    """The first thing in a value that looks as if it should be filled in, or None."""
    match = _PLACEHOLDER.search(text)
    return match[1] if match else None


def _not_a_name(inner: str) -> Slip:
    if not inner.strip():
        return Slip((), "empty braces {}", "Write {name}, or {{}} for braces.")
    hint = "A placeholder is a name in braces, like {mood}; for a brace in the text write {{ or }}."
    if re.search(r"[:!]", inner):
        return Slip((), f"{{{shorten(inner)}}}: placeholders take no formats", hint)
    return Slip((), f"{{{shorten(inner)}}} is not a placeholder", hint)
