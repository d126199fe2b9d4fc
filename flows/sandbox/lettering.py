"""Lettering: what a prompt wants to be readable, and setting it large in a real typeface."""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"([^"]{1,200})"|[“„]([^“”„]{1,200})[”“]|«([^«»]{1,200})»|»([^«»]{1,200})«')


def quoted(prompt: str) -> tuple[str, ...]:
    """Everything between double quotation marks, straight or typographic, in order."""
    found = ("".join(groups).strip() for groups in _QUOTED.findall(prompt))
    return tuple(text for text in found if text)
