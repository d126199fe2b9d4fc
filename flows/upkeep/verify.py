"""Every stored picture against its record: whether it is there, whole, the same bytes and a picture; and strays.

Existence and size are compared for all of them, from one listing; bytes are read for a share of them, and for those
that were found wrong before. Nothing is deleted or mended; what changed is recorded as an event.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.assets.isolation import extract_many
from flows.errors import StorageTrouble
from flows.history.events import State
from flows.history.schema import event_row
from flows.history.standing import current
from flows.ids import sha256
from flows.measuring import TIMEOUT_S, WORKERS, Tell
from flows.pipeline.kit import Progress, Stop
from flows.upkeep.findings import Condition, Finding, Record, Seen, away, event_of, judge
from flows.upkeep.subset import Subset
from flows.workspace import Workspace

READERS = 4
AHEAD = 16
BATCH = 2_000
KEPT = 500
_COLUMNS = ("image_id", "fingerprint", "variant", "local_path", "bytes", "sha256", "state")


@dataclass
class Verified:
    """What came of it. Of very many findings and orphans the first are kept, all are counted.

    `cut`: it was asked to stop, and some pictures have not been looked at.
    """

    subset: Subset
    expected: int = 0
    read: int = 0
    new: Counter[Condition] = field(default_factory=Counter)
    known: Counter[Condition] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    orphaned: int = 0
    orphaned_bytes: int = 0
    cut: bool = False

    @property
    def damaged(self) -> int:
        """Pictures that turned out damaged or missing this time, and were not known to be."""
        return sum(number for condition, number in self.new.items() if condition is not Condition.FINE)


def verify(ws: Workspace, run_id: str, subset: Subset, failures: Mapping[str, str], tell: Tell, stop: Stop) -> Verified:
    """Look at everything, and record what changed. `failures` are digests that could not be measured just now.

    Raises StorageTrouble, with nothing recorded, when the storage shows so little that it must be away.
    """
    # In this order: whatever is stored by now is then in the journal, or sealed by the time the history is read.
    listed = {stat.path: stat.size for stat in ws.assets.list()}
    underway = frozenset(entry.id for entry in ws.desk().open(()).live)
    images = current(ws.parts, _COLUMNS, pc.field("status") == "stored")
    done = Verified(subset)
    _orphans(done, listed, (str(path) for path in images["local_path"].to_pylist()), underway)
    records = images.filter(pc.not_equal(images["state"], pa.scalar(str(State.PURGED))))
    done.expected = records.num_rows
    _not_away(ws, records, listed)
    rows: list[dict[str, Any]] = []

    def heeded() -> bool:
        """Whether to leave the rest alone, and then say so."""
        done.cut = done.cut or bool(stop)
        return done.cut

    try:
        for record, seen in _looked_at(ws, _records(records), listed, subset, failures, heeded):
            done.read += seen.sha256 is not None
            tell(Progress("verified", record.local_path, 1))
            finding = _finding(record, seen)
            if finding is None:
                continue
            _note(done, finding)
            if finding.event is not None:
                rows.append(_event(ws, run_id, record, seen, finding))
            if len(rows) >= BATCH:
                _write(ws, rows)
    finally:
        _write(ws, rows)
    return done


def _records(images: Any) -> Iterator[Record]:
    for piece in images.to_batches(max_chunksize=BATCH):
        for row in piece.to_pylist():
            yield Record(**{**row, "state": State(row["state"])})


def _not_away(ws: Workspace, records: Any, listed: Mapping[str, int]) -> None:
    states = records["state"].to_pylist()
    paths = records["local_path"].to_pylist()
    there = [path for path, state in zip(paths, states, strict=True) if state in {State.KEPT, State.TRASHED}]
    present = sum(path in listed for path in there)
    if away(len(there), present, len(listed)):
        raise StorageTrouble(
            f"{ws.assets.url} has {present:,} of the {len(there):,} pictures that the history expects there: is the "
            "disk mounted, is this the right bucket? Nothing was recorded. Look after it, then run again."
        )


def _looked_at(
    ws: Workspace,
    records: Iterable[Record],
    listed: Mapping[str, int],
    subset: Subset,
    failures: Mapping[str, str],
    stop: Callable[[], bool],
) -> Iterator[tuple[Record, Seen]]:
    """Each record with what was seen of it. A few files are read at a time, and only their digests are kept."""

    def look(record: Record) -> Seen:
        size = listed.get(record.local_path)
        if size is None and (stat := ws.assets.stat(record.local_path)):
            size = stat.size  # it came while we listed
        if size != record.bytes or not (subset.holds(record.sha256) or suspect(record)):
            return Seen(size)
        data = ws.assets.read(record.local_path)
        return Seen(None) if data is None else Seen(len(data), sha256(data))

    def suspect(record: Record) -> bool:
        """Read whatever share is due: found wrong earlier, or not to be measured just now."""
        return record.state in {State.MISSING, State.CORRUPT} or record.sha256 in failures

    decode: dict[str, Record] = {}
    with ThreadPoolExecutor(READERS, "verify") as readers:
        ahead: deque[tuple[Record, Future[Seen]]] = deque()

        def next_one() -> Iterator[tuple[Record, Seen]]:
            record, future = ahead.popleft()
            seen = future.result()
            if seen.sha256 == record.sha256 and suspect(record):
                decode[record.image_id] = record  # the right bytes prove nothing: they may have come broken
            else:
                yield record, seen

        for record in records:
            if stop():
                break
            ahead.append((record, readers.submit(look, record)))
            if len(ahead) >= AHEAD:
                yield from next_one()
        while ahead:
            yield from next_one()
    yield from _decoded(ws, decode, stop)


def _decoded(ws: Workspace, records: Mapping[str, Record], stop: Callable[[], bool]) -> Iterator[tuple[Record, Seen]]:
    """Files with the right bytes, and whether a decoder takes them, in a process that may die of it."""

    def pictures() -> Iterator[tuple[str, bytes]]:
        for name, record in records.items():
            data = None if stop() else ws.assets.read(record.local_path)
            if data is not None:
                yield name, data

    for name, found in extract_many(pictures(), workers=WORKERS, timeout_s=TIMEOUT_S):
        record = records[name]
        yield record, Seen(record.bytes, record.sha256, found if isinstance(found, str) else None)


def _finding(record: Record, seen: Seen) -> Finding | None:
    judged = judge(record, seen)
    if judged is None:
        return None
    condition, reason = judged
    event = event_of(record.state, condition)
    if condition is Condition.FINE and event is None:
        return None
    return Finding(record.image_id, record.variant, record.local_path, condition, reason, record.state, event)


def _note(done: Verified, finding: Finding) -> None:
    (done.new if finding.event else done.known)[finding.condition] += 1
    if len(done.findings) < KEPT:
        done.findings.append(finding)


def _event(ws: Workspace, run_id: str, record: Record, seen: Seen, finding: Finding) -> dict[str, Any]:
    assert finding.event is not None  # noqa: S101  the caller asked
    return event_row(
        event_id=ws.new_id(),
        at=ws.now(),
        event=finding.event,
        actor="maintain",
        run_id=run_id,
        reason=finding.reason,
        image=record.image_id,
        fingerprint=record.fingerprint,
        details={
            "condition": str(finding.condition),
            "was": str(record.state),
            "bytes": seen.size,
            "expected_bytes": record.bytes,
            "sha256": seen.sha256,
        },
    )


def _write(ws: Workspace, rows: list[dict[str, Any]]) -> None:
    if rows:
        ws.parts.write("lifecycle", f"{ws.now():%Y-%m}", rows)
        rows.clear()


def _orphans(done: Verified, listed: Mapping[str, int], named: Iterable[str], underway: Iterable[str]) -> None:
    """Files that no record names: neither pictures, nor the small record beside one, nor a request under way."""
    known = set(named)
    known |= {str(PurePosixPath(path).with_suffix(".json")) for path in known}
    busy = tuple(underway)
    for path in sorted(listed.keys() - known):
        if any(request in path for request in busy):
            continue
        done.orphaned += 1
        done.orphaned_bytes += listed[path]
        if len(done.orphans) < KEPT:
            done.orphans.append(path)
