"""Which open entries nobody will settle by themselves, and what a person can decide about them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime

from flows.history.fold import Book
from flows.history.owners import STALE_AFTER, is_dead, lives
from flows.history.records import Ack, Claim, End, Entry, ImageRecord, ImageStatus, Outcome
from flows.ideogram.answers import Doubtful
from flows.pipeline.answered import reading


def last_seen(entries: Iterable[Entry]) -> Mapping[str, datetime]:
    """When each run last wrote a record, by the storage's clock."""
    seen: dict[str, datetime] = {}
    for entry in entries:
        claim = entry.request
        if claim and entry.touched:
            seen[claim.owner.run_id] = max(entry.touched, seen.get(claim.owner.run_id, entry.touched))
    return seen


def abandoned(book: Book, storage_now: datetime) -> list[Entry]:
    """Open entries whose owner is dead: with an answer anyone may finish them, without one they are in doubt."""
    live = book.live
    seen = last_seen(live)
    return [entry for entry in live if entry.final is None and _ownerless(entry, seen, storage_now)]


def _ownerless(entry: Entry, seen: Mapping[str, datetime], storage_now: datetime) -> bool:
    claim = entry.request
    if claim is None:
        return is_dead(None, entry.touched, storage_now)
    return is_dead(claim.owner, seen.get(claim.owner.run_id), storage_now)


def doubtful(book: Book, storage_now: datetime) -> dict[str, str]:
    """Why each request in doubt is in doubt, by request id (or by entry, where even that is unreadable)."""
    reasons: dict[str, str] = {}
    for entry in abandoned(book, storage_now):
        claim = entry.request
        if claim is None:
            reasons[f"{entry.fingerprint}-{entry.n}"] = "its record cannot be read"
        elif entry.ack is None and not claim.imported:
            reasons[claim.request_id] = f"asked for at {claim.claimed_at:%Y-%m-%d %H:%M:%S} UTC, no answer on record"
    for entry in book.live:
        if entry.final is None and entry.ack and isinstance(answer := reading(entry.ack), Doubtful):
            reasons[entry.ack.request_id] = answer.why
    return reasons


def may_resubmit(entry: Entry, storage_now: datetime) -> bool:
    """Whether `generate.in_doubt: resubmit` may give an entry up without being asked.

    Only when it was sent and is old, and not while its process provably lives: a machine that slept, or a clock that
    jumped, makes an old record of a request that is on its way this moment. (Our own requests we know to be over.)
    """
    if entry.touched is None or entry.imported or storage_now - entry.touched <= STALE_AFTER:
        return False
    claim = entry.request
    return claim is None or claim.owner.pid == os.getpid() or not lives(claim.owner)


def given_up(claim: Claim, ack: Ack | None, now: datetime, reason: str) -> End:
    """The end that makes room for another try. If an answer turns up later, it is finished and reported."""
    return End(claim.request_id, claim, now, Outcome.VOID, answered=ack is not None, reason=reason)


def written_off(claim: Claim, ack: Ack | None, now: datetime, reason: str) -> End:
    """The end that accepts the loss: counted as bought, nothing to show for it unless an answer turns up."""
    images = tuple(ImageRecord(index, ImageStatus.LOST, flaw=reason) for index in range(claim.images))
    answered = ack is not None
    return End(claim.request_id, claim, now, Outcome.WRITTEN_OFF, answered, reason, images=images)
