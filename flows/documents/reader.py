"""YAML to a Document: the entrance, which judges size and encoding before anything is parsed."""

from __future__ import annotations

from typing import Any

import yaml

from flows.documents.compose import Composer
from flows.documents.document import Document
from flows.documents.text import decode
from flows.errors import InvalidInput, Problem

MAX_BYTES = 4_000_000

# libyaml is several times faster; both parsers yield the same events for all that is accepted here.
FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: bytes | str, file: str, *, max_bytes: int = MAX_BYTES) -> Document:
    """The document, or InvalidInput with everything that is wrong with it as YAML."""
    document, problems = read(text, file, max_bytes=max_bytes)
    if document is None or problems:
        raise InvalidInput(problems)
    return document


def read(
    text: bytes | str, file: str, *, max_bytes: int = MAX_BYTES, loader: Any = FASTEST
) -> tuple[Document | None, list[Problem]]:
    """As `parse`, but hands over what could be read beside its problems, so that a caller can look on.

    `loader` is one of PyYAML's loader classes; only its parser is used.
    """
    if len(text) > max_bytes:
        size = f"{len(text) / 1e6:.1f} MB"
        message = f"the file is too large ({size}; at most {max_bytes / 1e6:g} MB)"
        return None, [Problem(file, 1, 1, "", message, "Split it into several files.")]
    decoded = decode(text, file)
    if isinstance(decoded, Problem):
        return None, [decoded]
    composer = Composer(decoded, file, loader)
    root = composer.compose()
    if root is None:
        return None, composer.problems
    return Document(file=file, data=root.plain(), root=root), composer.problems
