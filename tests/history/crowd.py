"""One process of the crowd in test_crowd.py: appends, compacts or reads one history until its work is done.

``python crowd.py ROLE NUMBER ADDRESS NOTES SECONDS``: the history's address, and a folder where those who append note
how many rows are surely there. ``CROWD_OPTIONS`` are fsspec's options. Prints JSON: what it appended, merged or saw.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from flows.errors import HistoryBusy
from flows.history import current, images, query, requests
from flows.history.compact import compact
from flows.history.owners import this_process
from flows.history.parts import Parts
from flows.history.records import Claim, End, ImageRecord, ImageStatus, Labels, Outcome
from flows.history.schema import image_rows, request_row
from flows.ids import digest, uuid7
from flows.storage import open_storage

CLOSED = datetime(2026, 10, 5, tzinfo=UTC)
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def main(role: str, number: int, address: str, notes: Path, seconds: float) -> None:
    options = json.loads(os.environ.get("CROWD_OPTIONS", "null"))
    parts = Parts(open_storage(address, options), lambda: uuid7(datetime.now(tz=UTC), os.urandom))
    until = time.monotonic() + seconds
    work = {"append": append, "compact": merge, "read": read}[role]
    print(json.dumps(work(parts, number, notes, until)))


def append(parts: Parts, number: int, notes: Path, until: float) -> list[str]:
    """Rows as sealing writes them, the images before their request, a few at a time."""
    ids: list[str] = []
    while time.monotonic() < until:
        ends = [_end(f"{number}-{len(ids)}-{one}") for one in range(3)]
        parts.write("images", "2026-10", [row for end in ends for row in image_rows(end)])
        parts.write("requests", "2026-10", [request_row(end, 0) for end in ends])
        ids += [end.request_id for end in ends]
        # What is written is there at once for who wrote it: no merge may hide it.
        mine = set(requests(parts, columns=["request_id"])["request_id"])
        assert set(ids) <= mine, "an appended row cannot be seen"
        (notes / str(number)).write_text(str(len(ids)), encoding="utf-8")
    return ids


def merge(parts: Parts, number: int, _: Path, until: float) -> dict[str, int]:
    """Compaction after compaction; now and then the other one has the lock."""
    done: Counter[str] = Counter()
    owner = this_process(f"compact-{number}")
    while time.monotonic() < until:
        found = compact(parts, owner, NOW, token=uuid7(NOW, os.urandom))
        done["merged"] += found.parts_before
        done["held"] += found.held_elsewhere
        done["doubles"] += found.doubles
    return dict(done)


def read(parts: Parts, number: int, notes: Path, until: float) -> dict[str, int]:
    """Frames and SQL: never fewer rows than before or than are known to be written, never a row twice."""
    looks = busy = seen = 0
    while time.monotonic() < until:
        known = sum(int(path.read_text() or 0) for path in notes.iterdir())
        try:
            if number % 2:
                ids = images(parts, columns=["image_id"])["image_id"].tolist()
                states = current(parts, columns=["image_id", "state"])
                assert states["image_id"].is_unique
                assert len(states) >= len(ids)
            else:
                ids = query(parts, "select image_id from images")["image_id"].tolist()
        except HistoryBusy:
            busy += 1
            continue
        assert len(ids) == len(set(ids)), "a row twice"
        assert len(ids) >= max(seen, known), "rows are missing"
        seen, looks = len(ids), looks + 1
    return {"looks": looks, "busy": busy, "seen": seen}


def _end(name: str) -> End:
    made = uuid7(CLOSED, os.urandom)
    labels = Labels("hero", "hero", name, campaign="summer")
    owner = this_process("crowd")
    claim = Claim(
        made, "run", digest(name), 0, 1, "sandbox", "m", "/v2", {}, labels, "{image_id}", Decimal(1), "x", CLOSED, owner
    )
    image = ImageRecord(0, ImageStatus.STORED, sha256=digest(made))
    return End(made, claim, CLOSED, Outcome.COMPLETED, answered=True, images=(image,))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), float(sys.argv[5]))
