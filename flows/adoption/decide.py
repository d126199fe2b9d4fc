"""What happens to each picture of a collection, and why. Pure: what was read and what is known in, decisions out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from flows.adoption.match import Catalogue, Match, share_out
from flows.adoption.record import Record
from flows.adoption.shelf import Candidate
from flows.errors import Problem
from flows.ideogram.links import DOCUMENTED_LIFETIME, link_expiry
from flows.ids import digest
from flows.manifest.variant import Variant


class Fate(StrEnum):
    """What becomes of a picture."""

    TAKE = "take"
    FETCH = "fetch"
    HAVE = "have"
    TWICE = "twice"
    UNREADABLE = "unreadable"
    DEAD = "dead"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"


WANTED = frozenset({Fate.TAKE, Fate.FETCH})
LEFT = frozenset({Fate.UNREADABLE, Fate.DEAD, Fate.MISSING, Fate.ELSEWHERE})


@dataclass(frozen=True)
class Seen:
    """What the bytes of a picture are. `flaw` says what is wrong with them, in words."""

    sha256: str
    bytes: int
    width: int | None = None
    height: int | None = None
    flaw: str | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels."""
        return (self.width, self.height) if self.width and self.height else None


@dataclass(frozen=True)
class Item:
    """One picture and its fate. `made_at` is when it counts as made; `variant` is what it counts for, if anything.

    `unsaid` are the facts that its record leaves open and that the match took for granted.
    """

    candidate: Candidate
    fate: Fate
    why: str = ""
    remedy: str = ""
    seen: Seen | None = None
    made_at: datetime | None = None
    expires_at: datetime | None = None
    fingerprint: str = ""
    variant: Variant | None = None
    unsaid: tuple[str, ...] = ()

    @property
    def record(self) -> Record:
        """What is known of it."""
        return self.candidate.record

    @property
    def name(self) -> str:
        """What a person would call it: its file, or the place of its record."""
        held = self.candidate.held
        return held.shown if held else str(self.record.place)


@dataclass(frozen=True)
class Survey:
    """A whole collection, decided. Nothing has been changed."""

    source: str
    origin: str
    match: Match
    items: tuple[Item, ...]
    problems: tuple[Problem, ...]

    def of(self, *fates: Fate) -> list[Item]:
        """The pictures with one of these fates."""
        return [item for item in self.items if item.fate in fates]

    @property
    def bytes(self) -> int:
        """What is to be copied; the size of what is fetched is not known before."""
        return sum(item.seen.bytes for item in self.items if item.fate in WANTED and item.seen)


@dataclass(frozen=True)
class Known:
    """What the books say: digests of every picture there is, and how many images count per fingerprint."""

    digests: frozenset[str]
    counted: Mapping[str, int]


def own_fingerprint(origin: str, sha256: str) -> str:
    """Of a picture that is no variant's: it stands for itself alone, and no manifest ever asks for it."""
    return digest({"rules": "import", "origin": origin, "sha256": sha256})


def decide(
    looked: Iterable[tuple[Candidate, Seen | None]],
    known: Known,
    catalogue: Catalogue,
    *,
    origin: str,
    how: Match,
    now: datetime,
    refusal: Callable[[str], str],
) -> tuple[Item, ...]:
    """The fate of each, in order. `refusal` says why a link may not be fetched, empty if it may."""
    room = {print_: wanted - known.counted.get(print_, 0) for print_, wanted in catalogue.wanted.items()}
    first: dict[str, str] = {}
    items: list[Item] = []
    for candidate, seen in looked:
        item = _fate(candidate, seen, known.digests, first, origin, now, refusal)
        if item.fate in WANTED:
            first[_identity(item)] = item.name
            item = _matched(item, catalogue, room, origin, how)
        items.append(item)
    return tuple(items)


def _identity(item: Item) -> str:
    return item.seen.sha256 if item.seen else (item.record.url or "").partition("?")[0]


