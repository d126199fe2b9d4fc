"""A complaint before its place in the file is known: a path below the thing complained about, and words.

And how many complaints about one file are enough to stop looking for more.
"""

from __future__ import annotations

from dataclasses import dataclass

# Nobody mends more at a time, and a hostile file could ask for millions of look-ups of nearest names.
MANY = 300
SHOWN = 100


@dataclass(frozen=True)
class Slip:
    """What is wrong at `path`, what to do, and whether the key rather than the value is to blame."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    key: bool = False
