"""Compaction: fewer parts, the same rows, whatever happens in between."""

from __future__ import annotations

import contextlib
import json
import random
from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.errors import HistoryBusy, Refused, StorageTrouble
from flows.history import compact as room
from flows.history import schema as schemas
from flows.history.compact import Bundle, Compacted, bundles, compact, distinct, holds
from flows.history.contract import HISTORY, SCHEMA_VERSION
from flows.history.events import Event
from flows.history.lock import lock
from flows.history.parts import encoded
from flows.history.reading import Asked, read
from flows.history.records import Outcome
from flows.history.schema import DATASETS, event_row, image_id, image_rows, request_row, table


class Killed(BaseException):
    """The process is gone."""


def fill(books: Any, requests: int = 6) -> None:
    """Parts of every kind in a month that is then over: doubles, late answers, events."""
    month = f"{books.now:%Y-%m}"
    for n in range(requests):
        end = books.end(books.claim(n, images=2))
        books.parts.write("images", month, image_rows(end))
        books.parts.write("requests", month, [request_row(end, 0)])
        row = event_row(
            event_id=books.new_id(),
            at=books.now,
            event=Event.TRASHED,
            actor="a test",
            run_id="r",
            image=image_id(end.request_id, 0),
        )
        books.parts.write("lifecycle", month, [row])
        measured = {"sha256": end.request_id, "extractor": 1, "image_id": row["image_id"], "thumbnail": b"\0\xff"}
        books.parts.write("features", month, [measured])
    books.parts.write("images", month, books.rows("images")[-3:])  # a lock was broken: doubles
    lost = [{**row, "status": "lost", "local_path": None} for row in books.rows("images")[-1:]]
    books.parts.write("images", month, lost)
    books.now += timedelta(days=30)


def seen(books: Any) -> dict[str, list[dict[str, Any]]]:
    """What our readers say of every dataset."""
    return {name: sorted(read(books.parts, name, Asked()).to_pylist(), key=repr) for name in (*HISTORY, "current")}


def run(books: Any, **more: Any) -> Compacted:
    return compact(books.parts, books.owner, books.now, token=books.new_id(), **more)


def test_a_closed_month_becomes_one_sorted_part_with_statistics(books: Any) -> None:
    """The rows stay, exact doubles go, and the part says how it is sorted."""
    fill(books)
    before, raw = seen(books), len(books.rows("images"))
    done = run(books)
    assert seen(books) == before
    assert all(len(books.parts.listing(name)) == 1 for name in ("images", "requests", "lifecycle", "features"))
    assert done.parts_after == 4
    assert done.doubles == 3
    assert raw - len(books.rows("images")) == 3
    assert any(row["status"] == "lost" for row in books.rows("images")), "it says something of its own"
    (part,) = books.parts.listing("images")
    file = pq.ParquetFile(books.storage.root / part)
    group = file.metadata.row_group(0)
    statistics = group.column(0).statistics
    assert statistics is not None
    assert statistics.has_min_max
    assert group.sorting_columns[0].column_index == DATASETS["images"].names.index("image_id")
    ids: list[Any] = file.read(["image_id"])["image_id"].to_pylist()
    assert ids == sorted(ids)
    assert books.storage.sub(".compact").list() == []
    assert len(pd.read_parquet(books.storage.root / "images")) == len(ids)


def test_there_is_nothing_to_do_twice(books: Any) -> None:
    """A second run reads and writes no rows."""
    fill(books)
    run(books)
    listing = books.parts.listing("images")
    assert run(books) == Compacted()
    assert books.parts.listing("images") == listing


def test_the_present_month_is_left_alone(books: Any) -> None:
    """Others are adding to it."""
    fill(books, 2)
    books.now -= timedelta(days=30)
    assert run(books) == Compacted()


