"""The tables of the history, by the contract of their columns, and how journal records become rows.

Rows are plain dicts; `table` gives them the declared types. Nothing here reads or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pyarrow as pa

from flows.history.contract import HISTORY, SCHEMA_VERSION, schema_of
from flows.history.events import Event
from flows.history.records import End, ImageRecord, settled_micros
from flows.ids import canonical_json, time_of

DATASETS: Mapping[str, pa.Schema] = {name: schema_of(dataset.columns) for name, dataset in HISTORY.items()}
IMAGES = DATASETS["images"]
VERSION_KEY = "ideoflow"
KEYS_KEY = "ideoflow.keys"
TOGETHER = 64


def stamped(schema: pa.Schema, keys: int) -> pa.Schema:
    """The schema as a part carries it: its metadata has the version of the contract, and how many keys its rows have.

    Who counts rows need not look for doubles where there are as many keys as rows.
    """
    return schema.with_metadata({VERSION_KEY: str(SCHEMA_VERSION), KEYS_KEY: str(keys)})


def version_of(schema: pa.Schema) -> int:
    """The version that a part was written with; 0 when it does not say."""
    said = (schema.metadata or {}).get(VERSION_KEY.encode(), b"0")
    return int(said) if said.isdigit() else 0


def table(dataset: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows with the declared columns, in the declared types; unknown keys are a bug and refused.

    The rows are taken a few at a time: as dicts they need ten times the memory that they need as columns.
    """
    schema, key = DATASETS[dataset], HISTORY[dataset].key
    known, left = set(schema.names), iter(rows)
    keys: set[tuple[Any, ...]] = set()
    pieces = [pa.Table.from_batches([], schema)]
    while some := [dict(row) for row in islice(left, TOGETHER)]:
        for row in some:
            if not known >= row.keys():
                raise KeyError(f"not columns of {dataset}: {sorted(row.keys() - known)}")
            keys.add(tuple(row.get(name) for name in key))
        pieces.append(pa.Table.from_pylist(some, schema=schema))
    return pa.concat_tables(pieces).replace_schema_metadata(stamped(schema, len(keys)).metadata)


def image_id(request_id: str, index: int) -> str:
    """The id of one image of a request."""
    return f"{request_id}-{index}"


def billed(end: End) -> tuple[ImageRecord, ...]:
    """The images of a finished request that were paid for."""
    return end.images if end.outcome.counted else ()


def image_rows(end: End) -> list[dict[str, Any]]:
    """A row per billed image of a finished request; none when nothing was billed."""
    images = billed(end)
    each = settled_micros(end) / max(1, len(images)) / 1_000_000
    return [_image_row(end, image, each) for image in images]


def _image_row(end: End, image: ImageRecord, cost_usd: float) -> dict[str, Any]:
    claim, labels = end.claim, end.claim.labels
    margin = (image.expires_at - image.stored_at).total_seconds() if image.expires_at and image.stored_at else None
    return {
        "image_id": image_id(end.request_id, image.index),
        "request_id": end.request_id,
        "fingerprint": claim.fingerprint,
        "n": claim.n,
        "image_index": image.index,
        "generation_id": end.generation_id,
        "run_id": claim.run_id,
        "origin": claim.origin,
        "status": str(image.status),
        "prompt_id": labels.prompt_id,
        "variant": labels.variant,
        "brand": labels.brand,
        "campaign": labels.campaign,
        "tags": list(labels.tags),
        "retention": labels.retention,
        "prompt": labels.prompt,
        "final_prompt": image.final_prompt,
        "negative_prompt": labels.negative_prompt,
        "lettering": labels.lettering,
        "endpoint": claim.path,
        "model": claim.model,
        "options": canonical_json(dict(labels.options or {})),
        "edition": labels.edition,
        "aspect_ratio": labels.aspect_ratio,
        "resolution_asked": labels.resolution,
        "resolution_reported": image.resolution_reported,
        "width": image.width,
        "height": image.height,
        "seed_asked": labels.seed,
        "seed": image.seed,
        "is_image_safe": image.is_image_safe,
        "image_url": image.url,
        "requested_at": time_of(claim.request_id),
        "generated_at": end.generated_at or end.answered_at,
        "expires_at": image.expires_at,
        "stored_at": image.stored_at,
        "expiry_margin_s": margin,
        "local_path": image.local_path,
        "media_type": image.media_type,
        "bytes": image.bytes,
        "sha256": image.sha256,
        "etag": image.etag,
        "flaw": image.flaw,
        "cost_usd": cost_usd,
        "price_source": "api" if end.cost_micros is not None else claim.price_source,
    }


def request_row(end: End, revision: int) -> dict[str, Any]:
    """The row of a finished request. `revision` is 1 for an amended one, whose first row said void."""
    claim, labels = end.claim, end.claim.labels
    micros = settled_micros(end)
    return {
        "request_id": end.request_id,
        "fingerprint": claim.fingerprint,
        "n": claim.n,
        "revision": revision,
        "outcome": str(end.outcome),
        "answered": end.answered,
        "reason": end.reason,
        "images": claim.images,
        "counted": claim.images if end.outcome.counted else 0,
        "cost_micros": micros,
        "cost_usd": micros / 1_000_000,
        "price_source": "api" if end.cost_micros is not None else claim.price_source,
        "run_id": claim.run_id,
        "origin": claim.origin,
        "endpoint": claim.path,
        "model": claim.model,
        "status": end.status,
        "reject_reason": end.reject_reason,
        "x_request_id": end.x_request_id,
        "generation_id": end.generation_id,
        "prompt_id": labels.prompt_id,
        "variant": labels.variant,
        "brand": labels.brand,
        "campaign": labels.campaign,
        "tags": list(labels.tags),
        "requested_at": time_of(claim.request_id),
        "answered_at": end.answered_at,
        "ended_at": end.ended_at.astimezone(UTC),
        "latency_s": end.latency_s,
        "request": canonical_json(dict(claim.body)),
    }


def event_row(
    *,
    event_id: str,
    at: datetime,
    event: Event,
    actor: str,
    run_id: str,
    reason: str = "",
    policy: str | None = None,
    image: str | None = None,
    fingerprint: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A lifecycle row: something that happened to an image, or to all images of a fingerprint."""
    return {
        "event_id": event_id,
        "at": at,
        "event": str(event),
        "image_id": image,
        "fingerprint": fingerprint,
        "reason": reason,
        "policy": policy,
        "actor": actor,
        "run_id": run_id,
        "details": canonical_json(dict(details or {})),
    }
