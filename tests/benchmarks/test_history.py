"""Ten million rows beside the raw engines on the same files, in the same run. Ratios are printed; most are asserted.

``IDEOFLOW_BENCH_ROWS`` makes it fewer; ``IDEOFLOW_BENCH_HISTORY`` names a folder where the history is made once and
used again. Each measure is the best of several, ours and theirs in turn, with warm caches.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pytest
from pyarrow import dataset as ds

from flows.campaign.run import generate
from flows.campaign.steps import Ask
from flows.history import images, query
from flows.history.index import SealedIndex
from flows.history.parts import Parts
from flows.history.search import SEARCHED, Search, search, terms
from flows.ids import sha256, uuid7
from flows.storage import LocalStorage, Stat
from flows.workspace import open_workspace

ROWS = int(os.environ.get("IDEOFLOW_BENCH_ROWS", "10_000_000"))
MILLION = min(ROWS, 1_000_000)
ROUNDS = 3
MONTHS = 24  # of the history that is made

pytestmark = pytest.mark.bench


def parts_of(root: Path) -> Parts:
    return Parts(LocalStorage(root), lambda: uuid7(datetime.now(tz=UTC), os.urandom))


def files(root: Path, dataset: str) -> list[str]:
    return [str(path) for path in sorted((root / dataset).rglob("*.parquet"))]


@dataclass(frozen=True)
class Took:
    """The least of several, in seconds: by the clock on the wall, and by the processor (all threads)."""

    wall: float
    cpu: float

    def beside(self, theirs: Took, name: str) -> str:
        """Both with their baseline. How long others keep a shared machine busy is not ours to answer for."""
        return (
            f"{self.cpu:.2f} s of the processor, {name} {theirs.cpu:.2f} s: {self.cpu / theirs.cpu:.2f} x "
            f"(by the wall {self.wall:.2f} s, {theirs.wall:.2f} s: {self.wall / theirs.wall:.2f} x)"
        )


def measured(*works: Callable[[], Any], rounds: int = ROUNDS) -> list[Took]:
    """As `best`, by both clocks at once."""
    taken: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, taken, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return [Took(min(wall for wall, _ in times), min(cpu for _, cpu in times)) for times in taken]


class Counted(LocalStorage):
    """A disk that counts what is asked of it."""

    def __init__(self, root: Path, calls: Counter[str] | None = None) -> None:
        super().__init__(root)
        self.calls: Counter[str] = Counter() if calls is None else calls

    def read(self, path: str) -> bytes | None:
        self.calls["read"] += 1
        return super().read(path)

    def write(self, path: str, data: bytes | BinaryIO) -> None:
        self.calls["write"] += 1
        super().write(path, data)

    def create(self, path: str, data: bytes) -> bool:
        self.calls["create"] += 1
        return super().create(path, data)

    def list(self, prefix: str = "") -> list[Stat]:
        self.calls["list"] += 1
        return super().list(prefix)

    def stat(self, path: str) -> Stat | None:
        self.calls["stat"] += 1
        return super().stat(path)

    def delete(self, paths: Iterable[str]) -> None:
        self.calls["delete"] += 1
        super().delete(paths)

    def sub(self, path: str) -> Counted:
        return Counted(self.root / path, self.calls)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, make_history: Callable[[Path, int], None]) -> Path:
    """The history of so many images, made once."""
    given = os.environ.get("IDEOFLOW_BENCH_HISTORY")
    root = Path(given) if given else tmp_path_factory.mktemp("large") / "history"
    if not root.exists():
        began = time.monotonic()
        make_history(root, ROWS)
        print(f"\n{ROWS:,} images and requests made in {time.monotonic() - began:.0f} s")
    return root


def best(
    *works: Callable[[], Any], rounds: int = ROUNDS, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """The shortest time of each, taken in turn so that a busy machine hits all alike."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, times, strict=True):
            began = clock()
            work()
            taken.append(clock() - began)
    return [min(taken) for taken in times]


def scan(root: Path) -> int:
    """The raw engine reads one column."""
    return int(ds.dataset(files(root, "requests"), format="parquet").to_table(columns=["fingerprint"]).num_rows)


