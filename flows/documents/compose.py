"""Events of a YAML parser put together into nodes, with bounded work whatever the file holds.

The parser only yields events; the nodes are built here in a loop, so that no file can exhaust the stack,
aliases are counted before they are expanded, and every slip is collected instead of ending the reading.
Merge keys and tags (`<<`, `!!x`) are refused: YAML 1.2 has no merge keys, and our files need no tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from flows.documents.document import Node, dotted, shorten
from flows.documents.scalars import Trap, resolve
from flows.documents.syntax import syntax_problem
from flows.documents.text import FORBIDDEN
from flows.errors import Problem

MAX_DEPTH = 40
MAX_NODES = 200_000
MAX_ALIASED = 50_000
MAX_PROBLEMS = 100

_COMMENT_FOLLOWS = re.compile(r"[ \t]*#")


@dataclass(slots=True)
class _Frame:
    """A map or list being read. `step` is the key whose value is next, None where a key is next."""

    node: Node
    anchor: str | None
    key: Node | None = None
    step: str | None = None


@dataclass
class Composer:
    text: str
    file: str
    loader: Any
    problems: list[Problem] = field(default_factory=list)
    _frames: list[_Frame] = field(default_factory=list)
    _anchors: dict[str, Node | None] = field(default_factory=dict)
    _root: Node | None = None
    _nodes: int = 0
    _aliased: int = 0
    _lines: list[str] | None = None

    def compose(self) -> Node | None:
        """The root node; None where nothing usable was read (then there is a problem)."""
        try:
            complete = self._consume()
        # The pure Python parser lets ValueError and OverflowError out of escapes like "\UFFFFFFFF".
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            self.problems.append(syntax_problem(error, self.text, self.file))
            return None
        if not complete:
            return None
        if self._root is None or self._root.nothing:
            self.problems.append(Problem(self.file, 1, 1, "", "the file is empty", "Every file says something."))
            return None
        return self._root

    def _events(self) -> Iterator[Any]:
        loader = self.loader(self.text)
        try:
            while loader.check_event():
                yield loader.get_event()
        finally:
            loader.dispose()

    def _consume(self) -> bool:
        documents = 0
        for event in self._events():
            kind = type(event)
            if kind is yaml.ScalarEvent:
                fits = self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                fits = self._open(event, mapping=kind is yaml.MappingStartEvent)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                fits = self._close()
            elif kind is yaml.AliasEvent:
                fits = self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                fits = documents == 1 or self._fail(event, "a second document begins here", "Use one file for each.")
            else:
                fits = True
            if not fits:
                return False
        return True

    def _scalar(self, event: Any) -> bool:
        node = self._node(event)
        plain = event.implicit[0]
        self._check_tag(event)
        node.value = event.value
        if plain and event.tag is None:
            try:
                node.value = resolve(event.value)
            except Trap as trap:
                self._slip(event, f"{shorten(event.value)} is {trap}", "Write it in quotes if it is a text.")
            if node.value is None and not event.value:
                node.comment = self._comment_at(event.start_mark)
        elif bad := FORBIDDEN.search(event.value):
            code = f"U+{ord(bad.group()):04X}"
            self._slip(event, f"a text with an invisible control character ({code})", "Remove the escape.")
        return self._count(event) and self._place(node, event, event.anchor, plain=plain)

    def _open(self, event: Any, *, mapping: bool) -> bool:
        self._check_tag(event)
        node = self._node(event)
        node.flow = bool(event.flow_style)
        if mapping:
            node.entries = {}
        else:
            node.items = []
        if len(self._frames) >= MAX_DEPTH:
            return self._fail(event, f"nested too deeply (at most {MAX_DEPTH} levels)", "Flatten it.")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._frames.append(_Frame(node, event.anchor))
        return self._count(event)

    def _close(self) -> bool:
        frame = self._frames.pop()
        return self._place(frame.node, None, frame.anchor, plain=False)

    def _alias(self, event: Any) -> bool:
        name = shorten(event.anchor)
        if event.anchor not in self._anchors:
            hint = f"Define &{name} above it, or put a text that begins with * in quotes."
            return self._fail(event, f"*{name} refers to nothing", hint)
        target = self._anchors[event.anchor]
        if target is None:
            return self._fail(event, f"*{name} contains itself", "Write out what is meant.")
        self._aliased += target.size
        if self._aliased > MAX_ALIASED:
            return self._fail(event, "the aliases (*) of this file repeat too much", "Write less of it by aliases.")
        if len(self._frames) + target.height > MAX_DEPTH:
            return self._fail(event, f"nested too deeply (at most {MAX_DEPTH} levels)", "Flatten it.")
        return self._place(target, event, None, plain=False)

    def _place(self, node: Node, event: Any, anchor: str | None, *, plain: bool) -> bool:
        """Put a finished node where it belongs: root, list item, key or value."""
        if anchor:
            self._anchors[anchor] = node
        if not self._frames:
            self._root = node
            return True
        frame = self._frames[-1]
        parent = frame.node
        if parent.items is not None:
            parent.items.append(node)
        elif frame.key is None:
            frame.key, frame.step = node, self._key(node, event, parent, plain=plain)
            return True
        else:
            if frame.step is not None and parent.entries is not None:
                parent.entries[frame.step] = (frame.key, node)
            frame.key = frame.step = None
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        return True

    def _key(self, node: Node, event: Any, parent: Node, *, plain: bool) -> str | None:
        """The key's text, None (and a problem) where it cannot be one."""
        entries = parent.entries or {}
        if not isinstance(node.value, str):
            what = "a map or list" if event is None or node.height > 1 else shorten(str(getattr(event, "value", "")))
            hint = "Put the key in quotes." if node.value is not None else "Put a text that begins with { in quotes."
            self._slip_at(node, f"a key must be a text, not {what or 'nothing'}", hint)
            return None
        if node.value == "<<" and plain:
            hint = "Merge keys are not part of YAML 1.2: write the keys out."
            self._slip_at(node, "the merge key << is not understood", hint)
            return None
        if node.value in entries:
            first, _ = entries[node.value]
            message = f"the key `{shorten(node.value)}` is given twice (first on line {first.line})"
            self._slip_at(node, message, "Keep one of them.", node.value)
            return None
        return node.value

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None:
            tag = shorten(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._slip(event, f"the tag {tag} is not used here", "Put the value in quotes if it is a text.")

    def _node(self, event: Any) -> Node:
        return Node(event.start_mark.line + 1, event.start_mark.column + 1)

    def _count(self, event: Any) -> bool:
        self._nodes += 1
        if self._nodes <= MAX_NODES:
            return True
        return self._fail(event, f"more than {MAX_NODES:,} values in one file", "Split it into several files.")

    def _comment_at(self, mark: Any) -> bool:
        if self._lines is None:
            self._lines = self.text.splitlines()
        line = self._lines[mark.line] if mark.line < len(self._lines) else ""
        return _COMMENT_FOLLOWS.match(line, mark.column) is not None

    def _path(self) -> str:
        steps: list[str | int] = []
        for frame in self._frames:
            if frame.node.items is not None:
                steps.append(len(frame.node.items))
            elif frame.key is not None and isinstance(frame.key.value, str):
                steps.append(frame.key.value)
        return dotted(steps)

    def _fail(self, event: Any, message: str, hint: str) -> bool:
        """A problem after which reading on makes no sense."""
        node = self._node(event)
        self.problems.append(Problem(self.file, node.line, node.column, self._path(), message, hint))
        return False

    def _slip(self, event: Any, message: str, hint: str) -> None:
        self._slip_at(self._node(event), message, hint)

    def _slip_at(self, node: Node, message: str, hint: str, step: str = "") -> None:
        """A problem after which reading goes on."""
        if len(self.problems) < MAX_PROBLEMS:
            path = self._path()
            key = f"{path}.{step}" if path and step else path or step
            self.problems.append(Problem(self.file, node.line, node.column, key, message, hint))
