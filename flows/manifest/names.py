"""The grammar of names in a manifest, slugs for values that name a variant, and the periods of `refresh`.

Pure; knows no YAML.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, tzinfo
from typing import Literal

LABEL = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
LABEL_WORDS = "letters, digits, `-`, `_` and `.`, beginning with a letter or digit"
MAX_LABEL = 60

Refresh = Literal["daily", "weekly", "monthly"]

_LABEL = re.compile(LABEL)
_NOT_IN_LABEL = re.compile(r"[^A-Za-z0-9_.]+")
_RATIO_COLON = re.compile(r"(?<=\d)\s*[:\u00d7]\s*(?=\d)")
_SPELLED_OUT = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l"})
_MAX_SLUG = 40
_RATIO = re.compile(r"\s*(?:aspect_)?0*([1-9][0-9]{0,2})\s*[:x\u00d7/_]\s*0*([1-9][0-9]{0,2})\s*", re.IGNORECASE)
_SIZE = re.compile(r"\s*(?:resolution_)?([1-9][0-9]{1,4})\s*[:x\u00d7*_]\s*([1-9][0-9]{1,4})\s*", re.IGNORECASE)


def is_label(text: str) -> bool:
    """Whether `text` can name a prompt, an axis or a label."""
    return len(text) <= MAX_LABEL and _LABEL.match(text) is not None and not text.endswith("\n")


def slug(text: str) -> str:
    """A label for a list's value: accents dropped, all else a hyphen; empty where nothing is left."""
    text = _RATIO_COLON.sub("x", text).translate(_SPELLED_OUT)
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    label = _NOT_IN_LABEL.sub("-", ascii_only).strip("-_.")
    if len(label) > _MAX_SLUG:
        label = label[:_MAX_SLUG].rpartition("-")[0] or label[:_MAX_SLUG]
    return label.strip("-_.")


def period(refresh: Refresh, now: datetime, tz: tzinfo) -> str:
    """The edition `refresh` stands for by the clock in `tz`: ``2026-11-22``, ``2026-W47`` or ``2026-11``."""
    local = now.astimezone(tz)
    if refresh == "daily":
        return local.strftime("%Y-%m-%d")
    if refresh == "weekly":
        year, week, _ = local.isocalendar()
        return f"{year}-W{week:02}"
    return local.strftime("%Y-%m")


def parse_ratio(text: str) -> tuple[int, int] | None:
    """Width and height of ``16:9``, ``16x9``, ``16/9`` or ``ASPECT_16_9``; None if it is no ratio."""
    match = _RATIO.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def parse_size(text: str) -> tuple[int, int] | None:
    """Width and height of ``2048x2048`` or ``RESOLUTION_2048_2048``; None if it is no size."""
    match = _SIZE.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None
