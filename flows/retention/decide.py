"""Keep, trash or purge: the decision on every picture, with all its reasons. Pure.

A picture stays when anything keeps it, and each rule looks at the pictures alone, never at what other rules keep: that
is why more rules never remove more. The two that look at each other, sources of kept pictures, only ever add.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flows.history.events import State
from flows.retention import facts
from flows.retention.facts import Bools, Ints
from flows.retention.policy import KeepClass, Policy

# The columns of `flows.history.current` that decisions rest on. One more, `sources`, holds the ids of the pictures
# that this one was made from; a table without it has none.
COLUMNS = (
    *("image_id", "state", "stored_at", "requested_at", "trashed_at", "bytes", "origin", "brand", "campaign", "tags"),
    *("model", "prompt_id", "variant", "retention", "held", "approved", "verdict"),
)
_PERIODS = ("day", "week", "month")
_KEPT, _TRASHED = 0, 1


class Action(IntEnum):
    """What is to be done. A picture in the trash that is to be kept is restored; TRASH leaves it there."""

    KEEP = 0
    TRASH = 1
    PURGE = 2


class Why(IntFlag):
    """What keeps a picture, the foremost reason first: people's word, dates and sources, rules, the newest of all."""

    NO_FILE = 1
    HELD = 2
    APPROVED = 4
    FUTURE = 8
    SOURCE = 16
    NO_CLASS = 32
    UNKNOWN_CLASS = 64
    FOREVER = 128
    WITHIN = 256
    LAST = 512
    DAY = 1024
    WEEK = 2048
    MONTH = 4096
    TOTAL = 8192
    IMAGES = 16384
    NEWEST = 32768


@dataclass(frozen=True)
class Lines:
    """Where each picture stands: `last` and `turns` among those of its variant, the rest among those of its class.

    Places count from 0, the newest; -1 is nowhere. `sum` is in bytes.
    """

    last: Ints
    turns: dict[str, Ints]
    images: Ints
    sum: Ints


@dataclass(frozen=True)
class Decisions:
    """One decision a row of `images`, in its order. `reasons` of flows.retention.reasons puts them into words."""

    images: pa.Table
    policy: Policy
    now: datetime
    action: npt.NDArray[np.uint8]
    why: npt.NDArray[np.uint32]
    classes: Ints
    at: Ints
    lines: Lines
    trashed: Bools  # in the trash already

    def chosen(self, action: Action, *, trashed: bool | None = None) -> Ints:
        """The rows of an action; of those in the trash already or of those not yet, where that is asked."""
        found = self.action == action
        if trashed is not None:
            found &= self.trashed == trashed
        return np.flatnonzero(found & ((self.why & Why.NO_FILE) == 0))

    @property
    def kept(self) -> Ints:
        """Rows that stay as they are."""
        return self.chosen(Action.KEEP, trashed=False)

    @property
    def restored(self) -> Ints:
        """Rows that come out of the trash, since something keeps them after all."""
        return self.chosen(Action.KEEP, trashed=True)

    @property
    def newly_trashed(self) -> Ints:
        """Rows that go to the trash now."""
        return self.chosen(Action.TRASH, trashed=False)

    @property
    def waiting(self) -> Ints:
        """Rows that stay in the trash."""
        return self.chosen(Action.TRASH, trashed=True)

    @property
    def purged(self) -> Ints:
        """Rows whose file goes now."""
        return self.chosen(Action.PURGE)

    def bytes_of(self, rows: Ints) -> int:
        """What these rows occupy."""
        return int(facts.numbers(self.images["bytes"])[rows].sum())


def decide(images: pa.Table, policy: Policy, now: datetime, zone: str = "UTC") -> Decisions:
    """The decision on every picture. `zone` is the time zone whose days, weeks and months are meant."""
    moment = int(now.timestamp() * 1_000_000)
    state = facts.numbers(pc.index_in(images["state"], pa.array([State.KEPT.value, State.TRASHED.value])), -1)
    file, trashed = state >= 0, state == _TRASHED
    at = facts.instants(pc.coalesce(images["stored_at"], images["requested_at"]))
    future = at > moment
    rejected = facts.truths(pc.equal(images["verdict"], pa.scalar("rejected")))
    order = facts.newest_first(at, images["image_id"])
    kinds = facts.classes(images, policy)
    lines = _lines(images, policy, order, kinds, file & ~future, rejected, at, zone)
    why = np.zeros(images.num_rows, dtype=np.uint32)
    for flag, mask in (
        (Why.HELD, facts.truths(images["held"])),
        (Why.APPROVED, facts.truths(images["approved"])),
        (Why.FUTURE, future),
        (Why.NO_CLASS, kinds == facts.NONE),
        (Why.UNKNOWN_CLASS, kinds == facts.UNKNOWN),
        (Why.NEWEST, _newest(images, policy, kinds, file, rejected, at)),
    ):
        why[mask] |= np.uint32(flag)
    for index, one in enumerate(policy.classes):
        mine = file & (kinds == index)
        for flag, keeps in _rules(one, at, moment, lines):
            why[mine & keeps] |= np.uint32(flag)
    why[~file] = Why.NO_FILE
    _sources(images, why, file)
    trashed_at = facts.instants(images["trashed_at"], moment)
    due = trashed & (trashed_at + facts.micros(policy.grace) <= moment)
    action = np.where(why != 0, Action.KEEP, np.where(due, Action.PURGE, Action.TRASH)).astype(np.uint8)
    return Decisions(images, policy, now, action, why, kinds, at, lines, trashed)