def _fate(
    candidate: Candidate,
    seen: Seen | None,
    digests: frozenset[str],
    first: Mapping[str, str],
    origin: str,
    now: datetime,
    refusal: Callable[[str], str],
) -> Item:
    record = candidate.record
    made = _made(candidate, now)
    if record.origin not in (None, origin):
        why = f"it was made at {record.origin}, and what is taken over now counts for {origin}"
        return Item(candidate, Fate.ELSEWHERE, why, f"use the settings of {record.origin}", seen, made)
    if seen and not seen.flaw and record.sha256 and record.sha256 != seen.sha256:
        why = "its bytes are not those that its record tells of"
        return Item(candidate, Fate.UNREADABLE, why, "find the true file, or remove the record's digest", seen, made)
    if seen and not seen.flaw:
        if seen.sha256 in digests:
            return Item(candidate, Fate.HAVE, "in the history already", "", seen, made)
        if seen.sha256 in first:
            return Item(candidate, Fate.TWICE, f"the same picture as {first[seen.sha256]}", "", seen, made)
        return Item(candidate, Fate.TAKE, "", "", seen, made)
    # No good bytes here: a link that lives is as good.
    if record.sha256 in digests:
        return Item(candidate, Fate.HAVE, "in the history already", "", None, made)
    if record.url:
        return _linked(candidate, seen, first, made, now, refusal)
    if seen:
        return Item(candidate, Fate.UNREADABLE, f"the picture {seen.flaw}", "find a sound copy of it", seen, made)
    gone = f"there is no file {candidate.sought}" if candidate.sought else "the file has gone"
    return Item(candidate, Fate.MISSING, gone, "put it there, or mend the path", None, made)


def _linked(
    candidate: Candidate,
    seen: Seen | None,
    first: Mapping[str, str],
    made: datetime,
    now: datetime,
    refusal: Callable[[str], str],
) -> Item:
    url = candidate.record.url or ""
    bare = url.partition("?")[0]
    if bare in first:
        return Item(candidate, Fate.TWICE, f"the same link as {first[bare]}", "", None, made)
    stated = link_expiry(url, now) if "exp=" in url else None
    expires = stated or candidate.record.expires_at or (candidate.record.generated_at or now) + DOCUMENTED_LIFETIME
    before = f"the picture {seen.flaw}, and " if seen else ""
    before = before or (f"there is no file {candidate.sought}, and " if candidate.sought else "")
    if expires <= now:
        why = f"{before}its link died on {expires:%Y-%m-%d %H:%M} UTC"
        remedy = "look for the file in your backups, or in the account's own history"
        return Item(candidate, Fate.DEAD, why, remedy, None, made, expires)
    if refused := refusal(url):
        return Item(candidate, Fate.DEAD, f"{before}its link may not be fetched: {refused}", "", None, made, expires)
    return Item(candidate, Fate.FETCH, f"{before}to be fetched", "", None, made, expires)


def _made(candidate: Candidate, now: datetime) -> datetime:
    """When it was made, by its record; else by its file, its link, its list."""
    record, held = candidate.record, candidate.held
    if record.generated_at:
        return min(record.generated_at, now)
    if held:
        return min(held.modified, now)
    link = link_expiry(record.url, now) if record.url and "exp=" in record.url else record.expires_at
    return min((link - DOCUMENTED_LIFETIME) if link else candidate.listed_at or now, now)


def _matched(item: Item, catalogue: Catalogue, room: dict[str, int], origin: str, how: Match) -> Item:
    record = item.record
    size = item.seen.size if item.seen else None
    found = share_out(catalogue.fits(record, size, how), room)
    if found is not None:
        print_, fit = found
        return replace(item, fingerprint=print_, variant=fit.variant, unsaid=fit.unsaid)
    if record.fingerprint and record.origin == origin and how is not Match.NONE:
        # Ours, from before: the manifest may want it once more.
        return replace(item, fingerprint=record.fingerprint)
    return item
