"""The name or the value that somebody probably meant. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from flows.documents.document import shorten

# Comparing takes time that grows with the square of the length; nobody misspells longer names.
_LONGEST_WORD = 60
_SHORT = 3

# What would be a number or a truth, were it not in quotes.
_QUOTED = re.compile(r"[-+]?[0-9][0-9_]*([.][0-9]+)?|true|false")
_TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` was probably meant to be, or None."""
    if not word or len(word) > _LONGEST_WORD:
        return None
    plain = {_plain(candidate): candidate for candidate in candidates}
    if _plain(word) in plain:
        return plain[_plain(word)]
    matches = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    matches += [known for known in plain if len(known) > _SHORT and _plain(word).startswith(known)]
    return plain[matches[0]] if matches else None


def did_you_mean(word: str, candidates: Iterable[str], what: str = "Known here") -> str:
    """The remedy for a name that does not exist: the nearest one, else all there are."""
    names = list(candidates)
    guess = nearest(word, names)
    if guess is not None:
        return f"Did you mean `{shorten(guess)}`?"
    if not names:
        return ""
    listed = ", ".join(map(shorten, names[:20])) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"{what}: {listed}."


def unquoted(kind: str, value: Any) -> str:
    """What to write in the place of a text where a number or a truth belongs; nothing where nobody can know.

    `kind` begins as pydantic's names of errors do: int, float, decimal, bool.
    """
    text = value.strip().lower() if isinstance(value, str) else ""
    if kind.startswith("bool") and text in _TRUTHS:
        return f"Write `{_TRUTHS[text]}`."
    scalar = kind.startswith(("int", "float", "bool", "decimal"))
    return "Write it without quotes." if scalar and _QUOTED.fullmatch(text) else ""


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().lower())
