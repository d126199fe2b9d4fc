"""One paid image from its link to the storage: verified, stored under its final name, with a record beside it.

Two processes may do this for the same image at once: they write the same bytes under the same names.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, cast

from pydantic import TypeAdapter

from flows.assets.naming import asset_path
from flows.assets.verify import Inspection, inspect
from flows.errors import ApiTrouble, LinkDead, StorageTrouble
from flows.history.records import Claim, ImageRecord, ImageStatus
from flows.history.schema import image_id
from flows.ideogram.answers import Delivered, ImageAnswer
from flows.ideogram.links import link_expiry, redact
from flows.ids import sha256, time_of
from flows.pipeline.kit import Fetched, Kit, Progress

SPOOL = 8 << 20


@dataclass(frozen=True)
class Link:
    """Where an image can be had, and until when."""

    url: str
    expires: datetime


@dataclass(frozen=True)
class Unfetched:
    """Not on storage yet, and not provably lost: the next run tries again."""

    why: str


Relink = Callable[[], Awaitable[Delivered | None]]
"""Ask the API for the delivery once more.

None: it has no links for us. Raises ApiTrouble when it could not be asked, which says nothing about the links.
"""


async def fetch(
    kit: Kit, claim: Claim, image: ImageAnswer, received_at: datetime, relink: Relink
) -> ImageRecord | Unfetched:
    """Bring one image home. A withheld one has no link and needs none."""
    record = ImageRecord(
        index=image.index,
        status=ImageStatus.WITHHELD,
        is_image_safe=image.is_image_safe,
        final_prompt=image.prompt,
        resolution_reported=image.upscaled_resolution or image.resolution,
        seed=image.seed,
    )
    if image.url is None:
        kit.tell(Progress("withheld", claim.labels.variant, 1))
        return record
    if found := await asyncio.to_thread(kept, kit, claim, image.index):
        return found
    url, why = image.url, "not tried"
    expires = link_expiry(url, received_at)
    flawed: set[str] = set()
    for _ in range(kit.rules.download_tries):
        try:
            async with kit.downloads.turn(expires):
                stored = await _download(kit, claim, record, Link(url, expires), flawed)
        except LinkDead as dead:
            why = str(dead)
            try:
                fresh = await _fresh_link(relink, image.index)
            except ApiTrouble as trouble:
                why = f"{why}, and no other could be asked for: {trouble}"
                break
            if fresh is None or fresh == url:
                gone = dead.server_time is not None and dead.server_time > expires.timestamp()
                if gone:
                    return _lost(kit, claim, record, url, expires, why)
                break
            url, expires = fresh, link_expiry(fresh, kit.now())
        except ApiTrouble as trouble:
            why = str(trouble)
        else:
            if isinstance(stored, ImageRecord):
                kit.tell(Progress("stored", claim.labels.variant, 1))
                return stored
            why = stored
    return Unfetched(why)


async def _fresh_link(relink: Relink, index: int) -> str | None:
    delivered = await relink()
    if delivered is None:
        return None
    return next((image.url for image in delivered.images if image.index == index), None)


def _lost(kit: Kit, claim: Claim, record: ImageRecord, url: str, expires: datetime, why: str) -> ImageRecord:
    kit.tell(Progress("lost", claim.labels.variant, 1))
    return replace(record, status=ImageStatus.LOST, url=redact(url), expires_at=expires, flaw=why)


async def _download(kit: Kit, claim: Claim, record: ImageRecord, link: Link, flawed: set[str]) -> ImageRecord | str:
    """The stored image, or why it was not taken.

    A picture with a flaw is taken when its very bytes came before (`flawed` holds their digests): then that is
    what there is, and a paid picture with a flaw is better than none.
    """
    with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
        file = cast("BinaryIO", spool)
        try:
            got = await kit.api.download(link.url, file)
        except OSError as error:  # of the file: those of the network are ApiTrouble
            raise StorageTrouble(f"could not keep a download in {tempfile.gettempdir()}: {error}") from error
        looking = asyncio.get_running_loop().run_in_executor
        seen = await looking(kit.inspecting, inspect, file, _size(record.resolution_reported))
        if seen.media_type is None:
            return f"what the link gave is no picture ({got.bytes} bytes)"
        if seen.flaw and got.sha256 not in flawed:
            flawed.add(got.sha256)
            return seen.flaw
        arrived = replace(record, url=redact(link.url), expires_at=link.expires)
        return await asyncio.to_thread(store, kit, claim, arrived, Picture(file, got, seen))


@dataclass(frozen=True)
class Picture:
    """Bytes that were looked at: the file, its length and digest, and what is in it."""

    file: BinaryIO
    got: Fetched
    seen: Inspection


def store(kit: Kit, claim: Claim, record: ImageRecord, picture: Picture) -> ImageRecord:
    """Write a picture under the name its claim gives it, then the record beside it: the record, completed."""
    path = _path(claim, record.index, picture.seen.extension or "bin")
    picture.file.seek(0)
    kit.assets.write(path, picture.file)
    there = kit.assets.stat(path)
    stored = replace(
        record,
        status=ImageStatus.STORED,
        stored_at=kit.now(),
        local_path=path,
        media_type=picture.seen.media_type,
        bytes=picture.got.bytes,
        sha256=picture.got.sha256,
        etag=there.etag if there else None,
        width=picture.seen.width,
        height=picture.seen.height,
        flaw=picture.seen.flaw,
    )
    kit.assets.write(_path(claim, record.index, "json"), _sidecar(claim, stored))
    return stored


def kept(kit: Kit, claim: Claim, index: int) -> ImageRecord | None:
    """The image as an earlier process stored it, if its bytes still are what its record says."""
    data = kit.assets.read(_path(claim, index, "json"))
    if data is None:
        return None
    try:
        record = _SIDECAR.validate_python(json.loads(data)["image"])
    except (ValueError, KeyError, TypeError):
        return None
    held = kit.assets.read(record.local_path) if record.local_path else None
    return record if held is not None and sha256(held) == record.sha256 else None


_SIDECAR: TypeAdapter[ImageRecord] = TypeAdapter(ImageRecord)


def _sidecar(claim: Claim, record: ImageRecord) -> bytes:
    """What a person who finds the picture without its history wants to know."""
    labels = claim.labels
    return json.dumps(
        {
            "image_id": image_id(claim.request_id, record.index),
            "prompt": labels.prompt,
            "variant": labels.variant,
            "brand": labels.brand,
            "campaign": labels.campaign,
            "model": claim.model,
            "origin": claim.origin,
            "fingerprint": claim.fingerprint,
            "run_id": claim.run_id,
            "image": _SIDECAR.dump_python(record, mode="json", exclude_none=True),
        },
        indent=2,
        ensure_ascii=False,
    ).encode()


def _path(claim: Claim, index: int, ext: str) -> str:
    labels = claim.labels
    made = time_of(claim.request_id)
    fields = {
        "brand": labels.brand,
        "campaign": labels.campaign,
        "prompt_id": labels.prompt_id,
        "variant": labels.variant,
        "model": claim.model,
        "edition": labels.edition,
        "date": f"{made:%Y-%m-%d}",
        "month": f"{made:%Y-%m}",
        "image_id": image_id(claim.request_id, index),
    }
    return asset_path(claim.name_template, fields, ext=ext)


def _size(resolution: str | None) -> tuple[int, int] | None:
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", resolution or "")
    return (int(found[1]), int(found[2])) if found else None
