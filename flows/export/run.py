"""Handing pictures out: copies with human names at any address, with index, records and a note; again adds nothing.

The record beside a copy is written right after it and the index last, so that what a killed run made is found out by
the next one, which copies only what is missing. Originals are read and never written; what lies at the destination is
touched only where an index or a record of ours says that we put it there.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import Refused
from flows.export import index
from flows.export.note import SANDBOX, note
from flows.export.plan import Act, Copy, Step, Wanted, beside, decide, named
from flows.export.selection import COLUMNS, chosen, selection
from flows.history.standing import current
from flows.ids import sha256
from flows.pipeline.kit import Progress, Stop
from flows.provenance.marking import marked
from flows.provenance.packet import PACKET_VERSION, Origin, packet
from flows.storage import Storage, open_storage
from flows.workspace import Workspace

AT_ONCE = 8
BATCH = 256


@dataclass(frozen=True)
class Ask:
    """What somebody wants: which images, and whether their origin is written into the copies."""

    select: tuple[str, ...] = ()
    embed: bool = False


@dataclass(frozen=True)
class Skipped:
    """An image that was asked for and not handed out, and why."""

    image_id: str
    variant: str
    why: str


@dataclass(frozen=True)
class Handed:
    """What an export did. `earlier` are copies of before that were not asked for now; `undone` is what a stop left."""

    to: str
    acts: Mapping[Act, int]
    embedded: int
    beside: int
    earlier: int
    skipped: tuple[Skipped, ...]
    undone: int = 0
    stopped: str | None = None

    @property
    def images(self) -> int:
        """How many of the wanted images are there now."""
        return sum(self.acts.values())


def hand_out(
    ws: Workspace,
    to: Storage,
    ask: Ask,
    *,
    tell: Callable[[Progress], None] = lambda _: None,
    stop: Stop | None = None,
) -> Handed:
    """Bring a `destination` up to date."""
    stop = Stop() if stop is None else stop
    ids = chosen(current(ws.parts, COLUMNS).sort_by("image_id").to_pylist(), selection(ask.select))
    present = {stat.path: stat.size for stat in to.list()}
    known = {row["image_id"]: row for row in _previous(to, present)}
    needed = pa.array(sorted({*ids, *known}), pa.string())
    told = current(ws.parts, where=pc.field("image_id").isin(needed))
    rows = {row["image_id"]: row for row in told.to_pylist()}
    wanted, skipped = _wanted((rows[one] for one in ids), PACKET_VERSION if ask.embed else 0)
    before = {name: index.copy_of(row) for name, row in known.items()} | _unlisted(to, wanted, known, present)
    steps = decide(wanted, before, present)
    tell(Progress("planned", "", len(steps)))
    copies: dict[str, Copy] = {}
    acts = dict.fromkeys(Act, 0)
    work = _Work(ws, to, rows, known)
    settled = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(steps), BATCH):
            some = steps[start : start + BATCH]
            for step, done in zip(some, pool.map(partial(work.carry_out, stop), some), strict=True):
                settled += done is not None
                if isinstance(done, Skipped):
                    skipped.append(done)
                elif done is not None:
                    copies[done.image_id] = done
                    acts[step.act] += 1
                    tell(Progress("stored", done.file, 1))
    left = {name: copy for name, copy in before.items() if name not in copies and present.get(copy.file) == copy.bytes}
    listed = [_listed(copy, rows.get(name), known.get(name)) for name, copy in (left | copies).items()]
    _write_index(to, index.ordered(listed))
    mine = list(copies.values())
    return Handed(
        to=to.url,
        acts=acts,
        embedded=sum(copy.embedded for copy in mine),
        beside=sum(copy.xmp is not None for copy in mine),
        earlier=len(left.keys() - {one.image_id for one in wanted}),
        skipped=tuple(skipped),
        undone=len(steps) - settled,
        stopped=stop.reason,
    )


def destination(ws: Workspace, to: str) -> Storage:
    """The storage at an address, or Refused where it meets one of the project's own."""
    remote = "://" in to and not to.startswith("file:")
    found = open_storage(
        to if "://" in to else str(Path(to).absolute()), ws.settings.storage.options if remote else None
    )
    for role, own in (("assets", ws.assets), ("history", ws.history), ("reports", ws.reports)):
        if _meet(found.url, own.url):
            raise Refused(
                f"{to} and storage.{role} ({ws.shown(own.url)}) lie one in the other: export to a place apart"
            )
    return found


def _previous(to: Storage, present: Mapping[str, int]) -> list[dict[str, Any]]:
    """The rows of the index that is there; Refused where files of its names are somebody else's."""
    rows = index.from_parquet(to.read(index.PARQUET))
    theirs = [name for name in (index.PARQUET, index.CSV, index.NOTE) if name in present]
    if theirs and rows is None:
        raise Refused(f"{to.where(theirs[0])} is not from an export: export to a folder of its own, or remove it")
    return rows or []


def _meet(one: str, other: str) -> bool:
    first, second = (place.rstrip("/") if "://" in place else os.path.realpath(place) for place in (one, other))
    return f"{first}/".startswith(f"{second}/") or f"{second}/".startswith(f"{first}/")


