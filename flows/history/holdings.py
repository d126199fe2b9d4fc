"""What the history holds of a manifest, and what in it no manifest wants any more: one look at ``images``.

The parts are listed before the books are read, so that the books know the request of every image in them. The
manifest's own pictures are then looked for only where those requests can be, and what has left the manifest is all
of them less these: nobody reads a million fingerprints to find that they are not his.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.history import view
from flows.history.conditions import texts
from flows.history.groups import Group
from flows.history.lookup import Wanted
from flows.history.parts import Parts, month_of_part
from flows.history.reproduced import PREFIX
from flows.history.schema import IMAGES
from flows.history.view import LABELLED, Names
from flows.ids import month_of

COLUMNS = (*LABELLED, "status", "origin", "edition")
_COUNTED = ("image_id", "status", "prompt_id", "origin", "edition")
Bounds = tuple[str, str]
Place = tuple[str, int]  # a part, and the number of a row group in it
# Image ids up to the first, and from the second on.
Zone = tuple[str, str]
_AFTER_ALL = "~"  # ids are of digits, letters and dashes
_WHOLE: Zone = (_AFTER_ALL, _AFTER_ALL)
Counts = tuple[Any, Any]  # prompt ids, and how many rows each has


@dataclass(frozen=True)
class Holdings:
    """`images` are the rows (`COLUMNS`) of the manifest's fingerprints, each image once.

    `names` is what those fingerprints are called now; `departed` counts by prompt id the images that no fingerprint
    of the manifest stands for. Reproductions are not among them: no manifest ever asked for those.
    """

    images: pa.Table
    names: Mapping[str, Names] = field(default_factory=dict)
    departed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Seen:
    """One row group: the manifest's rows in it, what there is of each prompt, and where its image ids lie."""

    place: Place
    mine: pa.Table | None
    counts: Counts | None
    bounds: Bounds | None
    distinct: bool


def look(
    parts: Parts,
    listing: Sequence[str],
    fingerprints: Collection[str],
    requests: Collection[str],
    origin: str,
    *,
    departed: bool,
) -> Holdings:
    """Read the parts of `listing`, which is older than the books that know these requests of these fingerprints.

    `departed` False leaves out counting what has left the manifest. HistoryBusy where a part was merged meanwhile.
    """
    wanted, known = Wanted(fingerprints), sorted(requests)
    if not departed:
        months = {month_of(request) for request in known}
        listing = [part for part in listing if month_of_part(part) in months]

    def see(group: Group) -> _Seen:
        bounds = group.bounds("image_id")
        mine = None
        if _may_hold(known, bounds):
            places = wanted.places(group.column("fingerprint"))
            mine = group.read(COLUMNS, places) if len(places) else None
        counts = _counts(group, origin) if departed else None
        return _Seen((group.part.path, group.number), mine, counts, bounds, group.part.distinct)

    seen = parts.each(listing, "images", see)
    rows = [one.mine for one in seen if one.mine is not None]
    empty = pa.Table.from_batches([], pa.schema([IMAGES.field(name) for name in COLUMNS]))
    images = view.once(pa.concat_tables(rows)) if rows else empty
    gone: Counter[str] = Counter()
    if departed:
        gone = _all(parts, listing, seen, origin) - _sum([_of(images, origin)] if rows else [])
    return Holdings(images, view.called(parts, images), dict(gone))


def _may_hold(known: Sequence[str], bounds: Bounds | None) -> bool:
    """Whether an image of one of these requests, in order, can lie between two image ids."""
    if bounds is None:
        return bool(known)
    # An image's id is its request's, a dash and a number.
    place = bisect_left(known, bounds[0], key=lambda request: f"{request}-~")
    return place < len(known) and known[place] <= bounds[1]


def _counts(group: Group, origin: str) -> Counts | None:
    """The rows of each prompt, as far as they are ours to count; of what the footer tells no column is read."""
    whose = group.bounds("origin")
    if whose is not None and not whose[0] <= origin <= whose[1]:
        return None
    tests = []
    if whose != (origin, origin) or group.nulls("origin") != 0:
        tests.append(_from(group.column("origin"), origin))
    if group.nulls("edition") != group.rows:
        tests.append(_first(group.column("edition")))
    return _by_prompt(group.column("prompt_id"), tests)


