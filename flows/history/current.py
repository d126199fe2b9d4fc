"""The images as they stand now, or stood on a past day: a fold of ``images`` and ``lifecycle``, in columns.

Knows events; knows no policy, no storage of pictures (`has_local_copy` is what the record says, nobody looks).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.history import view
from flows.history.events import FILE, HOLD, VERDICT, WITH_FILE, Event, State
from flows.history.parts import Parts

_TIME: pa.DataType = pa.timestamp("us", tz="UTC")
STANDING = pa.schema(
    [
        ("state", pa.string()),
        ("state_at", _TIME),
        ("trashed_at", _TIME),
        ("purged_at", _TIME),
        ("has_local_copy", pa.bool_()),
        ("held", pa.bool_()),
        ("verdict", pa.string()),
        ("approved", pa.bool_()),
        ("replaced", pa.bool_()),
    ]
)
LABELS = ("prompt_id", "variant", "campaign", "tags", "retention")
_NEEDED = ("image_id", "fingerprint", "status", "stored_at", "requested_at")
_EVENT_COLUMNS = ("event_id", "at", "event", "image_id", "fingerprint", "details")


def current(
    parts: Parts,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
    *,
    until: datetime | None = None,
) -> pa.Table:
    """One row per billed image: the columns of ``images`` under its present names, and those of `STANDING`.

    `columns` may name columns of both; None is all. `where` filters by what ``images`` holds, before names are
    brought up to date. `until` is the state at that moment: what was bought or happened later is left out.
    """
    wanted = None if columns is None else [name for name in columns if name not in STANDING.names]
    if wanted is not None:
        wanted = list(dict.fromkeys([*wanted, *_NEEDED, *(LABELS if set(wanted) & set(LABELS) else ())]))
    if until is not None:
        before = pc.field("requested_at") <= until
        where = before if where is None else where & before
    rows = view.images(parts, wanted, where)
    found = relabelled(_with_standing(rows, events(parts, until)), parts, until)
    return found if columns is None else found.select(list(columns))


def events(parts: Parts, until: datetime | None = None, kinds: Collection[Event] | None = None) -> pa.Table:
    """The lifecycle up to a moment, the oldest first."""
    where = None if until is None else pc.field("at") <= until
    if kinds is not None:
        ours = pc.field("event").isin([str(kind) for kind in kinds])
        where = ours if where is None else where & ours
    return parts.read(parts.listing("lifecycle"), "lifecycle", _EVENT_COLUMNS, where).sort_by("event_id")


def _latest(lifecycle: pa.Table, kinds: Iterable[Event]) -> pa.Table:
    """image_id, event, at: the newest event of one aspect for each image."""
    ours = lifecycle.filter(pc.is_in(lifecycle["event"], pa.array([str(kind) for kind in kinds])))
    newest = ours.group_by("image_id", use_threads=False).aggregate([("event", "last"), ("at", "last")])
    return newest.select(["image_id", "event_last", "at_last"])


def _looked_up(images: pa.Table, known: pa.Table, column: str) -> Any:
    places = pc.index_in(images["image_id"], known["image_id"])
    return pc.take(known[column], places)


def _with_standing(rows: pa.Table, lifecycle: pa.Table) -> pa.Table:
    file, hold, verdict = (_latest(lifecycle, aspect) for aspect in (FILE, HOLD, VERDICT))
    states = {str(event): str(state) for event, state in FILE.items()}
    event = _looked_up(rows, file, "event_last")
    at = _looked_up(rows, file, "at_last")
    moved = _mapped(event, states)
    stored = pc.equal(rows["status"], pa.scalar("stored"))
    state = pc.if_else(stored, pc.coalesce(moved, _said(State.KEPT)), rows["status"])
    kind = _looked_up(rows, verdict, "event_last")
    replaced = lifecycle.filter(pc.equal(lifecycle["event"], _said(Event.REPLACED)))["image_id"]
    added: Mapping[str, Any] = {
        "state": state,
        "state_at": pc.coalesce(at, rows["stored_at"], rows["requested_at"]),
        "trashed_at": pc.if_else(pc.equal(state, _said(State.TRASHED)), at, pa.scalar(None, _TIME)),
        "purged_at": pc.if_else(pc.equal(state, _said(State.PURGED)), at, pa.scalar(None, _TIME)),
        "has_local_copy": pc.is_in(state, pa.array([str(one) for one in WITH_FILE])),
        "held": pc.fill_null(pc.equal(_looked_up(rows, hold, "event_last"), _said(Event.HELD)), False),
        "verdict": _mapped(kind, {str(event): name for event, name in VERDICT.items()}),
        "approved": pc.fill_null(pc.equal(kind, _said(Event.APPROVED)), False),
        "replaced": pc.is_in(rows["image_id"], replaced.combine_chunks()),
    }
    for field in STANDING:
        rows = rows.append_column(field, added[field.name].cast(field.type))
    return rows


def _said(word: Event | State) -> Any:
    return pa.scalar(str(word))


def _mapped(values: Any, to: Mapping[str, str]) -> Any:
    places = pc.index_in(values, pa.array(list(to), pa.string()))
    words: Any = pa.array(list(to.values()), pa.string())
    return pc.take(words, places)


def relabelled(rows: pa.Table, parts: Parts, until: datetime | None = None) -> pa.Table:
    """Rows under the names they bear now: the latest `relabelled` event of their fingerprint."""
    if not set(LABELS) & set(rows.schema.names):
        return rows
    latest = events(parts, until, [Event.RELABELLED])
    return named(rows, {row["fingerprint"]: json.loads(row["details"]) for row in latest.to_pylist()})


def named(rows: pa.Table, names: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """Rows under other names: those given here by fingerprint, for the columns of `LABELS` that are there."""
    mine = [name for name in LABELS if name in rows.schema.names]
    if not names or not mine:
        return rows
    places = pc.index_in(rows["fingerprint"], pa.array(list(names), pa.string()))
    renamed = pc.is_valid(places)
    for name in mine:
        field = rows.schema.field(name)
        values = pa.array([labels.get(name) for labels in names.values()], field.type)
        picked = pc.if_else(renamed, pc.take(values, places), rows[name])
        rows = rows.set_column(rows.schema.get_field_index(name), field, picked)
    return rows
