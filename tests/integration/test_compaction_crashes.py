"""`maintain --compact` in a bucket, killed at each of its steps, then run again; readers are exact all the while."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from flows.errors import HistoryBusy
from flows.history.events import Event
from flows.history.parts import encoded
from flows.history.reading import Asked, read
from flows.history.schema import VERSION_KEY, event_row, table
from flows.history.sql import query
from flows.ids import sha256, uuid7

LOCK = r"^history/\.locks/history"
PLAN = r"^history/\.compact/"
PART = r"^history/(images|requests|lifecycle|features)/"
DATASETS = ("images", "requests", "lifecycle", "features")
# Long over, whatever day it is.
CLOSED = (datetime(2024, 1, 10, tzinfo=UTC), datetime(2024, 2, 10, tzinfo=UTC))
PARTS = 3


@dataclass(frozen=True)
class Kill:
    """Where to die: at the n-th operation of this kind on such a path."""

    op: str
    path: str
    when: str
    nth: int = 1

    def trap(self) -> dict[str, Any]:
        return {"op": self.op, "path": self.path, "when": self.when, "nth": self.nth}


# Sealing takes the history's lock too, before compaction does.
KILLS = {
    "before the lock": Kill("create", LOCK, "before", 2),
    "with the lock": Kill("create", LOCK, "after", 2),
    "before it is renewed": Kill("write", LOCK, "before"),
    "before the plan": Kill("write", PLAN, "before"),
    "with the plan": Kill("write", PLAN, "after"),
    "before the new part": Kill("write", PART, "before"),
    "with the new part": Kill("write", PART, "after"),
    "reading it back": Kill("read", PART, "after"),
    "before the first old one goes": Kill("delete", PART, "before"),
    "the first old one is gone": Kill("delete", PART, "after"),
    "in the middle": Kill("delete", PART, "after", 2),
    "all old ones are gone": Kill("delete", PART, "after", PARTS + 1),
    "before the plan goes": Kill("delete", PLAN, "before"),
    "the plan is gone": Kill("delete", PLAN, "after"),
    "with the next plan": Kill("write", PLAN, "after", 2),
    "in the middle of another dataset": Kill("delete", PART, "after", 3 * PARTS),
    "with the part of an older schema written anew": Kill("write", PART, "after", len(CLOSED) + 1),
    "before the lock goes": Kill("delete", LOCK, "before", 2),
}


class Shelf:
    """Two closed months of small parts with doubles in them, and a part of an older schema in the present month."""

    def __init__(self, place: Any) -> None:
        place.manifest(1)
        self.place = place
        self.parts = place.workspace().parts
        self._count = 0
        for month in CLOSED:
            for _ in range(PARTS):
                rows = [self._image(month) for _ in range(3)]
                self._write(month, rows)
            # A lock was broken once: some rows are there twice.
            self.parts.write("images", f"{month:%Y-%m}", rows[:2])
        self._older_schema(place.workspace().now())
        self.ids = _ids(read(self.parts, "images", Asked(), ["image_id"]))
        self.before, self.raw = self.seen(), self.rows()

    def _image(self, month: datetime) -> dict[str, Any]:
        """Billed and withheld, so that no picture has to be there."""
        self._count += 1
        at = month + timedelta(minutes=self._count)
        request = uuid7(at, lambda length: self._count.to_bytes(length, "big"))
        return {
            "image_id": f"{request}-0",
            "request_id": request,
            "fingerprint": sha256(b"%d" % (self._count // 2)),
            "n": self._count % 2,
            "image_index": 0,
            "run_id": "earlier",
            "origin": "sandbox",
            "status": "withheld",
            "prompt_id": "hero",
            "variant": "hero",
            "tags": ["a", "b"],
            "prompt": f"a bottle, take {self._count}",
            "requested_at": at,
            "cost_usd": 0.06,
        }

    def _write(self, month: datetime, rows: list[dict[str, Any]]) -> None:
        name = f"{month:%Y-%m}"
        self.parts.write("images", name, rows)
        calls = [
            {
                **{key: row[key] for key in ("request_id", "fingerprint", "n", "requested_at", "cost_usd", "origin")},
                "revision": 0,
                "outcome": "completed",
                "answered": True,
                "images": 1,
                "counted": 1,
            }
            for row in rows
        ]
        self.parts.write("requests", name, calls)
        event = event_row(
            event_id=uuid7(rows[0]["requested_at"], lambda length: self._count.to_bytes(length, "big")),
            at=rows[0]["requested_at"],
            event=Event.APPROVED,
            actor="a test",
            run_id="r",
            image=rows[0]["image_id"],
        )
        self.parts.write("lifecycle", name, [event])
        measured = {"sha256": rows[0]["image_id"], "extractor": 1, "thumbnail": b"\0\xff", "extracted_at": month}
        self.parts.write("features", name, [measured])

    def _older_schema(self, now: datetime) -> None:
        rows = table("images", [self._image(now)]).drop_columns(["retention", "etag"])
        old = rows.replace_schema_metadata({VERSION_KEY: "1"})
        self.parts.put(self.parts.fresh("images", f"{now:%Y-%m}"), encoded(old))

    def seen(self) -> dict[str, list[str]]:
        """What our readers say of every dataset."""
        parts = self.place.workspace().parts
        return {name: _told(read(parts, name, Asked())) for name in (*DATASETS, "current")}

    def rows(self) -> dict[str, set[str]]:
        """Every row that lies there, in whatever part."""
        return {name: set(_told(self.parts.read(self.parts.listing(name), name))) for name in DATASETS}

    def is_settled(self) -> None:
        """What one undisturbed run leaves: the same rows, each once, in one part a month; nothing hidden."""
        assert self.seen() == self.before
        assert self.rows() == self.raw
        for name in DATASETS:
            listing = self.parts.listing(name)
            assert len(listing) == len({part.split("/")[1] for part in listing}), name
        assert sorted(self.place.raw("images")["image_id"]) == self.ids, "a reader of raw files sees each row once"
        for hidden in (".compact", ".locks"):
            assert self.parts.storage.sub(hidden).list() == []


def _ids(rows: pa.Table) -> list[str]:
    return sorted(map(str, rows["image_id"].to_pylist()))


def _told(rows: pa.Table) -> list[str]:
    return sorted(map(repr, rows.to_pylist()))


@contextlib.contextmanager
def watched(shelf: Shelf) -> Iterator[None]:
    """Somebody reads all the while, by every way there is, and always sees the same."""
    done, looks, ids = threading.Event(), [0], shelf.ids
    wrong: list[str] = []

    def look() -> None:
        parts = shelf.place.workspace().parts
        while not done.is_set() or not looks[0]:
            with contextlib.suppress(HistoryBusy):
                images = read(parts, "images", Asked(), ["image_id"])
                standing = read(parts, "current", Asked(), ["image_id", "approved"])
                asked = query(parts, "select image_id from images")
                seen = [_ids(found) for found in (images, standing, asked)]
                approved = standing.filter(standing["approved"]).num_rows
                if seen != [ids] * 3 or approved != PARTS * len(CLOSED):
                    wrong.append(f"{approved} approved, {[len(found) for found in seen]} of {len(ids)}")
                looks[0] += 1

    def guarded() -> None:
        try:
            look()
        except Exception as error:  # noqa: BLE001  told below
            wrong.append(repr(error))

    reader = threading.Thread(target=guarded)
    reader.start()
    try:
        yield
    finally:
        done.set()
        reader.join()
    assert not wrong
    assert looks[0]


@pytest.fixture(params=[pytest.param("bucket_place", marks=pytest.mark.s3), "seaweed_place"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    """In moto's bucket, and in one of another server."""
    return Shelf(request.getfixturevalue(request.param))