def _of(rows: pa.Table, origin: str) -> Counts:
    """The same of rows that were read."""
    prompts, origins, editions = (rows[name].combine_chunks() for name in ("prompt_id", "origin", "edition"))
    return _by_prompt(prompts, [_from(origins, origin), _first(editions)])


def _by_prompt(prompts: Any, tests: Iterable[Any]) -> Counts:
    keep: Any = None
    for test in tests:
        keep = test if keep is None else pc.and_(keep, test)
    ours = prompts if keep is None else prompts.filter(keep)
    if not isinstance(ours.type, pa.DictionaryType):
        ours = ours.dictionary_encode(null_encoding="encode")
    elif ours.null_count:
        ours = ours.dictionary_decode().dictionary_encode(null_encoding="encode")
    return ours.dictionary, np.bincount(_numbers(ours.indices), minlength=len(ours.dictionary))


def _sum(counts: Sequence[Counts]) -> Counter[str]:
    """Added up outside Python: there are as many as row groups times prompts."""
    if not counts:
        return Counter()
    prompts = pa.concat_arrays([one for one, _ in counts]).dictionary_encode(null_encoding="encode")
    sums = np.bincount(_numbers(prompts.indices), np.concatenate([one for _, one in counts]))
    names = prompts.dictionary.to_pylist()
    return +Counter({str(name): int(number) for name, number in zip(names, sums, strict=True)})


def _numbers(indices: Any) -> Any:
    """Not `to_numpy`, which looks for pandas."""
    places = indices.buffers()[1]
    return np.frombuffer(places, "<i4", len(indices), indices.offset * 4) if len(indices) else np.empty(0, "<i4")


def _from(origins: Any, origin: str) -> Any:
    return _valued(origins, lambda values: pc.equal(values, texts([origin])[0]))


def _first(editions: Any) -> Any:
    """Not bought to repeat another."""
    again = _valued(editions, lambda values: pc.starts_with(values, PREFIX))
    return pc.invert(pc.and_kleene(pc.is_valid(editions), again))


def _valued(column: Any, test: Callable[[Any], Any]) -> Any:
    """A test of texts; of a dictionary each text is tested once."""
    if isinstance(column.type, pa.DictionaryType):
        return test(column.dictionary).take(column.indices)
    return test(column)


def _all(parts: Parts, listing: Sequence[str], seen: Sequence[_Seen], origin: str) -> Counter[str]:
    """The images of each prompt, each once: rows are doubled after a broken lock, a late answer, or in a merge."""
    contested = _contested(seen)
    if contested:
        ids = pa.chunked_array(_read(parts, listing, contested, _ids), pa.string())
        if pc.count_distinct(ids).as_py() < len(ids):
            rows = pa.concat_tables(_read(parts, listing, contested, lambda group, _: group.read(_COUNTED)))
            sure = [one.counts for one in seen if one.counts and one.place not in contested]
            return _sum([*sure, _of(view.once(rows), origin)])
    return _sum([one.counts for one in seen if one.counts])


def _contested(seen: Sequence[_Seen]) -> dict[Place, Zone]:
    """Where in which row groups an image can be that is in another one, too, or twice in the same."""
    if any(one.bounds is None for one in seen):
        return {one.place: _WHOLE for one in seen}
    ordered = sorted(((*one.bounds, one) for one in seen if one.bounds), key=lambda found: found[:2])
    following = [*(first for first, _, _ in ordered[1:]), _AFTER_ALL]
    zones, before = {}, ""
    for (first, last, one), after in zip(ordered, following, strict=False):
        if not one.distinct:
            zones[one.place] = _WHOLE
        elif first <= before or after <= last:
            zones[one.place] = (before, after)
        before = max(before, last)
    return zones


def _ids(group: Group, zone: Zone) -> Any:
    """Its image ids in a zone."""
    ids = group.column("image_id")
    until, since = (texts([bound])[0] for bound in zone)
    return ids.filter(pc.or_(pc.less_equal(ids, until), pc.greater_equal(ids, since)))


def _read(
    parts: Parts, listing: Sequence[str], zones: Mapping[Place, Zone], work: Callable[[Group, Zone], Any]
) -> list[Any]:
    """What `work` makes of those row groups."""
    some = {part for part, _ in zones}

    def one(group: Group) -> Any:
        zone = zones.get((group.part.path, group.number))
        return None if zone is None else work(group, zone)

    found = parts.each([part for part in listing if part in some], "images", one)
    return [each for each in found if each is not None]
