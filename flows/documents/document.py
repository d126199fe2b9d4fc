"""A document: plain data, and where each part of it was written.

Knows paths and places; knows no YAML and no models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.errors import Problem

PathLike = Sequence[str | int]

_PLAIN_KEY = re.compile(r"[\w@+-]+")
_SHOWN = 60
_LONGEST_PATH = 200


@dataclass(slots=True)
class Node:
    """A value as written. `line` and `column` count from 1; `size` and `height` include what aliases repeat.

    `flow` says that it was written in braces or brackets, `comment` that nothing but a comment stood where a
    value belongs.
    """

    line: int
    column: int
    value: Any = None
    items: list[Node] | None = None
    entries: dict[str, tuple[Node, Node]] | None = None
    size: int = 1
    height: int = 1
    flow: bool = False
    comment: bool = False

    @property
    def nothing(self) -> bool:
        """Whether no value stands here."""
        return self.value is None and self.items is None and self.entries is None

    def plain(self) -> Any:
        """The value as dict, list and scalars. The reader bounds `height`, so the recursion is shallow."""
        if self.entries is not None:
            return {key: value.plain() for key, (_, value) in self.entries.items()}
        if self.items is not None:
            return [item.plain() for item in self.items]
        return self.value


@dataclass(frozen=True)
class Document:
    """One file that a person edits: `file` is the name shown to people, `data` plain YAML 1.2 core data."""

    file: str
    data: Any
    root: Node = field(repr=False, compare=False)

    def node(self, path: PathLike) -> tuple[Node, Node | None, bool]:
        """The node at `path`, its key's node, and whether it is there; else its nearest known ancestor."""
        node, key = self.root, None
        for step in path:
            if node.entries is not None and isinstance(step, str) and step in node.entries:
                key, node = node.entries[step]
            elif node.items is not None and isinstance(step, int) and 0 <= step < len(node.items):
                key, node = None, node.items[step]
            else:
                return node, key, False
        return node, key, True

    def place(self, path: PathLike, *, key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the value at `path` (of its mapping key with `key`).

        Where the path is not there, the nearest ancestor that is answers.
        """
        node, key_node, found = self.node(path)
        at = key_node if key and found and key_node is not None else node
        return at.line, at.column

    def problem(self, path: PathLike, message: str, hint: str = "", *, key: bool = False) -> Problem:
        """A problem with what stands at `path`."""
        line, column = self.place(path, key=key)
        words = (_one_line(text) for text in (message, hint or self.advice(path)))
        return Problem(self.file, line, column, dotted(path), *words)

    def advice(self, path: PathLike) -> str:
        """The remedy where YAML itself may have read something other than was meant, else nothing."""
        node, _, found = self.node(path)
        if not found:
            return ""
        if node.comment:
            return "In YAML a # begins a comment: put the value in quotes."
        if node.flow and node.entries is not None and _only_names(node.entries):
            text = "{" + ", ".join(node.entries) + "}"
            example = f", as in '{shorten(text)}'" if node.entries else ""
            return f"In YAML a value beginning with {{ is a map: put it in quotes{example}."
        return ""


def _only_names(entries: dict[str, tuple[Node, Node]]) -> bool:
    """Whether a map in braces holds no values, as a placeholder read as a map does."""
    return all(value.nothing for _, value in entries.values())


def dotted(path: PathLike) -> str:
    """``prompts[2].matrix.format``; keys that are not plain words are quoted in brackets."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{shorten(step)}" if text else shorten(step)
        else:
            text += f"[{shown(step)}]"
    return text if len(text) <= _LONGEST_PATH else "…" + text[1 - _LONGEST_PATH :]


def shown(value: Any) -> str:
    """A value for a message: one short line, quoted where it is text."""
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{shorten(value)}"' if isinstance(value, str) else shorten(str(value))


def _one_line(text: str) -> str:
    """Messages quote what people wrote, which may hold line ends and terminal codes."""
    return "".join(c if c.isprintable() else " " for c in text)


def shorten(text: str) -> str:
    """At most 60 printable characters of `text`, on one line."""
    head = _one_line(text[: _SHOWN + 1])
    return head if len(head) <= _SHOWN else head[: _SHOWN - 1] + "…"
