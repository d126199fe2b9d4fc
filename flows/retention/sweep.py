"""Decisions carried out: an event first, then the deletion; killed at any moment, the next run goes on.

Trashing is an event and nothing else: the file stays where it is. A purge goes in batches, each in this order:

``look``     the rules are read again if anything has changed, and each file is compared with what was sealed
``intend``   the batch is noted under ``.retention/``: what a stranger needs to finish it
``record``   the ``purged`` events
``delete``   the files and the records beside them, in bulk
``forget``   the note

A run that finds a note deletes what the history says is purged, and nothing else of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import HistoryBusy, StorageTrouble
from flows.history.events import Event, State
from flows.history.lock import Holding
from flows.history.parts import Parts
from flows.history.schema import event_row
from flows.history.standing import current
from flows.history.view import images
from flows.ids import sha256
from flows.retention.decide import Decisions
from flows.retention.facts import Ints, picked, truths
from flows.retention.reasons import reasons, rule_of
from flows.storage import Stat, Storage

# A picture has a record beside it, so that a batch is a thousand keys: one call on S3.
BATCH = 500
EVENTS = 5_000
# What is known of so many pictures is read at once.
WINDOW = 20_000
NOTES = ".retention"
NOT_THERE = "not there when it was to be removed"


class Record(Protocol):
    """What a purge leaves behind besides the history's own rows, made before the file goes."""

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
        """Details for the event of each image, by id: what it costs to make again, and what could not be measured."""


@dataclass(frozen=True)
class Broom:
    """What a sweep works with. `again` gives the decisions it is given, or new ones if anything has changed since."""

    assets: Storage
    parts: Parts
    holding: Holding
    run_id: str
    actor: str
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    again: Callable[[Decisions], Decisions]
    record: Record
    tell: Callable[[str, int], None] = lambda _what, _number: None
    stopped: Callable[[], bool] = lambda: False
    batch: int = BATCH


@dataclass
class Swept:
    """What a sweep did. `changed` and `gone` name pictures that were left alone, or were not there any more.

    `stopped`: it was asked to stop, and something is left to do.
    """

    trashed: int = 0
    restored: int = 0
    purged: int = 0
    freed: int = 0
    finished: int = 0
    spared: int = 0
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    stopped: bool = False


def sweep(broom: Broom, decisions: Decisions) -> Swept:
    """Finish what a killed run left, restore, trash, purge. What was done is on record whatever happens."""
    swept = Swept(finished=finish(broom))
    swept.restored = _tell_all(broom, decisions, decisions.restored, Event.RESTORED)
    swept.trashed = _tell_all(broom, decisions, decisions.newly_trashed, Event.TRASHED)
    swept.stopped = swept.restored + swept.trashed < len(decisions.restored) + len(decisions.newly_trashed)
    _purge(broom, decisions, swept)
    return swept


def _tell_all(broom: Broom, decisions: Decisions, rows: Ints, event: Event) -> int:
    done = 0
    for piece in _pieces(rows, EVENTS):
        if broom.stopped():
            break
        _held(broom)
        events = [_event(broom, decisions, int(row), event) for row in piece]
        broom.parts.write("lifecycle", f"{broom.now():%Y-%m}", events)
        done += len(events)
        broom.tell(str(event), len(events))
    return done


def _event(
    broom: Broom,
    decisions: Decisions,
    row: int,
    event: Event,
    details: Mapping[str, Any] | None = None,
    *,
    why: str = "",
) -> dict[str, Any]:
    return event_row(
        event_id=broom.new_id(),
        at=broom.now(),
        event=event,
        actor=broom.actor,
        run_id=broom.run_id,
        reason=why or "; ".join(reasons(decisions, row)),
        policy=decisions.policy.digest,
        image=decisions.images["image_id"][row].as_py(),
        details={"rule": rule_of(decisions, row), **(details or {})},
    )


def _purge(broom: Broom, decisions: Decisions, swept: Swept) -> None:
    planned = picked(decisions.images["image_id"], decisions.purged)
    for first in range(0, len(planned), WINDOW):
        window = planned[first : first + WINDOW]
        known = {one["image_id"]: one for one in sealed(broom.parts, window)}
        # Pictures of one folder together: their names begin with it.
        ordered = list(known)
        for start in range(0, len(ordered), broom.batch):
            if broom.stopped():
                swept.stopped = True
                return
            _held(broom)
            decisions = broom.again(decisions)
            batch = ordered[start : start + broom.batch]
            rows = _still(decisions, batch)
            swept.spared += len(batch) - len(rows)
            if rows:
                _purge_batch(broom, decisions, {name: known[name] for name in rows}, rows, swept)


def _still(decisions: Decisions, names: Sequence[str]) -> dict[str, int]:
    """The rows of those pictures that are still to be purged."""
    due = decisions.purged
    asked = due[truths(pc.is_in(decisions.images["image_id"], pa.array(list(names), pa.string())))[due]]
    return {decisions.images["image_id"][int(row)].as_py(): int(row) for row in asked}