@pytest.mark.slow
@pytest.mark.parametrize("name", KILLS)
def test_killed_anywhere_the_next_run_finishes(shelf: Shelf, name: str) -> None:
    """No row is lost or doubled for any reader, at any time; the next run leaves what an undisturbed one does."""
    with watched(shelf):
        assert shelf.place.run(compact=True, trap=KILLS[name].trap()) is None, "the trap was never reached"
        assert shelf.seen() == shelf.before
        assert shelf.rows() == shelf.raw
        done = shelf.place.run(compact=True)
    assert done["held_elsewhere"] is False, done
    shelf.is_settled()


@pytest.mark.slow
def test_killed_twice_and_two_at_once(shelf: Shelf) -> None:
    """The one that finishes is killed too; then two start at the same moment, and one of them does it."""
    with watched(shelf):
        for name in ("the first old one is gone", "before the first old one goes", "all old ones are gone"):
            assert shelf.place.run(compact=True, trap=KILLS[name].trap()) is None
            assert shelf.seen() == shelf.before
        both = [shelf.place.start(compact=True) for _ in range(2)]
        told = [run.wait() for run in both]
        assert any("error" not in one for one in told), told
        assert all("error" not in one or one["kind"] == "HistoryBusy" for one in told), told
        shelf.place.run(compact=True)
    shelf.is_settled()
    again = shelf.place.run(compact=True)
    assert (again["parts_before"], again["finished"], again["upgraded"]) == (0, 0, 0)
