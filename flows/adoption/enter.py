"""Taking one picture over: copy or fetch it, look at it once more, store it, claim its number, write its end.

The id of its request follows from when it was made and what its bytes are. So a second import, one that was cut off
and one that runs at the same time all come to the same id, and the claim desk gives each id one number at most.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import BinaryIO, cast

from flows.adoption.decide import Fate, Item, own_fingerprint
from flows.adoption.match import judge, stated
from flows.adoption.record import Record
from flows.assets.verify import inspect
from flows.errors import ApiTrouble, StorageTrouble
from flows.history.fold import Book
from flows.history.records import IMPORTED, Claim, ImageRecord, ImageStatus, Labels, Step
from flows.ideogram.catalogue import find
from flows.ideogram.links import redact
from flows.ids import uuid7
from flows.manifest.variant import Variant
from flows.pipeline.fetch import SPOOL, Picture, kept, store
from flows.pipeline.imported import taken_over
from flows.pipeline.kit import Kit


@dataclass(frozen=True)
class Entered:
    """What became of one picture: `fate` TAKE when it is in the books now, else why not."""

    item: Item
    fate: Fate
    why: str = ""
    bytes: int = 0


@dataclass(frozen=True)
class _Got:
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Intake:
    """What all pictures of one import share. `known` are digests that are in the books or were entered just now."""

    kit: Kit
    book: Book
    known: set[str]

    async def enter(self, item: Item) -> Entered:
        """Take a picture over, or say why not. Raises Unfinished where the books or the storage are in the way."""
        with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
            file = cast("BinaryIO", spool)
            got = await self._fetched(item, file) if item.fate is Fate.FETCH else await self._copied(item, file)
            if isinstance(got, Entered):
                return got
            seen = await asyncio.to_thread(inspect, file, None)
            if seen.flaw or seen.media_type is None:
                return Entered(item, Fate.UNREADABLE, f"the picture {seen.flaw}")
            if got.sha256 in self.known:
                return Entered(item, Fate.HAVE, "in the history already")
            self.known.add(got.sha256)
            size = (seen.width, seen.height) if seen.width and seen.height else None
            print_, variant = self._place(item, size, got.sha256)
            claim_of = self._claim(item, print_, variant, got.sha256)
            picture = Picture(file, got, seen)
            if not await asyncio.to_thread(self._write, item, claim_of, picture):
                return Entered(item, Fate.HAVE, "taken over by another import just now")
            return Entered(item, Fate.TAKE, "", got.bytes)

    async def _copied(self, item: Item, file: BinaryIO) -> _Got | Entered:
        held = item.candidate.held
        data = await asyncio.to_thread(held.read) if held else None
        if data is None or item.seen is None:
            return Entered(item, Fate.MISSING, "the file has gone")
        if (digest := hashlib.sha256(data).hexdigest()) != item.seen.sha256:
            return Entered(item, Fate.UNREADABLE, "the file was changed while it was taken over")
        file.write(data)
        return _Got(len(data), digest)

    async def _fetched(self, item: Item, file: BinaryIO) -> _Got | Entered:
        expires = item.expires_at or self.kit.now()
        try:
            async with self.kit.downloads.turn(expires):
                got = await self.kit.api.download(item.record.url or "", file)
        except ApiTrouble as trouble:
            return Entered(item, Fate.DEAD, str(trouble))
        except OSError as error:
            raise StorageTrouble(f"could not keep a download in {tempfile.gettempdir()}: {error}") from error
        if item.record.sha256 not in (None, got.sha256):
            return Entered(item, Fate.UNREADABLE, "what the link gave is not what the record tells of")
        return _Got(got.bytes, got.sha256)

    def _place(self, item: Item, size: tuple[int, int] | None, sha256: str) -> tuple[str, Variant | None]:
        """Its fingerprint and variant, now that its pixels are known for certain."""
        ours = item.record.fingerprint == item.fingerprint
        if item.fingerprint and (item.variant is None or ours or judge(item.record, size, item.variant)):
            return item.fingerprint, item.variant
        return own_fingerprint(self.kit.origin, sha256), None

    def _claim(self, item: Item, print_: str, variant: Variant | None, sha256: str) -> Callable[[int], Claim]:
        request_id = self._request_id(print_, item.made_at or self.kit.now(), sha256)
        record, kit = item.record, self.kit
        endpoint = find(record.model) if record.model else None
        source = item.candidate.held.shown if item.candidate.held else str(record.place)
        # Made once: all tries at a number differ in nothing else.
        claimed_at = kit.now()

        def claim(n: int) -> Claim:
            return Claim(
                request_id=request_id,
                run_id=kit.run_id,
                fingerprint=print_,
                n=n,
                images=1,
                origin=kit.origin,
                model=variant.model if variant else endpoint.model if endpoint else record.model or "unknown",
                path=IMPORTED,
                body={"import": {"from": source, "id": record.id, "sha256": sha256}},
                labels=_labels(record, variant, sha256),
                name_template=kit.rules.name_template,
                price_usd=Decimal(0),
                price_source="imported",
                claimed_at=claimed_at,
                owner=kit.owner,
            )

        return claim

    def _request_id(self, print_: str, made: datetime, sha256: str) -> str:
        """Always the same for the same picture; another only where an earlier one ended void."""
        standing = self.book.of(print_)
        void = {name for name, row in standing.sealed.items() if not row.counted}
        void |= {entry.id for entry in standing.live.values() if entry.final and not entry.counted}
        for attempt in itertools.count():
            seed = hashlib.sha256(f"ideoflow import\n{self.kit.origin}\n{sha256}\n{attempt}".encode()).digest()
            request_id = uuid7(made, lambda length, seed=seed: seed[:length])  # type: ignore[misc]  # seed is bound now
            if request_id not in void:
                return request_id
        raise AssertionError  # counting never ends

    def _write(self, item: Item, claim_of: Callable[[int], Claim], picture: Picture) -> bool:
        """Picture, record, claim, end, in that order; False when another import was faster."""
        claim = claim_of(0)  # the file's name has nothing to do with the number
        if self.book.of(claim.fingerprint).knows(claim.request_id):
            return False
        image = kept(self.kit, claim, 0) or store(self.kit, claim, _image(item), picture)
        entered = self.kit.desk.enter(claim.fingerprint, claim.request_id, claim_of)
        if entered is None:
            return False
        end = taken_over(entered, image, self.kit.now())
        self.kit.journal.put(entered.fingerprint, entered.n, Step.END, end)
        return True


def _image(item: Item) -> ImageRecord:
    record = item.record
    return ImageRecord(
        index=0,
        status=ImageStatus.STORED,
        url=redact(record.url) if record.url else None,
        is_image_safe=record.is_image_safe,
        final_prompt=record.final_prompt or record.prompt,
        resolution_reported=record.resolution,
        seed=record.seed,
        # Of a file that was there already no link ran out: only of one that was fetched just now is that of interest.
        expires_at=item.expires_at if item.fate is Fate.FETCH else None,
    )


def _labels(record: Record, variant: Variant | None, sha256: str) -> Labels:
    """What it is called: as the manifest has it where it is in there; options are what the record says, no more."""
    endpoint = find(record.model) if record.model else None
    options = stated(record, endpoint)[0] if endpoint else dict(record.options)
    prompt_id, name = _names(record, sha256)
    return Labels(
        prompt_id=variant.prompt_id if variant else prompt_id,
        variant=variant.name if variant else name,
        prompt=record.prompt or (variant.prompt if variant else ""),
        brand=variant.brand if variant else record.brand,
        campaign=variant.campaign if variant else record.campaign,
        tags=variant.tags if variant else record.tags,
        negative_prompt=record.negative_prompt,
        lettering=variant.lettering if variant else None,
        aspect_ratio=record.aspect_ratio or (variant.aspect_ratio if variant else None),
        resolution=record.resolution,
        options=options,
        seed=variant.seed if variant else None,
    )


def _names(record: Record, sha256: str) -> tuple[str, str]:
    if record.variant:
        return record.variant.partition("@")[0][:60], record.variant[:200]
    return "imported", (record.id or sha256[:12])[:200]
