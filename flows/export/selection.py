"""Which images are handed out: words such as an id, ``campaign:summer``, ``tag:hero``, ``state:approved``. Pure.

Words of one kind are alternatives, kinds narrow each other. Without a word about state it is what is in use: kept,
and not rejected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from flows.errors import Refused
from flows.history.events import VERDICT, State

COLUMNS = ("image_id", "prompt_id", "variant", "campaign", "brand", "tags", "state", "verdict", "held")
KINDS = ("tag", "campaign", "brand", "state")
STATES = (*(str(state) for state in State), *VERDICT.values(), "held")


@dataclass(frozen=True)
class Selection:
    """The words, by kind. `names` are image ids, prompt ids or variants."""

    names: frozenset[str] = frozenset()
    by_kind: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def says_state(self) -> bool:
        """Whether somebody chose states, so that the usual ones do not apply."""
        return "state" in self.by_kind


def selection(words: Iterable[str]) -> Selection:
    """The words sorted out; Refused for a state that there is not."""
    names: set[str] = set()
    kinds: dict[str, set[str]] = {}
    for word in words:
        kind, colon, value = word.partition(":")
        if colon and kind in KINDS and value:
            kinds.setdefault(kind, set()).add(value)
        else:
            names.add(word)
    for state in sorted(kinds.get("state", ())):
        if state not in STATES:
            near = get_close_matches(state, STATES, 1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(STATES)}"
            raise Refused(f'no image can be "{state}": {hint}')
    return Selection(frozenset(names), {kind: frozenset(values) for kind, values in kinds.items()})


def chosen(rows: Iterable[Mapping[str, Any]], wanted: Selection) -> list[str]:
    """The ids of the rows (of `COLUMNS`) that are meant, in the order given. Refused for a name that means nothing."""
    rows = list(rows)
    names = _names(rows, wanted.names)
    return [row["image_id"] for row in rows if _meant(row, wanted, names)]


def _meant(row: Mapping[str, Any], wanted: Selection, names: Collection[str]) -> bool:
    if wanted.names and row["image_id"] not in names:
        return False
    for kind, values in wanted.by_kind.items():
        if not values & _said(row, kind):
            return False
    return wanted.says_state or (row["state"] == str(State.KEPT) and row["verdict"] != "rejected")


def _said(row: Mapping[str, Any], kind: str) -> set[str]:
    if kind == "tag":
        return set(row["tags"] or ())
    if kind == "state":
        return {str(row["state"]), str(row["verdict"]), "held" if row["held"] else ""}
    return {str(row[kind])} if row[kind] is not None else set()


def _names(rows: Sequence[Mapping[str, Any]], names: Collection[str]) -> set[str]:
    """The ids of all images that a name stands for: a prompt's, a variant's, or one id, perhaps abbreviated."""
    found: set[str] = set()
    for name in sorted(names):
        mine = {row["image_id"] for row in rows if name in (row["prompt_id"], row["variant"], row["image_id"])}
        if not mine:
            mine = {row["image_id"] for row in rows if _abbreviates(name.lower(), row["image_id"])}
            if len(mine) > 1:
                raise Refused(f'"{name}" could be {len(mine)} images: give more of the id')
        if not mine:
            raise Refused(f'nothing in the history is called "{name}": try an image id, a prompt id, tag: or campaign:')
        found |= mine
    return found


def _abbreviates(name: str, image_id: str) -> bool:
    stem = image_id.rpartition("-")[0]
    return len(name) >= 4 and (image_id.startswith(name) or image_id.endswith(name) or stem.endswith(name))