def _purge_batch(
    broom: Broom,
    decisions: Decisions,
    pictures: Mapping[str, Mapping[str, Any]],
    rows: Mapping[str, int],
    swept: Swept,
) -> None:
    sound, gone, changed = compared(broom.assets, list(pictures.values()))
    swept.changed += changed
    swept.gone += gone
    if gone:
        events = [_event(broom, decisions, rows[name], Event.MISSING, why=NOT_THERE) for name in gone]
        broom.parts.write("lifecycle", f"{broom.now():%Y-%m}", events)
    if not sound:
        return
    details = broom.record(sound)
    notes = broom.parts.storage.sub(NOTES)
    note = f"{broom.new_id()}.json"
    notes.write(note, json.dumps({"run_id": broom.run_id, "pictures": [_noted(one) for one in sound]}).encode())
    events = [
        _event(broom, decisions, rows[one["image_id"]], Event.PURGED, _outlives(one) | dict(details[one["image_id"]]))
        for one in sound
    ]
    broom.parts.write("lifecycle", f"{broom.now():%Y-%m}", events)
    broom.assets.delete(_files(sound))
    notes.delete([note])
    swept.purged += len(sound)
    swept.freed += sum(one["bytes"] or 0 for one in sound)
    broom.tell("purged", len(sound))


def _outlives(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"path": one["local_path"], "bytes": one["bytes"], "sha256": one["sha256"]}


def _noted(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("image_id", "local_path", "sha256", "bytes", "etag")}


def _files(pictures: Sequence[Mapping[str, Any]]) -> list[str]:
    """The pictures and the records beside them."""
    found = []
    for one in pictures:
        path = str(one["local_path"])
        found += [path, f"{path.rpartition('.')[0]}.json"]
    return found


def finish(broom: Broom) -> int:
    """Delete what an earlier run recorded as purged and did not come to delete: how many pictures."""
    notes = broom.parts.storage.sub(NOTES)
    done = 0
    for stat in notes.list():
        data = notes.read(stat.path)
        if data is None:
            continue
        _held(broom)
        pictures = _read_note(notes, stat.path, data)
        purged = _purged(broom.parts, [one["image_id"] for one in pictures])
        ours = [one for one in pictures if one["image_id"] in purged]
        sound, _, changed = compared(broom.assets, ours)
        # Of a picture that is gone, the record beside it may be what the killed run did not come to.
        broom.assets.delete(_files([one for one in ours if one["image_id"] not in changed]))
        notes.delete([stat.path])
        done += len(sound)
    return done


def _read_note(notes: Storage, path: str, data: bytes) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(data)["pictures"]
    except (ValueError, KeyError, TypeError) as error:
        where = notes.where(path)
        raise StorageTrouble(
            f"{where} cannot be read: delete it, and `ideoflow maintain` finds what it meant"
        ) from error
    return found


def _purged(parts: Parts, names: Sequence[str]) -> set[str]:
    found = current(parts, ["image_id", "state"], pc.field("image_id").isin(list(names)))
    return {row["image_id"] for row in found.to_pylist() if row["state"] == State.PURGED}


def sealed(parts: Parts, names: Sequence[str]) -> list[dict[str, Any]]:
    """What the history holds of these pictures' files, and what making them again would need."""
    columns = ["image_id", "local_path", "sha256", "bytes", "etag", "model", "options", "cost_usd"]
    rows: list[dict[str, Any]] = images(parts, columns, pc.field("image_id").isin(list(names))).to_pylist()
    return sorted(rows, key=lambda row: str(row["local_path"]))


def compared(
    assets: Storage, pictures: Sequence[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[str], list[str]]:
    """Pictures whose file is the one that was sealed; ids of those that are not there; ids of those that changed."""
    found = assets.stat_many([str(one["local_path"]) for one in pictures])
    sound: list[Mapping[str, Any]] = []
    gone: list[str] = []
    changed: list[str] = []
    for one in pictures:
        there = found[str(one["local_path"])]
        if there is None:
            gone.append(one["image_id"])
        elif is_sealed(assets, one, there):
            sound.append(one)
        else:
            changed.append(one["image_id"])
    return sound, gone, changed


def is_sealed(assets: Storage, one: Mapping[str, Any], there: Stat) -> bool:
    """Whether these are the bytes that were sealed: by size and the storage's mark, else by their digest."""
    if there.size != one["bytes"]:
        return False
    if there.etag is not None and there.etag == one["etag"]:
        return True
    data = assets.read(there.path)
    return data is not None and sha256(data) == one["sha256"]


def _held(broom: Broom) -> None:
    if not broom.holding.renew():
        raise HistoryBusy("another retention run took over: this one ends here, the other goes on")


def _pieces(rows: Ints, size: int) -> Iterator[Ints]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
