"""The tables of the history: columns, types, and how journal records become rows.

Rows are plain dicts; `table` gives them the declared types. Nothing here reads or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from flows.history.events import Event
from flows.history.records import End, ImageRecord, settled_micros
from flows.ids import canonical_json, time_of

SCHEMA_VERSION = 1

_TIME: pa.DataType = pa.timestamp("us", tz="UTC")
_TAGS: pa.DataType = pa.list_(pa.string())


def _schema(columns: Mapping[str, pa.DataType]) -> pa.Schema:
    return pa.schema(list(columns.items()))


IMAGES = _schema(
    {
        "image_id": pa.string(),
        "request_id": pa.string(),
        "fingerprint": pa.string(),
        "n": pa.int32(),
        "image_index": pa.int32(),
        "generation_id": pa.string(),
        "run_id": pa.string(),
        "origin": pa.string(),
        "status": pa.string(),
        "prompt_id": pa.string(),
        "variant": pa.string(),
        "brand": pa.string(),
        "campaign": pa.string(),
        "tags": _TAGS,
        "retention": pa.string(),
        "prompt": pa.string(),
        "final_prompt": pa.string(),
        "negative_prompt": pa.string(),
        "lettering": pa.string(),
        "endpoint": pa.string(),
        "model": pa.string(),
        "options": pa.string(),
        "edition": pa.string(),
        "aspect_ratio": pa.string(),
        "resolution_asked": pa.string(),
        "resolution_reported": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "seed_asked": pa.int64(),
        "seed": pa.int64(),
        "is_image_safe": pa.bool_(),
        "image_url": pa.string(),
        "requested_at": _TIME,
        "generated_at": _TIME,
        "expires_at": _TIME,
        "stored_at": _TIME,
        "expiry_margin_s": pa.float64(),
        "local_path": pa.string(),
        "media_type": pa.string(),
        "bytes": pa.int64(),
        "sha256": pa.string(),
        "etag": pa.string(),
        "flaw": pa.string(),
        "cost_usd": pa.float64(),
        "price_source": pa.string(),
    }
)

REQUESTS = _schema(
    {
        "request_id": pa.string(),
        "fingerprint": pa.string(),
        "n": pa.int32(),
        "revision": pa.int32(),
        "outcome": pa.string(),
        "answered": pa.bool_(),
        "reason": pa.string(),
        "images": pa.int32(),
        "counted": pa.int32(),
        "cost_micros": pa.int64(),
        "cost_usd": pa.float64(),
        "price_source": pa.string(),
        "run_id": pa.string(),
        "origin": pa.string(),
        "endpoint": pa.string(),
        "model": pa.string(),
        "status": pa.int32(),
        "reject_reason": pa.string(),
        "x_request_id": pa.string(),
        "generation_id": pa.string(),
        "prompt_id": pa.string(),
        "variant": pa.string(),
        "brand": pa.string(),
        "campaign": pa.string(),
        "tags": _TAGS,
        "requested_at": _TIME,
        "answered_at": _TIME,
        "ended_at": _TIME,
        "latency_s": pa.float64(),
        "request": pa.string(),
    }
)

LIFECYCLE = _schema(
    {
        "event_id": pa.string(),
        "at": _TIME,
        "event": pa.string(),
        "image_id": pa.string(),
        "fingerprint": pa.string(),
        "reason": pa.string(),
        "policy": pa.string(),
        "actor": pa.string(),
        "run_id": pa.string(),
        "details": pa.string(),
    }
)

FEATURES = _schema(
    {
        "sha256": pa.string(),
        "extractor": pa.int32(),
        "image_id": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "mode": pa.string(),
        "phash": pa.string(),
        "dhash": pa.string(),
        "thumbnail": pa.binary(),
        "extracted_at": _TIME,
    }
)

FINDINGS = _schema(
    {
        "finding_id": pa.string(),
        "audit_id": pa.string(),
        "found_at": _TIME,
        "check": pa.string(),
        "code": pa.string(),
        "severity": pa.string(),
        "state": pa.string(),
        "subject": pa.string(),
        "image_id": pa.string(),
        "related_image_id": pa.string(),
        "prompt_id": pa.string(),
        "variant": pa.string(),
        "brand": pa.string(),
        "campaign": pa.string(),
        "message": pa.string(),
        "remedy": pa.string(),
        "measure": pa.float64(),
        "threshold": pa.float64(),
        "unit": pa.string(),
        "accepted": pa.bool_(),
        "details": pa.string(),
    }
)

DATASETS: Mapping[str, pa.Schema] = {
    "images": IMAGES,
    "requests": REQUESTS,
    "lifecycle": LIFECYCLE,
    "features": FEATURES,
    "findings": FINDINGS,
}


def table(dataset: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows with the declared columns, in the declared types; unknown keys are a bug and refused."""
    schema = DATASETS[dataset]
    rows = list(rows)
    known = set(schema.names)
    for row in rows:
        if not known >= row.keys():
            raise KeyError(f"not columns of {dataset}: {sorted(row.keys() - known)}")
    return pa.Table.from_pylist(
        [dict(row) for row in rows], schema=schema.with_metadata({"ideoflow": str(SCHEMA_VERSION)})
    )


def image_id(request_id: str, index: int) -> str:
    """The id of one image of a request."""
    return f"{request_id}-{index}"


def image_rows(end: End) -> list[dict[str, Any]]:
    """A row per billed image of a finished request; none when nothing was billed."""
    if not end.outcome.counted:
        return []
    each = settled_micros(end) / max(1, len(end.images)) / 1_000_000
    return [_image_row(end, image, each) for image in end.images]


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
