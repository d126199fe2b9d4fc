"""From what was found to a verdict. Pure: every number and every clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from flows.doctor.check import Check, bad, odd, ok
from flows.report import words

OLDEST_PYTHON = (3, 11)
# Signatures of links and of S3 requests go by the clock; below this nobody notices.
NOTICED = timedelta(seconds=30)
REFUSED = timedelta(minutes=5)
ROOMY = 2 << 30
# What a resolver may pick though it does not work together: package, what works, and what breaks otherwise.
BREAKING: tuple[tuple[str, str, str], ...] = (
    ("fastapi", "<0.151", "with it Prefect's server does not start, so no flow runs"),
    ("sqlalchemy", "<2.1", "with it Prefect's scheduler starts nothing, so schedules never fire"),
)


def python(version: tuple[int, ...]) -> Check:
    """The interpreter."""
    shown = ".".join(map(str, version[:3]))
    if version[:2] < OLDEST_PYTHON:
        return bad("python", f"Python {shown} is too old", "install ideoflow with Python 3.11 or newer")
    return ok("python", f"Python {shown}")


def versions(installed: Mapping[str, str], declared: Sequence[str], shown: Sequence[str]) -> Check:
    """The packages. `declared` are requirements as ideoflow's own metadata has them, extras left out."""
    wrong: list[str] = []
    pins: list[str] = []
    for line in declared:
        need = Requirement(line)
        have = installed.get(canonicalize_name(need.name))
        if have is None or not need.specifier.contains(have, prereleases=True):
            wrong.append(f"{need.name} {have or 'is not installed'} (needs {need.specifier or 'any'})")
            pins.append(f"'{need.name}{need.specifier}'")
    if wrong:
        return bad("packages", "; ".join(wrong), f"pip install {' '.join(pins)}")
    for name, works, breaks in BREAKING:
        have = installed.get(name)
        if have is not None and not SpecifierSet(works).contains(have, prereleases=True):
            return odd("packages", f"{name} {have}: {breaks}", f"pip install '{name}{works}'")
    return ok("packages", ", ".join(f"{name} {installed[name]}" for name in shown if name in installed))


def clock(name: str, skew: timedelta, whose: str) -> Check:
    """This machine's clock beside another; `skew` is ours minus theirs."""
    apart = abs(skew)
    if apart <= NOTICED:
        return ok(name, f"agrees with {whose}")
    way = "ahead of" if skew > timedelta(0) else "behind"
    said = f"this machine is {words.duration(apart)} {way} {whose}"
    remedy = "set the clock by the network (timedatectl set-ntp true)"
    if apart <= REFUSED:
        return odd(name, said, remedy)
    return bad(name, f"{said}: signed requests will be refused, and links judged dead too early or too late", remedy)


def disk(name: str, free: int, reserve: int) -> Check:
    """Free space, in bytes, where pictures or rows are written."""
    shown = words.size(free)
    if free < reserve:
        return bad(
            name,
            f"{shown} free, less than the {words.size(reserve)} that stay untouched: nothing will be bought",
            "make room, or lower storage.reserve_mb",
        )
    if free < reserve + ROOMY:
        return odd(
            name, f"{shown} free, of which {words.size(reserve)} stay untouched", "make room before a large campaign"
        )
    return ok(name, f"{shown} free")


@dataclass(frozen=True)
class Tried:
    """What a storage did when it was asked to. `trouble` is the first thing that failed, at `step`."""

    where: str
    step: str = ""
    trouble: str = ""
    exclusive: bool = True
    left: bool = False


def storage(name: str, tried: Tried, *, single_writer: bool, ledger: bool) -> Check:
    """Rights, as shown by doing. Only the `ledger` (the history) has to create exclusively."""
    if tried.trouble:
        return bad(name, f"cannot {tried.step}: {tried.trouble}", _rights(tried))
    if not tried.exclusive and ledger and not single_writer:
        return bad(
            name,
            f"{tried.where} lets two runs create the same object, so both would pay",
            "use a storage that honours If-None-Match, or promise storage.single_writer: true",
        )
    if not tried.exclusive and ledger:
        return odd(
            name,
            f"{tried.where} cannot create exclusively; storage.single_writer promises that one run at a time is all",
            "never start two runs at once, on any machine",
        )
    return ok(name, f"{tried.where}: written, read, listed, created once, deleted")


def _rights(tried: Tried) -> str:
    if "://" in tried.where:
        return f"check credentials, bucket and rights of {tried.where}: read, write, list and delete are needed"
    return f"check that {tried.where} is a folder you may write to, on a disk with room"


@dataclass(frozen=True)
class Books:
    """What the journal and the locks say. Locks and leftovers are names."""

    open: int = 0
    waiting: int = 0
    in_doubt: int = 0
    unreadable: int = 0
    dead_locks: tuple[str, ...] = ()
    live_locks: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()


def journal(books: Books) -> Check:
    """Requests that are not sealed yet."""
    if books.in_doubt:
        return bad(
            "journal",
            f"{words.count(books.in_doubt, 'request')} in doubt: counted as bought, with nothing to show for it"
            + (f" ({books.unreadable} cannot be read)" if books.unreadable else ""),
            "`ideoflow recover` lists them, and settles them as you say",
        )
    if books.waiting:
        return odd(
            "journal",
            f"{words.count(books.waiting, 'request')} of a run that died: paid for, and not finished",
            "`ideoflow recover` finishes them, and so does the next `ideoflow generate`",
        )
    if books.open:
        return ok("journal", f"{words.count(books.open, 'request')} under way, of runs that are alive")
    return ok("journal", "nothing is open or in doubt")


def leftovers(books: Books) -> Check:
    """What killed processes left behind."""
    found = [*(f"a dead lock ({name})" for name in books.dead_locks)]
    if books.leftovers:
        found.append(words.count(len(books.leftovers), "temporary file"))
    if found:
        return odd("leftovers", f"a killed run left {' and '.join(found)}", "`ideoflow doctor --fix` removes them")
    if books.live_locks:
        return ok("leftovers", f"none; {', '.join(books.live_locks)} is held by a run that is alive")
    return ok("leftovers", "none")
