"""Where a collection lies, and which pictures with which records are in it. Reads only.

A folder holds pictures, each perhaps with a JSON of its name beside it, perhaps with lists of many. A list names its
pictures by paths and links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from flows.adoption.embedded import read_text
from flows.adoption.fields import read_fields
from flows.adoption.lists import LISTS, read_list
from flows.adoption.record import Place, Record
from flows.errors import InvalidInput, Problem
from flows.storage import Stat, Storage

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif")
LIST_BYTES = 256 << 20


@dataclass(frozen=True)
class Held:
    """A file that can be read: where, how it is shown, its size and time."""

    storage: Storage
    path: str
    shown: str
    modified: datetime

    def read(self) -> bytes | None:
        """Its bytes, or None when it has gone."""
        return self.storage.read(self.path)


@dataclass(frozen=True)
class Candidate:
    """One picture: its record, and the file if there is one. `sought` is what a record called it in vain."""

    record: Record
    held: Held | None = None
    sought: str = ""
    listed_at: datetime | None = None


@dataclass(frozen=True)
class Shelf:
    """Everything in a collection. `problems` are records that had to be left out, and why."""

    candidates: tuple[Candidate, ...]
    problems: tuple[Problem, ...] = ()


@dataclass
class _Reading:
    now: datetime
    problems: list[Problem] = field(default_factory=list)

    def rows(self, name: str, data: bytes) -> list[tuple[Record, bool]]:
        """The records of a list, and whether each is sound."""
        if len(data) > LIST_BYTES:
            raise InvalidInput([Problem(name, 0, 0, "", f"has {len(data):,} bytes", "Split it.")])
        rows, problems = read_list(name, data)
        self.problems += problems
        return [self.record(raw, place) for place, raw in rows]

    def record(self, raw: Mapping[str, Any], place: Place) -> tuple[Record, bool]:
        record, problems = read_fields(raw, place, self.now)
        self.problems += problems
        return record, not problems


def from_list(name: str, stat: Stat, data: bytes, look: Callable[[str], Held | None], now: datetime) -> Shelf:
    """The pictures that a list names. `look` finds the file that a path of the list means."""
    reading = _Reading(now)
    found: list[Candidate] = []
    for record, sound in reading.rows(name, data):
        if not record.path and not record.url:
            hint = "Give `localPath` or `imageUrl`, or remove the record."
            reading.problems.append(record.place.problem("", "names neither a file nor a link", hint))
        elif sound:
            held = look(record.path) if record.path else None
            found.append(Candidate(record, held, "" if held else record.path or "", stat.modified))
    return Shelf(tuple(found), tuple(reading.problems))


def from_folder(storage: Storage, stats: Sequence[Stat], shown: Callable[[str], str], now: datetime) -> Shelf:
    """The pictures of a folder, and what the files beside them say. Lists in it may name links, too."""
    reading = _Reading(now)
    pictures = {stat.path: stat for stat in stats if stat.path.lower().endswith(PICTURES)}
    beside = {key: path for path in pictures for key in _sidecars(path)}
    own: dict[str, tuple[Record, bool]] = {}
    listed: dict[str, tuple[Record, bool]] = {}
    links: list[Candidate] = []
    for stat in stats:
        if not stat.path.lower().endswith(LISTS):
            continue
        data = storage.read(stat.path) or b""
        try:
            rows = reading.rows(shown(stat.path), data)
        except InvalidInput as error:
            reading.problems += error.problems
            continue
        picture = beside.get(stat.path)
        if picture is not None and len(rows) == 1:
            own[picture] = rows[0]
            continue
        for record, sound in rows:
            path = _meant(record.path, stat.path, pictures)
            if path is not None:
                listed.setdefault(path, (record, sound))
            elif sound and record.url:
                links.append(Candidate(record, None, record.path or "", stat.modified))
    candidates = [
        Candidate(told, Held(storage, path, shown(path), stat.modified))
        for path, stat in pictures.items()
        if (told := _record_of(path, own, listed, reading, storage, shown)) is not None
    ]
    return Shelf((*candidates, *links), tuple(reading.problems))


def _record_of(
    path: str,
    own: Mapping[str, tuple[Record, bool]],
    listed: Mapping[str, tuple[Record, bool]],
    reading: _Reading,
    storage: Storage,
    shown: Callable[[str], str],
) -> Record | None:
    """What is known of a picture: by the file beside it, by a list, by itself. None where that is not sound."""
    for told in (own, listed):
        if path in told:
            record, sound = told[path]
            return record if sound else None
    place = Place(shown(path))
    raw = read_text(storage.read(path) or b"") if path.lower().endswith(".png") else {}
    record, sound = reading.record(raw, place)
    # What a chunk calls a file is somebody else's business: the picture is this one.
    return replace(record, path=None) if sound else None


def _sidecars(path: str) -> Iterator[str]:
    stem = path.rpartition(".")[0]
    yield f"{stem}.json"
    yield f"{path}.json"


def _meant(named: str | None, listing: str, pictures: Iterable[str]) -> str | None:
    """The picture of the folder that a list beside it means: by its path, else by its bare name if only one has it."""
    if not named:
        return None
    known = set(pictures)
    tidy = PurePosixPath(named.replace("\\", "/").removeprefix("file://"))
    beside = (PurePosixPath(listing).parent / tidy).as_posix()
    if beside in known:
        return beside
    same = [path for path in known if PurePosixPath(path).name == tidy.name]
    return same[0] if len(same) == 1 else None
