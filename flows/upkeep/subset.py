"""Which pictures are read this time: all, or a share told by their digests. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from flows.errors import Refused

MOST = 10_000
_SHARE = re.compile(r"(?P<part>[0-9]{1,5}|today)/(?P<parts>[0-9]{1,5})")


@dataclass(frozen=True)
class Subset:
    """The `part`-th of `parts` shares of all pictures, which are alike in size. A picture is always in the same one."""

    part: int = 1
    parts: int = 1

    @classmethod
    def of(cls, text: str, now: datetime) -> Subset:
        """``3/7``; ``today/7``, which is the next one every day; empty is all. Refused with what to write instead."""
        if not text.strip():
            return cls()
        found = _SHARE.fullmatch(text.strip())
        if found is None:
            raise Refused(f'--subset "{text}" is no share: write 2/7, or today/7 for another seventh every day')
        parts = int(found["parts"])
        if not 1 <= parts <= MOST:
            raise Refused(f"--subset {text}: there can be 1 to {MOST:,} shares")
        part = now.toordinal() % parts + 1 if found["part"] == "today" else int(found["part"])
        if not 1 <= part <= parts:
            raise Refused(f"--subset {text}: of {parts} shares there is a 1st to a {parts}th, but no {part}")
        return cls(part, parts)

    def holds(self, sha256: str) -> bool:
        """Whether a picture of this digest is in it."""
        return self.parts == 1 or int(sha256[:16], 16) % self.parts == self.part - 1

    def __str__(self) -> str:
        return "all pictures" if self.parts == 1 else f"share {self.part} of {self.parts}"
