"""Whether a text mentions a thing: as a word of its own, alone or in the plural. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable


def mentions(text: str, things: Iterable[str]) -> bool:
    """Whether any of the things is a word of the lower-case text ("sea" is none of "seamless")."""
    return any(re.search(rf"\b{re.escape(thing)}(?:e?s)?\b", text) for thing in things)
