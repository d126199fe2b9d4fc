"""What the retention policy would do now, and what speaks against it. Looking changes nothing, not a byte."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from flows import labels
from flows.errors import IdeoflowError, Refused
from flows.history.events import Event
from flows.history.standing import current, events, named
from flows.report import words
from flows.retention.decide import COLUMNS, Decisions, decide
from flows.retention.policy import Policy
from flows.retention.refusals import Refusal, less_than_expected, too_much
from flows.workspace import Workspace

# Columns beside those that decisions rest on: where a file is, and what its fingerprint is called today.
_BESIDES = ("fingerprint", "local_path")


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a run. `max_fraction` None: the policy's."""

    apply: bool = False
    max_fraction: float | None = None
    manifests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outlook:
    """What would be done, and what speaks against it. `notes` are worth knowing and stop nothing."""

    run_id: str
    made_at: datetime
    decisions: Decisions
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def policy(self) -> Policy:
        """The policy it rests on."""
        return self.decisions.policy


def pictures(ws: Workspace, manifests: Sequence[str] = ()) -> pa.Table:
    """Every billed image as it stands, under the names that the manifests give it today."""
    rows = current(ws.parts, [*COLUMNS, *_BESIDES])
    wanted = labels.called(ws.manifests(manifests).variants, ws.settings.origin)
    fresh = labels.new_names(ws, wanted)
    rows = named(rows, {print_: labels.details(names) for print_, names in fresh.items()})
    links = events(ws.parts, kinds=[Event.REPRODUCED]).to_pylist()
    made_from = {row["image_id"]: json.loads(row["details"]).get("from") for row in links}
    if not made_from:
        return rows
    kind: pa.DataType = pa.list_(pa.string())
    known = pa.array([[one] if one else [] for one in made_from.values()], kind)
    places = pc.index_in(rows["image_id"], pa.array(list(made_from), pa.string()))
    return rows.append_column("sources", pc.take(known, places))


def look(ws: Workspace, wish: Wish) -> Outlook:
    """Decide on every picture. Changes nothing."""
    policy = ws.retention_policy()
    if policy.enabled and not policy.classes:
        raise Refused(
            f"{policy.file} is switched on and has no classes: add one, such as "
            "`everything: {match: all, keep_within: 30d}`, or set enabled: false"
        )
    now = ws.now()
    decisions = decide(pictures(ws, wish.manifests), policy, now, ws.settings.generate.timezone)
    fraction = policy.max_fraction if wish.max_fraction is None else wish.max_fraction
    refusals = (*less_than_expected(decisions, ws.assets), *too_much(decisions, fraction))
    return Outlook(ws.new_id(), now, decisions, refusals, tuple(_notes(ws, decisions)))


def _notes(ws: Workspace, decisions: Decisions) -> list[str]:
    kept = ws.assets.keeps_deleted()
    notes = [f"{kept}: space comes free only when its own rules remove them"] if kept else []
    if not decisions.policy.digest:
        notes.append(f"there is no {decisions.policy.file}: everything is kept")
    return notes


def would_free(ws: Workspace) -> str:
    """For whoever has run out of space: what retention would make room for, in a sentence."""
    shows = "`ideoflow retain` shows what could be cleared up"
    try:
        seen = look(ws, Wish())
    except IdeoflowError:
        return shows
    decisions = seen.decisions
    now, later = (decisions.bytes_of(rows) for rows in (decisions.purged, decisions.newly_trashed))
    waiting = decisions.bytes_of(decisions.waiting)
    if not now + later + waiting:
        return "`ideoflow retain --apply` would free nothing: its policy keeps everything that is there"
    switched = "" if seen.policy.enabled else f" (once {seen.policy.file} says `enabled: true`)"
    after = f", and {words.size(later + waiting)} after the grace period" if later + waiting else ""
    pictures_ = words.count(len(decisions.purged), "picture")
    return f"`ideoflow retain --apply` would free {words.size(now)} now ({pictures_}){after}{switched}"
