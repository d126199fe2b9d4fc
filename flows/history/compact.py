"""Compaction: the many small parts of closed months become few, sorted ones; parts of an older schema become new.

Holds the history lock. For each bundle of parts, in this order: the merged rows are proven equal to the old ones; a
plan (hidden, below ``.compact``) names the new part and the old ones; the new part is written and read back; the old
ones go; the plan goes. Killed anywhere, the next run finishes by the plan or begins again. Readers see old parts, or
both, or the new one: rows of one key count once for them, and one who was about to open an old part looks again.
Should the lock be broken by mistake, two of them merge the same parts twice and still lose nothing, because each
deletes only what it has read and what a part of its own holds.

Knows no rows' meaning; drops none but exact doubles.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import Refused, StorageTrouble
from flows.history.contract import HISTORY, SCHEMA_VERSION
from flows.history.duck import connection, quoted
from flows.history.lock import lock
from flows.history.parts import ROW_GROUP, Parts, month_of_part
from flows.history.records import Owner
from flows.history.schema import DATASETS, stamped, version_of

# A part of this many bytes is full: it is left alone, and no bundle is read that is much larger.
FULL = 64 << 20
PLANS = ".compact"


@dataclass(frozen=True)
class Compacted:
    """What one compaction did. `finished` are merges of an earlier run; `upgraded` are parts of an older schema."""

    parts_before: int = 0
    parts_after: int = 0
    rows: int = 0
    doubles: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    upgraded: int = 0
    finished: int = 0
    held_elsewhere: bool = False


@dataclass(frozen=True)
class Bundle:
    """Parts of one dataset and month that become one."""

    dataset: str
    month: str
    parts: tuple[str, ...]
    bytes: int


def compact(
    parts: Parts,
    owner: Owner,
    now: datetime,
    *,
    token: str,
    full: int = FULL,
    tell: Callable[[Bundle], None] = lambda _: None,
) -> Compacted:
    """Compact the closed months, and bring every part of an older schema up to date. `token` is unique to this call.

    `tell` hears of each bundle before it is merged. Raises StorageTrouble where rows do not prove equal; nothing was
    removed then.
    """
    with lock(parts.storage, "history", owner, token=token, now=now) as held:
        if not held:
            return Compacted(held_elsewhere=True)
        done = Compacted(finished=_finish(parts))
        this_month = f"{now.astimezone(UTC):%Y-%m}"
        for dataset in HISTORY:
            sizes = {stat.path: stat.size for stat in parts.storage.list(dataset) if stat.path.endswith(".parquet")}
            old = _outdated(parts, sizes)
            for bundle in bundles(dataset, sizes, old, this_month, full):
                # On a far storage all of it can take longer than a silent owner is taken for alive.
                if not held.renew():
                    return replace(done, held_elsewhere=True)
                tell(bundle)
                done = _add(done, _merge(parts, bundle), upgraded=len(old & set(bundle.parts)))
        return done


def bundles(dataset: str, sizes: dict[str, int], old: frozenset[str], this_month: str, full: int) -> Iterator[Bundle]:
    """What to merge: parts of closed months in the order of their names, as many as make a full one.

    A part of an older schema is written anew wherever it is; in a month that is still open it stays by itself.
    """
    months: defaultdict[str, list[str]] = defaultdict(list)
    for part in sorted(sizes):
        months[month_of_part(part)].append(part)
    for month, parts in sorted(months.items()):
        closed = month < this_month
        for group in _groups(parts, sizes, full, apart=not closed):
            if len(group) > 1 or set(group) & old:
                yield Bundle(dataset, month, tuple(group), sum(sizes[part] for part in group))


def _groups(parts: Sequence[str], sizes: dict[str, int], full: int, *, apart: bool) -> Iterator[list[str]]:
    group: list[str] = []
    for part in parts:
        # Half is full too: else the same rows would be written again and again for the sake of a few.
        if apart or sizes[part] * 2 >= full:
            yield [part]
            continue
        if group and sum(sizes[one] for one in group) + sizes[part] > full:
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _outdated(parts: Parts, listing: Iterable[str]) -> frozenset[str]:
    """Those of an older schema. Refused where a part holds more than we know of: writing it anew would lose that."""
    filesystem, root = parts.storage.arrow()
    old = set()
    for part in listing:
        schema = pq.read_schema(f"{root}/{part}", filesystem=filesystem)
        unknown = set(schema.names) - set(DATASETS[part.partition("/")[0]].names)
        if unknown or version_of(schema) > SCHEMA_VERSION:
            raise Refused(
                f"{parts.storage.where(part)} was written by a newer ideoflow or by another program "
                f"({', '.join(sorted(unknown)) or 'newer schema'}): bring ideoflow up to date, or move that file away"
            )
        if version_of(schema) < SCHEMA_VERSION:
            old.add(part)
    return frozenset(old)


def _merge(parts: Parts, bundle: Bundle) -> Compacted:
    rows = parts.read(bundle.parts, bundle.dataset)
    data = _encoded(bundle.dataset, distinct(bundle.dataset, rows))
    back = pq.read_table(io.BytesIO(data), schema=DATASETS[bundle.dataset])
    if not (holds(back, rows) and holds(rows, back)):
        raise StorageTrouble(
            f"{bundle.dataset} {bundle.month}: the merged rows are not those of its parts; all is left"
        )
    path = parts.fresh(bundle.dataset, bundle.month)
    plan = f"{path.rpartition('/')[2]}.json"
    plans = parts.storage.sub(PLANS)
    plans.write(plan, json.dumps({"new": path, "old": bundle.parts}).encode())
    parts.put(path, data)
    parts.storage.delete(bundle.parts)
    plans.delete([plan])
    return Compacted(len(bundle.parts), 1, back.num_rows, rows.num_rows - back.num_rows, bundle.bytes, len(data))


def _finish(parts: Parts) -> int:
    """Finish what a killed run began: the old parts of a merge whose new part is there, and proves to hold them."""
    plans = parts.storage.sub(PLANS)
    finished = 0
    for stat in plans.list():
        data = plans.read(stat.path)
        if data is None:
            continue
        plan = json.loads(data)
        new, dataset = plan["new"], plan["new"].partition("/")[0]
        present = {one.path for one in parts.storage.list(dataset)}
        left = [part for part in plan["old"] if part in present]
        if new in present and left:
            if not holds(parts.read([new], dataset), parts.read(left, dataset)):
                raise StorageTrouble(
                    f"{parts.storage.where(new)} was to replace {len(left)} parts and lacks some of their rows; "
                    "all is left: move it away, and compact again"
                )
            parts.storage.delete(left)
            finished += 1
        plans.delete([stat.path])
    return finished


def distinct(dataset: str, rows: pa.Table) -> pa.Table:
    """The rows in the order of their keys, exact doubles once. A key may stay more than once: both rows said something.

    Done by DuckDB, because Arrow cannot compare lists and sorts texts of two gigabytes at most.
    """
    key = ", ".join(quoted(name) for name in HISTORY[dataset].key)
    with connection() as con:
        con.register("rows_", rows)
        (keys,) = con.execute(f"SELECT count(DISTINCT ({key})) FROM rows_").fetchall()[0]
        every = "*" if keys == rows.num_rows else "DISTINCT *"
        found: pa.Table = con.sql(f"SELECT {every} FROM rows_ ORDER BY {key}").to_arrow_table()
    return found


def holds(some: pa.Table, others: pa.Table) -> bool:
    """Whether each of the others' rows is among some, by every column; how often does not matter."""
    with connection() as con:
        con.register("some_", some)
        con.register("others_", others)
        return con.execute("SELECT 1 FROM (FROM others_ EXCEPT FROM some_) LIMIT 1").fetchone() is None


def _encoded(dataset: str, rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    key = list(HISTORY[dataset].key)
    schema = stamped(DATASETS[dataset], rows.group_by(key).aggregate([]).num_rows)
    order = pq.SortingColumn.from_ordering(schema, [(name, "ascending") for name in key])
    pq.write_table(
        rows.cast(schema),
        buffer,
        compression="zstd",
        coerce_timestamps="us",
        row_group_size=ROW_GROUP,
        write_page_index=True,
        sorting_columns=order,
    )
    return buffer.getvalue()


def _add(done: Compacted, more: Compacted, *, upgraded: int) -> Compacted:
    return replace(
        done,
        parts_before=done.parts_before + more.parts_before,
        parts_after=done.parts_after + more.parts_after,
        rows=done.rows + more.rows,
        doubles=done.doubles + more.doubles,
        bytes_before=done.bytes_before + more.bytes_before,
        bytes_after=done.bytes_after + more.bytes_after,
        upgraded=done.upgraded + upgraded,
    )