def _lines(
    images: pa.Table,
    policy: Policy,
    order: Ints,
    kinds: Ints,
    known: Bools,
    rejected: Bools,
    at: Ints,
    zone: str,
) -> Lines:
    """`known` pictures have a file and a date that can be true. Rejected ones take no place of a good one."""
    variants = facts.together(images["origin"], images["brand"], images["variant"])
    good = known & ~rejected
    turns: dict[str, Ints] = {}
    local = None
    for kind, rule in zip(_PERIODS, ("keep_daily", "keep_weekly", "keep_monthly"), strict=True):
        if any(getattr(one, rule) for one in policy.classes):
            local = facts.days(at, zone) if local is None else local
            turns[kind] = facts.turns(order, variants, good, facts.period(local, kind))
    return Lines(
        last=facts.places(order, variants, good),
        turns=turns,
        images=facts.places(order, kinds, known),
        sum=facts.running(order, kinds, known, facts.numbers(images["bytes"])),
    )


def _rules(one: KeepClass, at: Ints, moment: int, lines: Lines) -> list[tuple[Why, Bools]]:
    """What each rule of a class keeps, were every picture in it."""
    found: list[tuple[Why, Bools]] = []
    if one.forever:
        found.append((Why.FOREVER, np.ones(len(at), dtype=np.bool_)))
    if one.keep_within is not None:
        found.append((Why.WITHIN, moment - at < facts.micros(one.keep_within)))
    if one.keep_last is not None:
        found.append((Why.LAST, (lines.last >= 0) & (lines.last < one.keep_last)))
    for flag, kind, number in (
        (Why.DAY, "day", one.keep_daily),
        (Why.WEEK, "week", one.keep_weekly),
        (Why.MONTH, "month", one.keep_monthly),
    ):
        if number is not None:
            found.append((flag, (lines.turns[kind] >= 0) & (lines.turns[kind] < number)))
    if one.max_total is not None:
        found.append((Why.TOTAL, (lines.images >= 0) & (lines.sum <= one.max_total)))
    if one.max_images is not None:
        found.append((Why.IMAGES, (lines.images >= 0) & (lines.images < one.max_images)))
    return found


def _newest(images: pa.Table, policy: Policy, kinds: Ints, file: Bools, rejected: Bools, at: Ints) -> Bools:
    """The newest picture of each prompt, a rejected one only where there is no other; not where it may be empty."""
    prompts = facts.together(images["origin"], images["brand"], images["prompt_id"])
    order = facts.newest_first(at, images["image_id"], last=rejected)
    newest: Bools = (facts.places(order, prompts, file) == 0) & (kinds >= 0)
    for index, one in enumerate(policy.classes):
        if one.allow_empty:
            newest &= kinds != index
    return newest


def _sources(images: pa.Table, why: npt.NDArray[np.uint32], file: Bools) -> None:
    """What a kept picture was made from is kept, and what that was made from."""
    if "sources" not in images.schema.names:
        return
    sources = images["sources"].combine_chunks()
    flat = pc.list_flatten(sources)
    if not len(flat):
        return
    children = facts.numbers(pc.list_parent_indices(sources))
    parents = facts.numbers(pc.index_in(flat, images["image_id"].combine_chunks()), -1)
    known = parents >= 0
    children, parents = children[known], parents[known]
    while True:
        wanted = parents[(why[children] != 0) & file[children]]
        fresh = wanted[((why[wanted] & Why.SOURCE) == 0) & file[wanted]]
        if not len(fresh):
            return
        why[fresh] |= np.uint32(Why.SOURCE)


def age(decisions: Decisions, row: int) -> timedelta:
    """How old a picture is."""
    moment = int(decisions.now.timestamp() * 1_000_000)
    return timedelta(microseconds=int(moment - decisions.at[row]))
