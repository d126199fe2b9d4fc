"""Putting records into the journal, also when the storage has gone away just now."""

from __future__ import annotations

import asyncio

from flows.errors import StorageTrouble
from flows.history.records import Claim, Record, Step
from flows.pipeline.kit import Kit


async def put(kit: Kit, step: Step, record: Record) -> bool:
    """Create a record, patiently: False when another process's record stands in its place.

    While the storage fails no further claim is made, but what is paid for goes on being fetched by whoever
    runs beside this. Raises StorageTrouble when the patience of the rules is used up.
    """
    claim = record if isinstance(record, Claim) else record.claim
    started, pause = kit.uptime(), 1.0
    while True:
        try:
            return await asyncio.to_thread(kit.journal.put, claim.fingerprint, claim.n, step, record)
        except StorageTrouble as trouble:
            kit.stop.ask(f"the journal cannot be written: {trouble}", "make room or bring the storage back, run again")
            if kit.uptime() - started > kit.rules.record_patience_s:
                raise
            await kit.sleep(pause)
            pause = min(30.0, pause * 2)
