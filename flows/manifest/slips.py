"""A complaint before its place in the file is known: a path below the thing complained about, and words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slip:
    """What is wrong at `path`, what to do, and whether the key rather than the value is to blame."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    key: bool = False
