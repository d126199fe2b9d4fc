"""An import from beginning to end: what a collection holds and what would become of it, then doing it.

For the `import` command. `survey` reads and changes nothing; `carry_out` is safe to be killed anywhere and to be
repeated, alone or beside others.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from flows.adoption.decide import WANTED, Fate, Item, Known, Seen, Survey, decide, own_fingerprint
from flows.adoption.enter import Entered, Intake
from flows.adoption.lists import LISTS
from flows.adoption.match import Catalogue, Match
from flows.adoption.shelf import PICTURES, Candidate, Held, Shelf, from_folder, from_list
from flows.assets.verify import inspect
from flows.campaign.steps import measure
from flows.errors import IdeoflowError, InvalidInput, Unfinished, UserError
from flows.history import view
from flows.history.fold import Book
from flows.ideogram.links import LinkRefused, check_image_link
from flows.ids import sha256
from flows.manifest.variant import Variant
from flows.pipeline.doubt import abandoned
from flows.pipeline.imported import finish_import
from flows.pipeline.kit import Kit, Progress, Stop
from flows.pipeline.run import seal
from flows.storage import open_storage
from flows.workspace import NO_MANIFEST, Workspace

TOGETHER = 8
SEAL_EVERY = 500
LOOKERS = 4


@dataclass(frozen=True)
class Ask:
    """What is to be taken over. `source` is a folder, a list or an fsspec URL; `model` that of records naming none."""

    source: str
    manifests: tuple[str, ...] = ()
    match: Match = Match.PROMPT
    model: str | None = None


@dataclass
class Done:
    """What an import did: the pictures one by one, and how many of an earlier import it brought to their end."""

    run_id: str
    entered: list[Entered] = field(default_factory=list)
    finished: int = 0
    measured: int = 0
    unsealed: str = ""
    stopped: str | None = None

    def of(self, *fates: Fate) -> list[Entered]:
        """The pictures with one of these fates."""
        return [one for one in self.entered if one.fate in fates]


def survey(ws: Workspace, ask: Ask, tell: Callable[[Progress], None] = lambda _: None) -> Survey:
    """Read a collection and decide about every picture of it. Fetches nothing, changes nothing."""
    shelf = _shelf(ws, ask.source)
    candidates = [_with_model(candidate, ask.model) for candidate in shelf.candidates]
    tell(Progress("planned", "", len(candidates)))
    looked = list(_looked(candidates, tell))
    catalogue = Catalogue(_variants(ws, ask), ws.settings.origin)
    book = ws.desk().open(catalogue.wanted)
    items = decide(
        looked,
        _known(ws, book, catalogue),
        catalogue,
        origin=ws.settings.origin,
        how=ask.match,
        now=ws.now(),
        refusal=lambda url: _refusal(ws, url),
    )
    return Survey(ask.source, ws.settings.origin, ask.match, items, shelf.problems)


async def carry_out(ws: Workspace, found: Survey, tell: Callable[[Progress], None], stop: Stop) -> Done:
    """Take over what the survey says: copy or fetch, store, record, seal, measure."""
    items = found.of(*WANTED)
    await asyncio.to_thread(_room, ws, found)
    async with ws.links() as api:
        done = Done(ws.new_id())
        kit = ws.kit(api, done.run_id, tell, stop)
        tell(Progress("planned", "", len(items)))
        done.finished = await _finish(kit)
        prints = {item.fingerprint or own_fingerprint(kit.origin, item.seen.sha256) for item in items if item.seen}
        book = await asyncio.to_thread(kit.desk.open, prints | {item.fingerprint for item in items if item.fingerprint})
        intake = Intake(kit, book, await asyncio.to_thread(_digests, ws, book))
        try:
            for start in range(0, len(items), SEAL_EVERY):
                await _together(intake, items[start : start + SEAL_EVERY], done)
                await _sealed(kit, done)
        finally:
            # Also after nothing new: what an import that was cut off left behind is recorded now.
            if not items:
                await _sealed(kit, done)
        done.stopped = stop.reason
    done.measured = await asyncio.to_thread(measure, ws, done.run_id, tell)
    return done


async def _together(intake: Intake, items: Sequence[Item], done: Done) -> None:
    """Several at a time. What is in the way of one (a full disk, a busy history) stops the others before they begin."""
    kit = intake.kit
    window = asyncio.Semaphore(TOGETHER)

    async def one(item: Item) -> None:
        async with window:
            if kit.stop:
                return
            try:
                entered = await intake.enter(item)
            except Unfinished as trouble:
                kit.stop.ask(str(trouble), "see to the storage, then import again: it goes on from here")
                return
        done.entered.append(entered)
        kit.tell(Progress("stored" if entered.fate is Fate.TAKE else "lost", item.name, 1))

    await asyncio.gather(*(one(item) for item in items))


async def _sealed(kit: Kit, done: Done) -> None:
    try:
        result = await seal(kit)
    except IdeoflowError as trouble:
        done.unsealed = f"the history could not be written: {trouble}"
        kit.stop.ask(done.unsealed, "nothing is lost: import again")
        return
    done.unsealed = (
        "another run is writing the history: any later run records the rest" if result.held_elsewhere else ""
    )


async def _finish(kit: Kit) -> int:
    """Bring imports that were cut off to their end: how many."""
    book = await asyncio.to_thread(kit.desk.open, ())
    if not any(entry.imported and entry.final is None for entry in book.live):
        return 0
    now = await asyncio.to_thread(kit.history.now)
    left = [entry for entry in abandoned(book, now) if entry.imported and entry.origin == kit.origin]
    for entry in left:
        if entry.request is not None:
            await finish_import(kit, entry, entry.request)
    return len(left)


def _room(ws: Workspace, found: Survey) -> None:
    """Nothing is begun that might not fit."""
    free = ws.assets.free_bytes()
    needed = found.bytes + (ws.settings.storage.reserve_mb << 20)
    if free is not None and free < needed:
        raise Unfinished(
            f"only {free >> 20} MB free on {ws.assets.url}, {needed >> 20} MB needed: make room (or lower "
            "storage.reserve_mb) and import again"
        )


def _shelf(ws: Workspace, source: str) -> Shelf:
    """Everything at a path or URL, a folder or a list."""
    if "://" in source:
        return _remote(ws, source)
    path = Path(source).expanduser().absolute()
    if not path.exists():
        raise UserError(f"there is nothing at {source}: name a folder of pictures, or a list (.json, .jsonl, .csv)")
    _not_ours(ws, path, source)
    here = open_storage(str(path if path.is_dir() else path.parent))
    shown = str(Path(source).parent) if path.is_file() else source
    if path.is_dir():
        return _found(from_folder(here, here.list(), lambda name: f"{shown.rstrip('/')}/{name}", ws.now()), source)
    stat, data = here.stat(path.name), here.read(path.name)
    if stat is None or data is None or not path.name.lower().endswith(LISTS):
        raise UserError(f"{source} is no list: name a folder of pictures, or a .json, .jsonl or .csv file")
    bases = (path.parent, ws.settings.project, Path.cwd())
    return _found(from_list(source, stat, data, lambda name: _local(name, bases), ws.now()), source)


def _not_ours(ws: Workspace, path: Path, source: str) -> None:
    """Pictures are copied into the asset storage, so what is imported must not be that very folder."""
    assets = Path(ws.assets.url)
    if "://" not in ws.assets.url and (path.is_relative_to(assets) or (path.is_dir() and assets.is_relative_to(path))):
        raise UserError(
            f"{source} is this project's own asset storage ({ws.shown(str(assets))}), or holds it: what is in there "
            "need not be taken over. Is its history lost? Then move the pictures to another folder first"
        )


def _remote(ws: Workspace, source: str) -> Shelf:
    options = ws.settings.storage.options
    if not source.lower().endswith(LISTS):
        here = open_storage(source, options)
        return _found(from_folder(here, here.list(), here.where, ws.now()), source)
    folder, _, name = source.rpartition("/")
    here = open_storage(folder, options)
    stat, data = here.stat(name), here.read(name)
    if stat is None or data is None:
        raise UserError(f"there is nothing at {source}")

    def look(named: str) -> Held | None:
        place = named.removeprefix(f"{folder}/").removeprefix("./")
        there = None if "://" in place or ".." in place else here.stat(place)
        return Held(here, place, here.where(place), there.modified) if there else None

    return _found(from_list(source, stat, data, look, ws.now()), source)


def _found(shelf: Shelf, source: str) -> Shelf:
    if not shelf.candidates and not shelf.problems:
        raise UserError(f"{source} holds no pictures ({', '.join(PICTURES)}) and no records of any")
    return shelf


def _local(name: str, bases: Sequence[Path]) -> Held | None:
    """The file that a list on this machine means: beside it, in the project, or where we are."""
    tidy = Path(name.replace("\\", "/").removeprefix("file://")).expanduser()
    for base in bases:
        path = base / tidy
        if path.is_file():
            here = open_storage(str(path.parent))
            stat = here.stat(path.name)
            return Held(here, path.name, str(tidy), stat.modified) if stat else None
    return None


def _looked(
    candidates: Sequence[Candidate], tell: Callable[[Progress], None]
) -> Iterator[tuple[Candidate, Seen | None]]:
    """Each picture read and decoded as a whole, a few at a time, in order."""
    with ThreadPoolExecutor(LOOKERS, "look") as crew:
        for candidate, seen in zip(candidates, crew.map(_look, candidates), strict=True):
            tell(Progress("stored", "", 1))
            yield candidate, seen


def _look(candidate: Candidate) -> Seen | None:
    data = candidate.held.read() if candidate.held else None
    if data is None:
        return None
    found = inspect(io.BytesIO(data), None)
    return Seen(sha256(data), len(data), found.width, found.height, found.flaw)


def _with_model(candidate: Candidate, model: str | None) -> Candidate:
    if model is None or candidate.record.model is not None:
        return candidate
    return replace(candidate, record=replace(candidate.record, model=model))


def _variants(ws: Workspace, ask: Ask) -> Sequence[Variant]:
    """What the manifests want; nothing where none is named and there is none."""
    if ask.match is Match.NONE:
        return ()
    try:
        return ws.manifests(ask.manifests).variants
    except InvalidInput as error:
        if ask.manifests or any(problem.line or problem.message != NO_MANIFEST for problem in error.problems):
            raise
        return ()


def _refusal(ws: Workspace, url: str) -> str:
    try:
        check_image_link(url, image_hosts=ws.settings.api.image_hosts, base_url=ws.links_base)
    except LinkRefused as refused:
        return str(refused)
    return ""


def _known(ws: Workspace, book: Book, catalogue: Catalogue) -> Known:
    return Known(frozenset(_digests(ws, book)), {print_: book.of(print_).counted for print_ in catalogue.wanted})


def _digests(ws: Workspace, book: Book) -> set[str]:
    """Of every picture in the books: those under way first, so that none is missed while it is being sealed."""
    found = {image.sha256 for entry in book.live if entry.final for image in entry.final.images}
    # One that was cut off is known too: it is brought to its end, not begun anew.
    open_ = (entry.request for entry in book.live if entry.final is None and entry.imported)
    found |= {claim.body["import"]["sha256"] for claim in open_ if claim}
    found |= set(view.images(ws.parts, ["sha256"])["sha256"].to_pylist())
    return {digest for digest in found if digest}
