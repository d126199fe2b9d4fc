"""What an unquoted word of YAML 1.2 means (the core schema), and the few spellings refused as traps.

PyYAML resolves by YAML 1.1, where `off` is false, `16:9` is 969 and `2026-11-22` a date; here they are text.
"""

from __future__ import annotations

import math
import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_MAX_DIGITS = 18
_NUMBER_START = frozenset("+-.0123456789")


class Trap(ValueError):
    """A spelling that does not mean what it seems to; the text says so."""


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar. Raises Trap for a number that cannot be kept exactly or be told apart."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise Trap("a number too long to be kept exactly")
        if _LEADING_ZERO.fullmatch(text):
            raise Trap("a number with leading zeros, which old and new YAML read differently")
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isfinite(value):
            raise Trap("a number too large")
        return value
    if _SPECIAL.fullmatch(text):
        raise Trap("not a usable number (infinite, or not a number at all)")
    return text