def test_what_is_known_of_a_thousand_fingerprints(large: Path) -> None:
    """At most 1.5 times a raw pyarrow scan of the column: a campaign's, bought about the same time, and scattered ones.

    Of fingerprints that are scattered over all months every other column has to be read as well, eight of them.
    """
    parts = parts_of(large)
    near = [sha256(f"print {ROWS // 4 + n}".encode()) for n in range(1000)]
    far = [sha256(f"print {n * (ROWS // 2000)}".encode()) for n in range(1000)]

    def ours(prints: list[str]) -> None:
        index = SealedIndex(parts)
        index.refresh(prints)
        assert sum(len(index.of(print_)) for print_ in prints) >= 1900

    works = (lambda: scan(large), lambda: ours(near), lambda: ours(far))
    for kind, (raw, mine, scattered) in (("wall", best(*works)), ("processor", best(*works, clock=time.process_time))):
        print(
            f"\ndedupe of 1,000 fingerprints in {ROWS:,}, {kind}: {mine:.2f} s, raw scan {raw:.2f} s: "
            f"{mine / raw:.2f} x; scattered over all months {scattered:.2f} s: {scattered / raw:.2f} x"
        )
    # Of the processor's time: how long others keep a shared machine busy is not ours to answer for.
    assert mine <= 1.5 * raw
    assert scattered <= 1.5 * raw


@pytest.mark.parametrize("words", ["neon -retro", '"sunset and wave" -retro'])
def test_finding_beside_duckdb(large: Path, words: str) -> None:
    """At most 1.3 times what DuckDB takes for the same words in the same columns of the same files."""
    parts, asked = parts_of(large), Search(terms([words]))
    tests = []
    for term in asked.terms:
        texts = [f"array_to_string({name}, chr(10))" if name == "tags" else name for name in SEARCHED]
        some = " OR ".join(f"coalesce(contains(lower({text}), '{term.text}'), false)" for text in texts)
        tests.append(f"NOT ({some})" if term.absent else f"({some})")
    query = f"SELECT image_id, cost_usd FROM read_parquet(?) WHERE {' AND '.join(tests)} ORDER BY image_id"
    counts: list[int] = []

    def raw() -> None:
        with duckdb.connect(":memory:") as con:
            counts.append(con.sql(query, params=[files(large, "images")]).to_arrow_table().num_rows)

    def ours() -> None:
        counts.append(search(parts, asked, ["image_id", "cost_usd"]).num_rows)

    theirs, mine = measured(raw, ours)
    assert len(set(counts)) == 1
    print(f"\n{words!r} finds {counts[0]:,} of {ROWS:,}: {mine.beside(theirs, 'DuckDB on the same files')}")
    assert mine.cpu <= 1.3 * theirs.cpu


QUERIES = {
    "images": "SELECT campaign, sum(cost_usd) AS usd, count(*) AS n FROM {} GROUP BY 1 ORDER BY 1",
    "requests": "SELECT model, sum(cost_usd) AS usd, count(*) AS n FROM {} GROUP BY 1 ORDER BY 1",
    "current": "SELECT campaign, sum(cost_usd) AS usd, count(*) AS n FROM {} GROUP BY 1 ORDER BY 1",
}


@pytest.mark.parametrize("view", QUERIES)
def test_a_query_beside_duckdb(large: Path, view: str) -> None:
    """Views have one row of each key and present names; raw files have what lies there. Printed: there is no aim."""
    asked, dataset = QUERIES[view], "requests" if view == "requests" else "images"
    answers: dict[str, Any] = {}

    def raw() -> None:
        with duckdb.connect(":memory:") as con:
            con.execute("SET TimeZone = 'UTC'")
            found = con.sql(asked.format("read_parquet(?)"), params=[files(large, dataset)])
            answers["raw"] = found.to_arrow_table().to_pylist()

    def ours() -> None:
        answers["ours"] = query(parts_of(large), asked.format(view), as_table=True).to_pylist()

    theirs, mine = measured(raw, ours)
    assert [row["n"] for row in answers["ours"]] == [row["n"] for row in answers["raw"]]
    print(f"\nsum over `{view}` of {ROWS:,}: {mine.beside(theirs, 'DuckDB on the same files')}")


