"""A retention run killed at each of its steps, on a disk and on S3, then run again. Nothing goes before its event."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.history.events import Event
from flows.history.standing import current

POLICY = """\
version: 1
enabled: true
classes:
  classic: {match: all, keep_within: 30d, allow_empty: true}
"""
EVENTS = r"^history/lifecycle/"
NOTE = r"^history/\.retention/"
PICTURE = r"^assets/.*\.png$"
SIDECAR = r"^assets/.*\.json$"
LOCK = r"^history/\.locks/"


@dataclass(frozen=True)
class Kill:
    """Where to die: at the n-th operation of this kind on such a path."""

    op: str
    path: str
    when: str
    nth: int = 1


KILLS = {
    "before the lock": Kill("create", LOCK, "before"),
    "with the lock": Kill("create", LOCK, "after"),
    "renewing the lock": Kill("write", LOCK, "before"),
    "before anything is trashed": Kill("write", EVENTS, "before"),
    "with the trash on record": Kill("write", EVENTS, "after"),
    "looking at the first file to go": Kill("stat", PICTURE, "after", 13),
    "before it is measured": Kill("write", r"^history/features/", "before"),
    "measured": Kill("write", r"^history/features/", "after"),
    "before the note": Kill("write", NOTE, "before"),
    "with the note": Kill("write", NOTE, "after"),
    "before the purge is on record": Kill("write", EVENTS, "before", 2),
    "with the purge on record": Kill("write", EVENTS, "after", 2),
    "before the first file goes": Kill("delete", PICTURE, "before"),
    "the first file is gone": Kill("delete", PICTURE, "after"),
    "before its sidecar goes": Kill("delete", SIDECAR, "before"),
    "in the middle": Kill("delete", PICTURE, "after", 2),
    "all files gone": Kill("delete", SIDECAR, "after", 3),
    "before the note goes": Kill("delete", NOTE, "before"),
    "the note is gone": Kill("delete", NOTE, "after"),
    "before the lock goes": Kill("delete", LOCK, "before"),
}


# Those that are tried with every change; `make test-all` tries them all.
QUICK = {"with the trash on record", "with the note", "with the purge on record", "the first file is gone"}
QUICKLY = [pytest.param(kill, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, kill in KILLS.items()]


class Shelf:
    """Six pictures: two young, one to be trashed, three that have been in the trash long enough.

    `measured`: their features are on record. Where they are not, the purge takes them before the file goes.
    """

    def __init__(self, place: Any, stock: Any, *, measured: bool = True) -> None:
        (place.folder / "configs").mkdir()
        (place.folder / "configs/retention.yaml").write_text(POLICY, encoding="utf-8")
        place.manifest(1)
        self.place = place
        self.ws = place.workspace()
        ages = [1, 2, 40, 50, 51, 52]
        self.ids = stock(self.ws, [{"age": age, **({"trashed": 9} if age > 45 else {})} for age in ages])
        if measured:
            rows = current(self.ws.parts, ["image_id", "sha256"]).to_pylist()
            self.ws.parts.write("features", "2026-11", [{"extractor": 1, **row} for row in rows])
        self.files = {name: self.ws.assets.read(path) for name, path in self.paths().items()}

    def paths(self) -> dict[str, str]:
        rows = current(self.ws.parts, ["image_id", "local_path"]).to_pylist()
        return {row["image_id"]: row["local_path"] for row in rows}

    def run(self, kill: Kill | None = None) -> dict[str, Any] | None:
        self.place.runs += 1
        result = self.place.folder / f"run-{self.place.runs}.json"
        trap = None if kill is None else {"op": kill.op, "path": kill.path, "when": kill.when, "nth": kill.nth}
        job = {
            "project": str(self.place.folder),
            "environ": self.place.environ,
            "result": str(result),
            "trap": trap,
            "retain": 1.0,
        }
        pid = self.place.spawner.start(job)
        status = self.place.spawner.wait(pid)
        if os.WIFSIGNALED(status):
            assert kill is not None
            return None
        import json

        log = Path(f"{result}.log").read_text(encoding="utf-8")
        assert os.WEXITSTATUS(status) == 0, log
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return found

    def happened(self, event: Event) -> list[str]:
        parts = self.ws.parts
        rows = parts.read(parts.listing("lifecycle"), "lifecycle", ["event", "image_id"]).to_pylist()
        return sorted(row["image_id"] for row in rows if row["event"] == str(event))

    def nothing_went_unrecorded(self) -> None:
        """Every picture is there, byte for byte, or its purge is on record."""
        purged = set(self.happened(Event.PURGED))
        for name, path in self.paths().items():
            data = self.ws.assets.read(path)
            assert data == self.files[name] or (data is None and name in purged), path

    def is_settled(self) -> None:
        """What one undisturbed run leaves."""
        assert self.happened(Event.PURGED) == sorted(self.ids[3:]), "each once"
        assert self.happened(Event.TRASHED) == sorted(self.ids[2:]), "each once"
        states = {row["image_id"]: row["state"] for row in current(self.ws.parts, ["image_id", "state"]).to_pylist()}
        assert [states[name] for name in self.ids] == ["kept", "kept", "trashed", "purged", "purged", "purged"]
        left = {path for name, path in self.paths().items() if name in self.ids[:3]}
        assert set(self.place.names("assets")) == left | {f"{path[:-4]}.json" for path in left}
        assert self.ws.history.sub(".retention").list() == []
        assert self.ws.history.sub(".locks").list() == []
        features = self.ws.parts.read(self.ws.parts.listing("features"), "features", ["sha256"])
        digests = set(features["sha256"].to_pylist())
        rows = current(self.ws.parts, ["image_id", "sha256"]).to_pylist()
        assert {row["sha256"] for row in rows if row["image_id"] in self.ids[3:]} <= digests, "measured before it went"


def _shelf(place: Any, stock: Any, kill: Kill) -> Shelf:
    return Shelf(place, stock, measured="features" not in kill.path)


def _killed_and_run_again(shelf: Shelf, kill: Kill) -> None:
    assert shelf.run(kill) is None, "the trap never sprang"
    shelf.nothing_went_unrecorded()
    told = shelf.run()
    assert told is not None
    assert told.get("error") is None, told
    shelf.nothing_went_unrecorded()
    shelf.is_settled()
    again = shelf.run()
    assert again is not None
    assert {name: again["counts"][name] for name in ("purged", "trashed", "restored")} == {
        "purged": 0,
        "trashed": 0,
        "restored": 0,
    }


@pytest.mark.parametrize("kill", QUICKLY)
def test_killed_on_a_disk_the_next_run_converges(place: Any, stock: Any, kill: Kill) -> None:
    """At every step: nothing is deleted without its event, nothing twice, and the next run finishes."""
    _killed_and_run_again(_shelf(place, stock, kill), kill)


@pytest.mark.s3
@pytest.mark.slow
@pytest.mark.parametrize("kill", KILLS.values(), ids=KILLS)
def test_killed_on_s3_the_next_run_converges(bucket_place: Any, stock: Any, kill: Kill) -> None:
    """The same in a bucket."""
    _killed_and_run_again(_shelf(bucket_place, stock, kill), kill)


def test_an_undisturbed_run_does_all_of_it(place: Any, stock: Any) -> None:
    """What the killed ones are compared with; and what outlives a purge is in its event."""
    shelf = Shelf(place, stock, measured=False)
    told = shelf.run()
    assert told is not None
    counts = {"purged": 3, "trashed": 1, "restored": 0, "in the trash": 0, "kept": 2}
    assert (told["exit"], told["counts"]) == (0, counts)
    shelf.is_settled()


def test_one_retention_run_at_a_time(place: Any, stock: Any) -> None:
    """While one holds the lock, another ends with what to do: try again."""
    from flows.history.lock import lock
    from flows.history.owners import this_process

    shelf = Shelf(place, stock)
    now = shelf.ws.now()
    with lock(shelf.ws.history, "retention", this_process("other"), token="t", now=now) as held:
        assert held
        told = shelf.run()
    assert told is not None
    assert (told["exit"], told["kind"]) == (4, "HistoryBusy")
    assert "another retention run" in told["error"]
    assert shelf.happened(Event.PURGED) == []