def test_nothing_is_done_while_another_holds_the_history(books: Any) -> None:
    """A sealer is at work; the next run will do."""
    fill(books, 2)
    with lock(books.storage, "history", books.owner, token="other", now=books.now) as held:
        assert held
        assert run(books) == Compacted(held_elsewhere=True)


def test_a_full_part_is_left_alone_and_bundles_stay_small() -> None:
    """Sizes decide, in the order of names, which is that of time."""
    sizes = {
        f"images/month=2026-10/{name}.parquet": size for name, size in zip("abcdef", (3, 9, 3, 4, 5, 2), strict=True)
    }
    found = [bundle.parts for bundle in bundles("images", sizes, frozenset(), "2026-11", 10)]
    short = [tuple(part[-9] for part in parts) for parts in found]
    assert short == [("a", "c", "d")]
    assert list(bundles("images", sizes, frozenset(), "2026-10", 10)) == []


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_operation_the_next_run_finishes(books: Any, meddle: Any, seed: int) -> None:
    """Readers see the same rows after the kill and after the next run, and nothing is left over."""
    fill(books, 3)
    before = seen(books)
    left = [random.Random(seed).randrange(60) if seed else 0]

    def die(op: str, path: str) -> None:
        if op in {"write", "delete", "read"} and not path.startswith(".locks"):
            left[0] -= 1
            if left[0] < 0:
                raise Killed

    meddled = meddle(die)
    died = False
    try:
        compact(meddled.parts, books.owner, books.now, token="doomed")
    except Killed:
        died = True
    assert died or seed
    books.storage.sub(".locks").delete(["history.lock"])
    assert seen(books) == before
    run(books)
    assert seen(books) == before
    assert all(len(books.parts.listing(name)) == 1 for name in ("images", "requests", "lifecycle", "features"))
    assert books.storage.sub(".compact").list() == []


@pytest.mark.parametrize("at", [0, 2, 4])
def test_killed_between_writing_and_deleting_leaves_what_the_plan_finishes(books: Any, meddle: Any, at: int) -> None:
    """Of the old parts any number may have gone already; full parts are finished too."""
    fill(books, 4)
    before = seen(books)
    left = [at]

    def die(op: str, path: str) -> None:
        if op == "delete" and path.startswith("images/"):
            left[0] -= 1
            if left[0] < 0:
                raise Killed

    try:
        compact(meddle(die).parts, books.owner, books.now, token="doomed", full=1 << 20)
    except Killed:
        books.storage.sub(".locks").delete(["history.lock"])
        assert seen(books) == before
        assert len(books.rows("images")) > 8
        done = run(books, full=1)  # all parts are full ones now: only the plan can tell
        assert done.finished == 1
        assert len(books.parts.listing("images")) == 1
    assert seen(books) == before