def test_a_month_reads_a_month(large: Path) -> None:
    """Bytes that reach this process, of the files that there are; Linux counts them."""

    def reads() -> int:
        return int(Path("/proc/self/io").read_text(encoding="ascii").split("rchar:")[1].split()[0])

    images(parts_of(large), since="2025-03", until="2025-03", columns=["prompt", "cost_usd"])
    before = reads()
    frame = images(parts_of(large), since="2025-03", until="2025-03", columns=["prompt", "cost_usd"])
    taken = reads() - before
    month = sum(path.stat().st_size for path in (large / "images" / "month=2025-03").iterdir())
    whole = sum(Path(path).stat().st_size for path in files(large, "images"))
    print(f"\none month, two columns: {len(frame):,} rows, {taken:,} bytes read; month {month:,}, all {whole:,}")
    assert taken < month


def test_appending_does_not_depend_on_what_there_is(
    large: Path, tmp_path: Path, make_history: Callable[[Path, int], None]
) -> None:
    """Parts written beside a history of nothing, of a hundred thousand rows and of all: the same work and calls."""
    middle = min(ROWS, 100_000)
    make_history(tmp_path / "middle", middle)
    month = "2026-01"
    rows = [{"event_id": str(n), "at": datetime(2026, 1, 1, tzinfo=UTC), "event": "held"} for n in range(100)]
    beside = {0: tmp_path / "none", middle: tmp_path / "middle", ROWS: large}
    calls: dict[int, Counter[str]] = {}

    def append(size: int) -> None:
        storage = Counted(beside[size])
        parts = Parts(storage, lambda: uuid7(datetime.now(tz=UTC), os.urandom))
        for _ in range(50):
            parts.write("lifecycle", month, rows)
        calls[size] = storage.calls

    try:
        took = dict(zip(beside, measured(*(partial(append, size) for size in beside), rounds=5), strict=True))
    finally:
        shutil.rmtree(large / "lifecycle" / f"month={month}", ignore_errors=True)
    none = took[0]
    for size, found in took.items():
        each = {op: count / 50 for op, count in calls[size].items()}
        print(f"\n50 parts beside {size:,} rows, calls each {each}: {found.beside(none, 'beside none')}")
        assert calls[size] == calls[0]
        assert found.cpu < 1.5 * none.cpu


def test_a_generate_that_buys_nothing(tmp_path: Path, make_history: Callable[[Path, int], None]) -> None:
    """Over a million images: beyond a run with a history of two, at most 1.5 scans of one column, by the processor.

    In this process, where start-up is over. The whole of both commands, start-up included, is printed.
    """
    manifest = "version: 1\nprompts:\n  - {id: bench, prompt: a flat blue square, model: ideogram-3, count: 2}\n"

    def project(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "prompts.yaml").write_text(manifest, encoding="utf-8")
        command(folder)
        return folder

    def command(folder: Path) -> None:
        argv = [sys.executable, "-m", "flows.cli", "generate", "--yes"]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def run(folder: Path) -> None:
        report, _ = asyncio.run(generate(open_workspace(folder, (), {}), Ask()))
        assert (report.exit_code, report.orphaned) == (0, orphans[folder])

    small, big = project("small"), project("big")
    make_history(tmp_path / "made", MILLION)
    shutil.copytree(tmp_path / "made", big / "data" / "history", dirs_exist_ok=True)
    orphans = {small: 0, big: MILLION // MONTHS * MONTHS}
    run(small)
    scanned, little, mine = best(
        lambda: scan(big / "data" / "history"), lambda: run(small), lambda: run(big), rounds=15, clock=time.process_time
    )
    start, whole = best(lambda: command(small), lambda: command(big))
    beyond = mine - little
    print(
        f"\nno-op generate over {MILLION:,}, processor: {mine:.3f} s, over two images {little:.3f} s, raw scan "
        f"{scanned:.3f} s: {beyond / scanned:.2f} x the scan beyond start-up; whole command, wall: {whole:.2f} s, "
        f"{start:.2f} s over two images"
    )
    assert beyond <= 1.5 * scanned
