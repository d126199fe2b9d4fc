"""What a newcomer is asked, with an answer for everything; and what an answer must be like. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from flows.documents.scalars import resolve
from flows.documents.text import FORBIDDEN
from flows.errors import UserError
from flows.manifest.names import slug

DISK = "data"
CAMPAIGN = "launch"
BRAND = "my-brand"
LONGEST = 60
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Answers:
    """`brand` and `campaign` as people say them; `place` is a folder of this disk or an address (s3://bucket/folder)."""

    brand: str = BRAND
    campaign: str = CAMPAIGN
    place: str = DISK

    @property
    def key(self) -> str:
        """The brand as a manifest and a file name say it: ``Müller & Co`` is ``muller-co``."""
        return slug(self.brand).lower()

    @property
    def remote(self) -> bool:
        """Whether the pictures go to a storage that is not this disk."""
        return "://" in self.place


def brand_of(folder: Path) -> str:
    """A name to begin with: that of the folder, where it has letters."""
    return folder.name if slug(folder.name) and _sayable(folder.name) else BRAND


def answers(brand: str, campaign: str, place: str) -> Answers:
    """The answers, or UserError with what is wrong with the first that cannot be used."""
    brand, campaign, place = brand.strip(), campaign.strip(), place.strip().rstrip("/")
    for what, text in (("brand", brand), ("campaign", campaign)):
        if not _sayable(text) or not slug(text):
            raise UserError(
                f"the {what} {json.dumps(text[:LONGEST], ensure_ascii=False)} cannot be used: "
                f"it needs a Latin letter or a digit in it, at most {LONGEST} characters, and one line"
            )
    return Answers(brand, campaign, place or DISK)


def scalar(text: str) -> str:
    """A text as YAML 1.2 writes it: in quotes only where it has to be."""
    plain = _PLAIN.fullmatch(text) is not None and resolve(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)


def _sayable(text: str) -> bool:
    return 0 < len(text) <= LONGEST and text.isprintable() and FORBIDDEN.search(text) is None