def test_rows_that_do_not_prove_equal_stop_everything(books: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the fault, no old part goes."""
    fill(books, 3)
    before = seen(books)
    whole = room.distinct
    monkeypatch.setattr(room, "distinct", lambda dataset, rows: whole(dataset, rows).slice(1))
    with pytest.raises(StorageTrouble, match="not those of its parts"):
        run(books)
    monkeypatch.setattr(room, "distinct", lambda _, rows: pa.concat_tables([rows, changed(rows)]))
    with pytest.raises(StorageTrouble, match="not those of its parts"):
        run(books)
    assert seen(books) == before


def changed(rows: pa.Table) -> pa.Table:
    (row, *_) = rows.to_pylist()
    return pa.Table.from_pylist([{**row, "fingerprint": "another"}], schema=rows.schema)


def test_a_new_part_that_lacks_rows_is_not_believed(books: Any) -> None:
    """The plan of a killed run names a part that somebody replaced: the old parts stay."""
    fill(books, 3)
    old = books.parts.listing("images")
    new = books.parts.write("images", "2026-11", books.rows("images")[:2])
    books.storage.sub(".compact").write("x.json", json.dumps({"new": new, "old": old}).encode())
    with pytest.raises(StorageTrouble, match="lacks some of their rows"):
        run(books)
    assert set(old) < set(books.parts.listing("images"))


@pytest.mark.slow
def test_two_compactions_that_both_hold_the_lock_lose_nothing(books: Any, meddle: Any) -> None:
    """It was broken by mistake: one runs to its end in the middle of the other, before each operation in turn."""
    for moment in range(0, 20, 5):
        fill(books, 2)
        before = seen(books)
        count = [moment]

        def other(op: str, path: str, count: list[int] = count) -> None:
            if op in {"write", "delete"} and not path.startswith(".locks"):
                count[0] -= 1
                if count[0] == -1:
                    books.storage.sub(".locks").delete(["history.lock"])
                    run(books)

        with contextlib.suppress(HistoryBusy):  # it may find its parts gone: the next run goes on
            compact(meddle(other).parts, books.owner, books.now, token="one")
        books.storage.sub(".locks").delete(["history.lock"])
        assert seen(books) == before


def test_parts_of_an_older_schema_are_written_anew_in_open_months_too(books: Any) -> None:
    """Raw readers take the columns of the first part for those of all."""
    fill(books, 2)
    books.now -= timedelta(days=30)
    before = seen(books)
    for name in ("images", "requests"):
        part = books.parts.listing(name)[0]
        rows = pq.read_table(books.storage.root / part)
        older = rows.drop_columns([rows.schema.names[-1]]).replace_schema_metadata({schemas.VERSION_KEY: "0"})
        books.storage.write(part, encoded(older))
    done = run(books)
    assert done.upgraded == 2
    assert {name: len(rows) for name, rows in seen(books).items()} == {name: len(rows) for name, rows in before.items()}
    for name in DATASETS:
        for part in books.parts.listing(name):
            schema = pq.read_schema(books.storage.root / part)
            assert (schemas.version_of(schema), schema.names) == (SCHEMA_VERSION, DATASETS[name].names)


def test_a_part_with_more_than_we_know_is_refused(books: Any) -> None:
    """A newer ideoflow wrote it: writing it anew would lose a column."""
    fill(books, 2)
    part = books.parts.listing("requests")[0]
    rows = pq.read_table(books.storage.root / part)
    books.storage.write(part, encoded(rows.append_column("mood", pa.array([None] * rows.num_rows, pa.string()))))
    with pytest.raises(Refused, match=r"newer ideoflow.*mood"):
        run(books)


def test_what_is_told_is_what_is_merged(books: Any) -> None:
    """For a bar that shows how far it has got."""
    fill(books, 3)
    told: list[Bundle] = []
    done = run(books, tell=told.append)
    assert sum(len(bundle.parts) for bundle in told) == done.parts_before


def test_proof_is_by_every_column(books: Any) -> None:
    """Lists, bytes, nulls and times among them; how often a row is there does not matter."""
    row = {"image_id": "i", "tags": ["a", "b"], "requested_at": books.now, "cost_usd": 0.1}
    one = table("images", [row, row])
    assert holds(one, table("images", [row]))
    assert distinct("images", one).num_rows == 1
    for name, value in {"tags": ["a"], "seed": 1, "requested_at": books.now + timedelta(microseconds=1)}.items():
        other = table("images", [row | {name: value}])
        assert not holds(one, other)
        assert distinct("images", pa.concat_tables([one, other])).num_rows == 2


def test_late_answers_keep_both_their_rows(books: Any) -> None:
    """The void row and the one that mends it both say something."""
    claim = books.claim()
    end = books.end(claim, Outcome.VOID, answered=False)
    rows = [request_row(end, 0), request_row(books.end(claim), 1)]
    for row in rows:
        books.parts.write("requests", "2026-11", [row])
    books.now += timedelta(days=30)
    before = seen(books)
    run(books)
    assert len(books.rows("requests")) == 2
    assert seen(books) == before
