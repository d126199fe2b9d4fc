"""The images as they stand now, or stood on a past day: a fold of ``images`` and ``lifecycle``, in columns.

Knows events; knows no policy, no storage of pictures (`has_local_copy` is what the record says, nobody looks).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.history import view
from flows.history.contract import FLAG, HISTORY, TEXT, TIME, Column, schema_of
from flows.history.events import FILE, HOLD, VERDICT, WITH_FILE, Event, State
from flows.history.parts import Months, Parts

STANDING_COLUMNS = (
    Column("state", TEXT, "`kept`, `trashed`, `purged`, `missing`, `corrupt`, `withheld` or `lost`."),
    Column("state_at", TIME, "Since when.", "UTC"),
    Column("trashed_at", TIME, "When it was put into the trash, while it is there.", "UTC"),
    Column("purged_at", TIME, "When its file was deleted for good.", "UTC"),
    Column("has_local_copy", FLAG, "Whether there is a file, by the record: nobody looks."),
    Column("held", FLAG, "Whether somebody forbade its removal."),
    Column("verdict", TEXT, "`approved` or `rejected`, if somebody said so."),
    Column("approved", FLAG, "Whether the last verdict approves it."),
    Column("replaced", FLAG, "Whether it was given up, so that another is bought in its place."),
)
STANDING = schema_of(STANDING_COLUMNS)
LABELS = ("prompt_id", "variant", "campaign", "tags", "retention")
_IMAGES = HISTORY["images"].columns
_NEEDED = ("image_id", "fingerprint", "status", "stored_at", "requested_at")
_EVENT_COLUMNS = ("event_id", "at", "event", "image_id", "fingerprint", "details")


def current(
    parts: Parts,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
    *,
    until: datetime | None = None,
    months: Months | None = None,
) -> pa.Table:
    """One row per billed image: the columns of ``images`` under its present names, and those of `STANDING`.

    `columns` may name columns of both; None is all. `where` filters by what ``images`` holds, before names are
    brought up to date. `until` is the state at that moment: what was bought or happened later is left out.
    `months` are those of the purchases; what happened to them is read whenever it was.
    """
    wanted = None if columns is None else [name for name in columns if name not in STANDING.names]
    if wanted is not None:
        wanted = list(dict.fromkeys([*wanted, *_NEEDED, *(LABELS if set(wanted) & set(LABELS) else ())]))
    if until is not None:
        before = pc.field("requested_at") <= until
        where = before if where is None else where & before
    rows = view.images(parts, wanted, where, months)
    said = Said.of(parts, until) if rows.num_rows else Said.nothing()
    found = _renamed(_with_standing(rows, said), said.labels)
    return found if columns is None else found.select(list(columns))


def events(parts: Parts, until: datetime | None = None, kinds: Collection[Event] | None = None) -> pa.Table:
    """The lifecycle up to a moment, the oldest first."""
    where = None if until is None else pc.field("at") <= until
    if kinds is not None:
        ours = pc.field("event").isin([str(kind) for kind in kinds])
        where = ours if where is None else where & ours
    return parts.rows("lifecycle", _EVENT_COLUMNS, where).sort_by("event_id")


@dataclass(frozen=True)
class Said:
    """What events say of images, folded to the last word on each aspect; a row an image (or fingerprint) each.

    `file`: image_id, state, at. `hold`: image_id, held. `verdict`: image_id, verdict. `replaced`: image_id.
    `labels`: fingerprint and `LABELS`.
    """

    file: pa.Table
    hold: pa.Table
    verdict: pa.Table
    replaced: pa.Table
    labels: pa.Table

    @classmethod
    def of(cls, parts: Parts, until: datetime | None = None) -> Said:
        """By the history up to a moment."""
        return cls.by(events(parts, until))

    @classmethod
    def nothing(cls) -> Said:
        """When nothing has happened."""
        return cls.by(schema_of(HISTORY["lifecycle"].columns).empty_table().select(_EVENT_COLUMNS))

    @classmethod
    def by(cls, lifecycle: pa.Table) -> Said:
        """By these events, the oldest first."""
        replaced: Any = lifecycle.filter(pc.equal(lifecycle["event"], _said(Event.REPLACED)))["image_id"]
        return cls(
            _last(lifecycle, FILE, "state", TEXT, with_time=True),
            _last(lifecycle, HOLD, "held", FLAG),
            _last(lifecycle, VERDICT, "verdict", TEXT),
            pa.table({"image_id": replaced.unique().cast(TEXT)}),
            _labels(lifecycle),
        )

    def tables(self) -> dict[str, pa.Table]:
        """By name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def _last(
    lifecycle: pa.Table, kinds: Mapping[Event, Any], name: str, kind: pa.DataType, *, with_time: bool = False
) -> pa.Table:
    """What the newest event of one aspect makes of each image."""
    ours = lifecycle.filter(pc.is_in(lifecycle["event"], pa.array([str(one) for one in kinds])))
    newest = ours.group_by("image_id", use_threads=False).aggregate([("event", "last"), ("at", "last")])
    places = pc.index_in(newest["event_last"], pa.array([str(one) for one in kinds], pa.string()))
    values = [value if isinstance(value, bool) else str(value) for value in kinds.values()]
    columns: dict[str, Any] = {"image_id": newest["image_id"], name: pc.take(pa.array(values, kind), places)}
    return pa.table(columns | ({"at": newest["at_last"]} if with_time else {}))


