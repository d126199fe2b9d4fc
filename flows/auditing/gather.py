"""Everything the checks look at, read from the workspace: records, measures, files, brands, money, decisions.

Order matters, since runs may be buying meanwhile: files are listed first, then the journal, then the history, so that
what is stored between two looks is neither taken for missing nor for an orphan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.brand.model import Brand
from flows.budget.limits import Cap
from flows.checks.policy import AuditPolicy
from flows.checks.subject import (
    IMAGE_COLUMNS,
    MEASURED_COLUMNS,
    REQUEST_COLUMNS,
    CapUse,
    Image,
    OpenEntry,
    Pool,
    Reading,
    Request,
    Subject,
    measured,
)
from flows.errors import InvalidInput, Refused, Unfinished
from flows.history.events import Event
from flows.history.fold import Book
from flows.history.records import Entry, claimed_micros
from flows.history.spend import latest
from flows.history.standing import current, events
from flows.ideogram.answers import Delivered
from flows.ideogram.links import link_expiry
from flows.measuring import Tell, back_fill, read_lettering
from flows.money.spending import CapState, caps
from flows.pipeline.answered import reading
from flows.pipeline.doubt import doubtful
from flows.pipeline.kit import Progress, Stop
from flows.storage.base import Stat
from flows.workspace import Workspace

# Changed later than it was stored: then its digest is worth a look. Clocks of storages differ a little.
LATER = timedelta(minutes=5)


@dataclass(frozen=True)
class Measuring:
    """What could not be measured, by digest and with the reason, and why no lettering was read, if so."""

    unmeasured: Mapping[str, str]
    no_ocr: str | None


def measure(ws: Workspace, policy: AuditPolicy, tell: Tell, stop: Stop) -> Measuring:
    """Features and readings of every picture that lacks them. What is measured once stays measured."""

    def told(event: Progress) -> None:
        if stop:
            raise Unfinished(f"{stop.reason}: nothing was reported; run `ideoflow audit` again, it goes on from here")
        tell(event)

    ours = pc.field("origin") == ws.settings.origin
    filled = back_fill(ws, told, ours)
    no_ocr = None
    if policy.lettering.enabled:
        try:
            read_lettering(ws, told, ours)
        except Refused as why:
            no_ocr = str(why)
    return Measuring(filled.failures, no_ocr)


def gather(ws: Workspace, measuring: Measuring) -> Subject:
    """What is audited: everything of this origin, as it stands now."""
    files = {stat.path: stat for stat in ws.assets.list()}
    book = ws.desk().open(())
    storage_now = ws.history.now() if book.live else ws.now()
    pool = Pool()
    images = _images(ws, pool)
    _look_again(ws, images, files)
    brands, problems = _brands(ws, images)
    subject = Subject(
        now=ws.now(),
        images=images,
        features=measured(ws.parts.read(ws.parts.listing("features"), "features", MEASURED_COLUMNS), pool),
        readings=_readings(ws),
        no_ocr=measuring.no_ocr,
        requests=_requests(ws, pool),
        brands=brands,
        brand_problems=problems,
        files=_settled(files, book),
        digests=_digests(ws, images, files),
        unmeasured=measuring.unmeasured,
        open=_open(book, storage_now, ws.settings.origin),
        caps=[use for state in caps(ws) if (use := _cap(state)) is not None],
        accepted=accepted(ws),
    )
    # What was read is values now; Arrow would keep the room of its tables for tables to come.
    pa.default_memory_pool().release_unused()
    return subject


def _images(ws: Workspace, pool: Pool) -> list[Image]:
    rows = current(ws.parts, IMAGE_COLUMNS, pc.field("origin") == ws.settings.origin)
    found: list[Image] = []
    for batch in rows.sort_by("image_id").to_batches(max_chunksize=1024):
        found += [Image.from_row(row, pool) for row in batch.to_pylist()]
    return found


def _look_again(ws: Workspace, images: Iterable[Image], files: dict[str, Stat]) -> None:
    """What was stored after the listing is there all the same."""
    for image in images:
        path = image.local_path
        if image.state == "kept" and path and path not in files and (stat := ws.assets.stat(path)) is not None:
            files[path] = stat


def _settled(files: Mapping[str, Stat], book: Book) -> dict[str, int]:
    """The files but for those of requests that are still under way: no row tells of them yet."""
    busy = [entry.id for entry in book.live]
    return {path: stat.size for path, stat in files.items() if not any(name in path for name in busy)}


def _digests(ws: Workspace, images: Iterable[Image], files: Mapping[str, Stat]) -> dict[str, str]:
    """Digests of the files that were changed since they were stored: the rest was verified when it came."""
    found: dict[str, str] = {}
    for image in images:
        stat = files.get(image.local_path or "")
        if stat is None or image.state != "kept" or image.stored_at is None or stat.size != image.bytes:
            continue
        if stat.modified > image.stored_at + LATER and (data := ws.assets.read(stat.path)) is not None:
            found[stat.path] = hashlib.sha256(data).hexdigest()
    return found


def _readings(ws: Workspace) -> dict[str, Reading]:
    rows = ws.parts.read(ws.parts.listing("readings"), "readings").sort_by("read_at")
    found: dict[str, Reading] = {}
    for batch in rows.to_batches(max_chunksize=1024):
        found |= {row["sha256"]: Reading.from_row(row) for row in batch.to_pylist()}
    return found


def _requests(ws: Workspace, pool: Pool) -> list[Request]:
    columns = [*REQUEST_COLUMNS, "revision"]
    ours = pc.field("origin") == ws.settings.origin
    rows: pa.Table = latest(ws.parts.read(ws.parts.listing("requests"), "requests", columns, ours))
    found: list[Request] = []
    for batch in rows.drop_columns(["revision"]).sort_by("request_id").to_batches(max_chunksize=1024):
        found += [Request(**{name: pool.one(value) for name, value in row.items()}) for row in batch.to_pylist()]
    return found


def _brands(ws: Workspace, images: Iterable[Image]) -> tuple[dict[str, Brand], dict[str, str]]:
    """The brand files of these images; a file that cannot be used is a finding, not the end of the audit."""
    brands: dict[str, Brand] = {}
    problems: dict[str, str] = {}
    for key in sorted({image.brand for image in images if image.brand}):
        try:
            brand = ws.brand(key)
        except InvalidInput as error:
            problems[key] = str(error.problems[0])
            continue
        if brand is not None:
            brands[key] = brand
    return brands, problems


def _open(book: Book, now: datetime, origin: str) -> list[OpenEntry]:
    doubts = doubtful(book, now)
    return [
        _entry(entry, doubts.get(entry.id))
        for entry in book.live
        if entry.final is None and entry.origin in {None, origin}
    ]


def _entry(entry: Entry, doubt: str | None) -> OpenEntry:
    claim = entry.request
    names: dict[str, Any] = {}
    if claim is not None:
        names = {name: getattr(claim.labels, name) for name in ("prompt_id", "variant", "brand", "campaign")}
    micros = claimed_micros(claim) if claim else 0
    return OpenEntry(
        request_id=entry.id, images=entry.counted, micros=micros, doubt=doubt, expires_at=_link_end(entry), **names
    )


def _link_end(entry: Entry) -> datetime | None:
    """When the first link of an answer ends that is still to be fetched."""
    if entry.ack is None or not isinstance(answer := reading(entry.ack), Delivered):
        return None
    return min((link_expiry(image.url, entry.ack.answered_at) for image in answer.images if image.url), default=None)


def _cap(state: CapState) -> CapUse | None:
    if state.used is None or state.cap is Cap.IMAGES:
        return None
    return CapUse(str(state.cap), state.limit, state.used)


def accepted(ws: Workspace) -> frozenset[str]:
    """The ids of findings that somebody accepted."""
    rows = events(ws.parts, kinds=[Event.ACCEPTED])
    found = (json.loads(details or "{}").get("finding_id") for details in rows["details"].to_pylist())
    return frozenset(name for name in found if isinstance(name, str))
