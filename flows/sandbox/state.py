"""The sandbox's memory: jobs, counters and faults in one SQLite file that any number of servers may share.

A job is inserted once, with the instant at which it will be done, and never changed afterwards except to note
that its answer was handed over. Running, completed, failed and billed are read off the clock. Why is this all
right? Because then there is nothing to finish: whoever is killed, whenever, every row means the same to the
next process, and a job cannot be billed twice. The in-flight limit is counted and the row inserted in one
`BEGIN IMMEDIATE` transaction, so that no two servers can both take the last place.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.sandbox.faults import Fault, FaultPlan
from flows.sandbox.jobs import Job, Ledger, from_row, ledger_of, to_row

FILE = "sandbox.sqlite3"
_VERSION = 1
_SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    body_digest TEXT NOT NULL,
    images INTEGER NOT NULL,
    micros INTEGER NOT NULL,
    failure TEXT,
    submitted_at REAL NOT NULL,
    due_at REAL NOT NULL,
    acknowledged_at REAL,
    details TEXT NOT NULL
);
CREATE INDEX jobs_by_due ON jobs (due_at, images);
CREATE INDEX jobs_by_digest ON jobs (body_digest);
CREATE TABLE images (id TEXT PRIMARY KEY, job TEXT NOT NULL, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (
    family TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (family, name)
) WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Busy:
    """No room: so many images were being made."""

    in_flight: int


@dataclass
class Store:
    """One process's connection to a state directory. Safe to use from any thread.

    Use `Store.open`.
    """

    clock: Callable[[], float]
    _db: sqlite3.Connection
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def open(cls, state_dir: Path, clock: Callable[[], float], entropy: Callable[[int], bytes]) -> Store:
        """Opens, or founds, the state in a directory."""
        state_dir.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(state_dir / FILE, timeout=30, isolation_level=None, check_same_thread=False)
        store = cls(clock, db)
        try:
            _use_wal(db)
            with store._transaction():
                _found(db, entropy)
        except BaseException:
            db.close()
            raise
        return store

    def close(self) -> None:
        """Lets go of the file. Nothing is lost without it."""
        with self._lock:
            self._db.close()

    def secret(self) -> bytes:
        """What links and ids are derived from: one per state directory."""
        return bytes(self._rows("SELECT value FROM settings WHERE name = 'secret'")[0][0])

    def submit(self, body_digest: str, limit: int, make: Callable[[int, float], Job]) -> Job | Busy:
        """Takes places for a job and records it, or says that there is no room; atomically.

        `make(ordinal, now)` is told how many jobs of the same body came before, and when it is.
        """
        with self._transaction() as db:
            now = self.clock()
            ordinal = db.execute("SELECT count(*) FROM jobs WHERE body_digest = ?", (body_digest,)).fetchone()[0]
            job = make(ordinal, now)
            in_flight = self._in_flight(now)
            if in_flight + job.images > limit:
                self._add("post", "rejected_in_flight")
                return Busy(in_flight)
            db.execute(
                "INSERT INTO jobs (id, body_digest, images, micros, failure, submitted_at, due_at, details)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job.id,
                    job.body_digest,
                    job.images,
                    job.micros,
                    job.failure,
                    now,
                    job.due_at,
                    to_row(job),
                ),
            )
            db.executemany(
                "INSERT INTO images VALUES (?, ?, ?)",
                [(image_id, job.id, position) for position, image_id in enumerate(job.image_ids)],
            )
            self._raise_to("post", "peak_in_flight_images", in_flight + job.images)
            return job

    def job(self, generation_id: str) -> Job | None:
        """The job of that id."""
        rows = self._rows(f"{_SELECT} WHERE id = ?", generation_id)
        return from_row(*rows[0]) if rows else None

    def image(self, image_id: str) -> tuple[Job, int] | None:
        """The job that an image belongs to, and its place among that job's images."""
        rows = self._rows("SELECT job, position FROM images WHERE id = ?", image_id)
        job = self.job(rows[0][0]) if rows else None
        return (job, int(rows[0][1])) if job else None

    def acknowledge(self, generation_id: str) -> None:
        """Notes that the answer to the submission was handed over, at its first time."""
        with self._transaction() as db:
            statement = "UPDATE jobs SET acknowledged_at = ? WHERE id = ? AND acknowledged_at IS NULL"
            db.execute(statement, (self.clock(), generation_id))

    def count(self, family: str, names: Iterable[str]) -> None:
        """Adds one to each counter."""
        with self._transaction():
            for name in names:
                self._add(family, name)

    def counters(self) -> dict[str, dict[str, int]]:
        """Every counter, by family and name."""
        found: dict[str, dict[str, int]] = {}
        for family, name, value in self._rows("SELECT family, name, value FROM counters ORDER BY family, name"):
            found.setdefault(family, {})[name] = value
        return found

    def in_flight(self) -> int:
        """Images being made now."""
        with self._lock:
            return self._in_flight(self.clock())

    def ledger(self) -> Ledger:
        """What ran and what it cost, in the order of acceptance."""
        jobs = [from_row(*row) for row in self._rows(f"{_SELECT} ORDER BY number")]
        return ledger_of(jobs, self.clock())

    def billed(self, start: float, end: float) -> list[Job]:
        """Jobs that were completed, and hence billed, from `start` until before `end`."""
        rows = self._rows(f"{_SELECT} WHERE due_at >= ? AND due_at < ? AND failure IS NULL ORDER BY number", start, end)
        return [from_row(*row) for row in rows]

    def set_faults(self, plan: FaultPlan, *, keep_progress: bool = False) -> None:
        """Replaces the plan and starts its numbering anew (`keep_progress`: not if it is the same plan)."""
        text = json.dumps(plan.to_json(), sort_keys=True)
        with self._transaction() as db:
            if keep_progress and self._faults_text() == text:
                return
            db.execute("DELETE FROM counters WHERE family = 'fault_rules'")
            db.execute("INSERT OR REPLACE INTO settings VALUES ('faults', ?)", (text,))

    def faults(self) -> FaultPlan:
        """The plan in force."""
        return FaultPlan.of(json.loads(self._faults_text()))

    def draw_fault(self, kind: str, path: str) -> Fault | None:
        """The fault that this request meets, if any; counts it for every rule that sees it."""
        if self._faults_text() == "[]":
            return None
        with self._transaction():
            for number, rule in enumerate(self.faults().rules):
                if not rule.matches(kind, path):
                    continue
                n = self._add("fault_rules", str(number)) - 1
                name = rule.decide(n)
                if name is not None:
                    self._add("faults", name)
                    return Fault(name, n, rule)
        return None

    def _faults_text(self) -> str:
        rows = self._rows("SELECT value FROM settings WHERE name = 'faults'")
        return str(rows[0][0]) if rows else "[]"

    def _in_flight(self, now: float) -> int:
        query = "SELECT coalesce(sum(images), 0) FROM jobs WHERE due_at > ?"
        return int(self._db.execute(query, (now,)).fetchone()[0])

    def _add(self, family: str, name: str) -> int:
        query = (
            "INSERT INTO counters VALUES (?, ?, 1)"
            " ON CONFLICT (family, name) DO UPDATE SET value = value + 1 RETURNING value"
        )
        return int(self._db.execute(query, (family, name)).fetchone()[0])

    def _raise_to(self, family: str, name: str, value: int) -> None:
        query = (
            "INSERT INTO counters VALUES (?, ?, ?)"
            " ON CONFLICT (family, name) DO UPDATE SET value = max(value, excluded.value)"
        )
        self._db.execute(query, (family, name, value))

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def read_ledger(state_dir: Path, clock: Callable[[], float] = time.time) -> Ledger:
    """The ledger of a state directory, read without a server. No state yet is an empty ledger."""
    if not (state_dir / FILE).exists():
        return ledger_of((), 0)
    try:
        store = Store.open(state_dir, clock, _no_entropy)
    except _NotFoundedError:
        return ledger_of((), 0)
    try:
        return store.ledger()
    finally:
        store.close()


_SELECT = "SELECT details, failure, acknowledged_at FROM jobs"


def _found(db: sqlite3.Connection, entropy: Callable[[int], bytes]) -> None:
    """Makes the tables and the secret if the file is new; refuses a file of another version."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        for statement in filter(str.strip, _SCHEMA.split(";")):
            db.execute(statement)
        db.execute("INSERT INTO settings VALUES ('secret', ?)", (entropy(32),))
        db.execute(f"PRAGMA user_version = {_VERSION}")
    elif version != _VERSION:
        raise RuntimeError(f"sandbox state of version {version} where {_VERSION} is expected")


def _use_wal(db: sqlite3.Connection) -> None:
    """Switches to write-ahead logging; two processes at once may meet a lock that no timeout covers."""
    for attempt in range(50):
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if attempt == 49:
                raise
            time.sleep(0.02)
        else:
            break
    # A commit survives the death of any process; only a power cut could undo the last ones, whole.
    db.execute("PRAGMA synchronous = NORMAL")


class _NotFoundedError(Exception):
    """A server has made the file and not yet what belongs in it: nothing ran so far."""


def _no_entropy(_: int) -> bytes:
    raise _NotFoundedError