def _labels(lifecycle: pa.Table) -> pa.Table:
    renamed = lifecycle.filter(pc.equal(lifecycle["event"], _said(Event.RELABELLED))).select(["fingerprint", "details"])
    return _label_table({row["fingerprint"]: json.loads(row["details"]) for row in renamed.to_pylist()})


def _label_table(latest: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    schema = pa.schema([("fingerprint", TEXT), *((one.name, one.type) for one in _IMAGES if one.name in LABELS)])
    rows = [{"fingerprint": print_, **{name: said.get(name) for name in LABELS}} for print_, said in latest.items()]
    return pa.Table.from_pylist(rows, schema=schema)


def _with_standing(rows: pa.Table, said: Said) -> pa.Table:
    at = _looked_up(rows, said.file, "at")
    stored = pc.equal(rows["status"], pa.scalar("stored"))
    state = pc.if_else(stored, pc.coalesce(_looked_up(rows, said.file, "state"), _said(State.KEPT)), rows["status"])
    verdict = _looked_up(rows, said.verdict, "verdict")
    added: Mapping[str, Any] = {
        "state": state,
        "state_at": pc.coalesce(at, rows["stored_at"], rows["requested_at"]),
        "trashed_at": pc.if_else(pc.equal(state, _said(State.TRASHED)), at, pa.scalar(None, TIME)),
        "purged_at": pc.if_else(pc.equal(state, _said(State.PURGED)), at, pa.scalar(None, TIME)),
        "has_local_copy": pc.is_in(state, pa.array([str(one) for one in WITH_FILE])),
        "held": pc.fill_null(_looked_up(rows, said.hold, "held"), False),
        "verdict": verdict,
        "approved": pc.fill_null(pc.equal(verdict, pa.scalar(VERDICT[Event.APPROVED])), False),
        "replaced": pc.is_in(rows["image_id"], said.replaced["image_id"].combine_chunks()),
    }
    for field in STANDING:
        rows = rows.append_column(field, added[field.name].cast(field.type))
    return rows


def _looked_up(images: pa.Table, known: pa.Table, column: str) -> Any:
    places = pc.index_in(images["image_id"], known["image_id"].combine_chunks())
    return pc.take(known[column], places)


def _said(word: Event | State) -> Any:
    return pa.scalar(str(word))


def named(rows: pa.Table, names: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """Rows under other names: those given here by fingerprint, for the columns of `LABELS` that are there."""
    return _renamed(rows, _label_table(names))


def _renamed(rows: pa.Table, labels: pa.Table) -> pa.Table:
    """Rows under the names they bear now."""
    mine = [name for name in LABELS if name in rows.schema.names]
    if not mine or not labels.num_rows:
        return rows
    places = pc.index_in(rows["fingerprint"], labels["fingerprint"].combine_chunks())
    renamed = pc.is_valid(places)
    for name in mine:
        field = rows.schema.field(name)
        picked = pc.if_else(renamed, pc.take(labels[name], places), rows[name])
        rows = rows.set_column(rows.schema.get_field_index(name), field, picked)
    return rows
