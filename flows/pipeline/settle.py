"""Settling doubt: a person has looked, and says what became of a request whose answer is not on record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from flows.errors import Refused
from flows.history.records import Ack, Entry, Step
from flows.ideogram.answers import Delivered, Failed, Pending, read_poll
from flows.ideogram.catalogue import CATALOGUE
from flows.ids import canonical_json
from flows.pipeline.doubt import given_up, may_resubmit, written_off
from flows.pipeline.kit import Kit
from flows.pipeline.record import put


async def resubmit(kit: Kit, entries: Iterable[Entry], reason: str) -> int:
    """Give these entries up as not run, so that the next plan buys them again. Returns how many."""
    done = 0
    for entry in entries:
        claim = entry.request
        if claim is not None and await put(kit, Step.END, given_up(claim, entry.ack, kit.now(), reason)):
            done += 1
    return done


async def write_off(kit: Kit, entries: Iterable[Entry], reason: str) -> int:
    """Count these entries as bought and lost: nothing is bought in their place. Returns how many."""
    done = 0
    for entry in entries:
        claim = entry.request
        if claim is not None and await put(kit, Step.END, written_off(claim, entry.ack, kit.now(), reason)):
            done += 1
    return done


async def adopt(kit: Kit, entry: Entry, generation_id: str) -> Entry:
    """Attach a generation that a person found to the request it answers: the entry that can then be finished.

    Where an answer that says nothing is on record already, the true one stays in memory until the end is
    recorded; killed in between, the request is in doubt again and the person says it once more.
    Raises Refused when the API does not know the generation or it cannot belong to this request.
    """
    claim = entry.request
    if claim is None:
        raise Refused(f"the records of {entry.fingerprint}-{entry.n} cannot be read")
    if not CATALOGUE[claim.model].asynchronous:
        raise Refused(f"{claim.model} has no generation ids: `--resubmit` or `--write-off` {claim.request_id}")
    raw = await kit.api.poll(generation_id)
    found = read_poll(raw.status, raw.body)
    if not isinstance(found, (Delivered, Pending, Failed)):
        raise Refused(f"the API does not know the generation {generation_id}")
    if isinstance(found, Delivered) and len(found.images) > claim.images:
        raise Refused(f"{generation_id} has {len(found.images)} images, the request asked for {claim.images}")
    answer = canonical_json({"generation_id": generation_id})
    ack = Ack(claim.request_id, claim, kit.now(), 200, answer, x_request_id=raw.request_id)
    if entry.ack is None and not await put(kit, Step.ACK, ack):
        raise Refused(f"request {claim.request_id} was settled by somebody else just now")
    return Entry(entry.fingerprint, entry.n, claim=claim, ack=ack, names=entry.names)


async def resubmit_old(kit: Kit, doubtful: Sequence[Entry]) -> int:
    """What ``generate.in_doubt: resubmit`` does by itself: entries without an answer, silent for long enough."""
    storage_now = await asyncio.to_thread(kit.history.now)
    old = [entry for entry in doubtful if entry.ack is None and may_resubmit(entry, storage_now)]
    return await resubmit(kit, old, "in doubt, resubmitted by generate.in_doubt")