def _wanted(rows: Iterable[Mapping[str, Any]], mark: int) -> tuple[list[Wanted], list[Skipped]]:
    """What is to be copied, in the order of the ids; images that never had a file, or have it no more, are skipped."""
    with_file, skipped = [], []
    for row in rows:
        if row["has_local_copy"] and row["local_path"]:
            with_file.append(row)
        else:
            skipped.append(Skipped(row["image_id"], row["variant"], f"it is {row['state']}: there is no file"))
    names = named(with_file)
    return [Wanted(row["image_id"], names[row["image_id"]], row["sha256"], mark) for row in with_file], skipped


def _unlisted(
    to: Storage, wanted: Iterable[Wanted], known: Mapping[str, Mapping[str, Any]], present: Mapping[str, int]
) -> dict[str, Copy]:
    """Copies that a run made and did not live to list: their records tell of them."""
    lost = [one for one in wanted if one.file in present and known.get(one.image_id, {}).get("file") != one.file]
    records = to.read_many([beside(one.file, "json") for one in lost])
    found = {one.image_id: index.from_sidecar(records[beside(one.file, "json")]) for one in lost}
    return {
        name: copy
        for name, copy in found.items()
        # A copy under its old name goes first: it is renamed, and both names are dealt with.
        if copy and copy.image_id == name and known.get(name, {}).get("file") not in present
    }


@dataclass(frozen=True)
class _Work:
    """The hands of an export; each step is one image's, so that several can be taken at once."""

    ws: Workspace
    to: Storage
    rows: Mapping[str, Mapping[str, Any]]
    known: Mapping[str, Mapping[str, Any]]

    def carry_out(self, stop: Stop, step: Step) -> Copy | Skipped | None:
        """Do what a step says: the copy that is there then, or why there is none. None after a stop."""
        if stop:
            return None
        row = self.rows[step.wanted.image_id]
        done: Copy | Skipped | None = None
        if step.act is Act.KEEP:
            done = step.before
        elif step.act is Act.RENAME and step.before:
            done = self._renamed(step.before, step.wanted)
        done = done or self._copied(step.wanted, row)
        if isinstance(done, Skipped):
            return done
        listed = _listed(done, row, None)
        if step.act is not Act.KEEP or listed != self.known.get(done.image_id):
            self.to.write(beside(done.file, "json"), index.sidecar(listed))
        if step.before:
            self._tidy(step.before, done)
        return done

    def _copied(self, wanted: Wanted, row: Mapping[str, Any]) -> Copy | Skipped:
        data = self.ws.assets.read(row["local_path"])
        if data is None or sha256(data) != wanted.sha256:
            why = "its file is missing" if data is None else "its file is not what was stored: it changed"
            return Skipped(wanted.image_id, row["variant"], why)
        said = packet(_origin(row)) if wanted.mark else b""
        made = marked(data, said) if wanted.mark else None
        out = made.data if made else data
        xmp = beside(wanted.file, "xmp") if made and made.beside else None
        self.to.write(wanted.file, out)
        if xmp:
            self.to.write(xmp, said)
        return Copy(
            image_id=wanted.image_id,
            file=wanted.file,
            sha256=wanted.sha256,
            mark=wanted.mark,
            bytes=len(out),
            copy_sha256=sha256(out),
            embedded=made is not None and xmp is None,
            xmp=xmp,
            exported_at=self.ws.now(),
        )

    def _renamed(self, before: Copy, wanted: Wanted) -> Copy | None:
        """The copy under its new name; None where what is there is not the copy that was made."""
        data = self.to.read(before.file)
        said = self.to.read(before.xmp) if before.xmp else None
        if data is None or sha256(data) != before.copy_sha256 or (before.xmp and said is None):
            return None
        self.to.write(wanted.file, data)
        xmp = beside(wanted.file, "xmp") if said is not None else None
        if xmp and said is not None:
            self.to.write(xmp, said)
        return replace(before, file=wanted.file, xmp=xmp)

    def _tidy(self, before: Copy, now: Copy) -> None:
        """Remove what the earlier copy leaves behind: files of ours that nobody will look for."""
        old = {before.file, beside(before.file, "json"), before.xmp}
        new = {now.file, beside(now.file, "json"), now.xmp}
        gone = sorted(file for file in old - new if file)
        if gone:
            self.to.delete(gone)


def _listed(copy: Copy, row: Mapping[str, Any] | None, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The index row of a copy; what the history no longer tells stays as it was told."""
    return index.row_of(copy, row or before or {})


def _origin(row: Mapping[str, Any]) -> Origin:
    played = row["origin"] == SANDBOX
    return Origin(
        image_id=row["image_id"],
        prompt=row["prompt"] or "",
        system="ideoflow sandbox, a stand-in for Ideogram" if played else "Ideogram",
        model=row["model"],
        tool=f"ideoflow {importlib.metadata.version('ideoflow')}",
        final_prompt=row["final_prompt"],
        generated_at=row["generated_at"],
    )


def _write_index(to: Storage, rows: list[dict[str, Any]]) -> None:
    """Index and note, each only where it says something new. First what tells that the others are ours."""
    files = {
        index.PARQUET: index.parquet(rows),
        index.CSV: index.spreadsheet(rows),
        index.NOTE: note(rows).encode(),
    }
    for name, data in files.items():
        if to.read(name) != data:
            to.write(name, data)
