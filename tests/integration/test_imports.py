"""Imports in processes of their own, killed at every step and several at once: nothing doubled, nothing lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flows.ids import sha256

CLAIM = r"\.journal/.*\.claim$"
END = r"\.journal/.*\.end$"
ARROWS: dict[str, dict[str, Any]] = {
    "before the picture": {"op": "write", "path": r"^assets/.*\.png$", "when": "before"},
    "after the picture": {"op": "write", "path": r"^assets/.*\.png$", "when": "after"},
    "after its record": {"op": "write", "path": r"^assets/.*\.json$", "when": "after"},
    "before the claim": {"op": "create", "path": CLAIM, "when": "before"},
    "after the claim": {"op": "create", "path": CLAIM, "when": "after"},
    "in the check": {"op": "list", "path": r"^history/requests", "when": "before", "nth": 1, "arm": ("create", CLAIM)},
    "before the end": {"op": "create", "path": END, "when": "before"},
    "after the end": {"op": "create", "path": END, "when": "after"},
    "holding the lock": {"op": "create", "path": r"\.locks/", "when": "after", "nth": 1},
    "between the parts": {"op": "write", "path": r"^history/images/", "when": "after", "nth": 1},
    "after the requests part": {"op": "write", "path": r"^history/requests/", "when": "after", "nth": 1},
    "in the middle of dropping": {"op": "delete", "path": r"\.journal/", "when": "after"},
}
FEW = ("after the claim", "in the check", "between the parts")
SOME = [arrow if arrow == FEW[0] else pytest.param(arrow, marks=pytest.mark.slow) for arrow in ARROWS]
PICTURES = 7


def collect(place: Any, pictures: int = PICTURES) -> str:
    """Two of three pictures that p0 wants, all of p1's, the rest of no variant."""
    place.manifest(2, count=3)
    folder = Path(place.folder).parent / "old"
    folder.mkdir()
    lines = ["id,prompt,model,localPath,generatedAt"]
    prompts = ["A bottle on sand, take p0"] * 2 + ["A bottle on sand, take p1"] * 3 + ["Unknown"] * (pictures - 5)
    for number, prompt in enumerate(prompts):
        Image.new("RGB", (16, 16), (number * 5, 9, 200)).save(folder / f"{number}.png")
        lines.append(f'{number},"{prompt}",V_3,{number}.png,2025-0{1 + number % 3}-01T00:00:00Z')
    (folder / "list.csv").write_text("\n".join(lines), encoding="utf-8")
    return str(folder / "list.csv")


def check(place: Any, pictures: int = PICTURES) -> None:
    """Every picture once, with its bytes; the books dense and closed; and a run buys the one that is missing."""
    final = place.run()
    assert (final["exit"], final["bought"]) == (0, 1), final
    book, doubts = place.book()
    assert (doubts, book.live, book.rubbish) == ({}, [], ())
    rows = place.rows()
    assert len(rows) == pictures + 1
    assert len({row["sha256"] for row in rows}) == len({row["image_id"] for row in rows}) == len(rows)
    raw = place.raw("images")
    assert sorted(raw["image_id"]) == sorted(row["image_id"] for row in rows)
    assets = place.workspace().assets
    assert all(sha256(assets.read(row["local_path"]) or b"") == row["sha256"] for row in rows)
    numbers: dict[str, list[int]] = {}
    for row in rows:
        numbers.setdefault(row["fingerprint"], []).append(row["n"])
    assert all(sorted(found) == list(range(len(found))) for found in numbers.values())
    named = {row["local_path"] for row in rows}
    assert {name for name in place.names("assets") if name.endswith(".png")} == named


@pytest.mark.parametrize("arrow", SOME)
def test_killed_and_done_again(place: Any, arrow: str) -> None:
    """The second import finishes the first; the third finds nothing to do."""
    source = collect(place)
    assert place.run(trap={"nth": 3, **ARROWS[arrow]}, collection=source) is None, "the trap was never reached"
    again = place.run(collection=source)
    assert again["stopped"] is None, again
    last = place.run(collection=source)
    assert (last["taken"], last["finished"], last["had"]) == (0, 0, PICTURES)
    check(place)


@pytest.mark.parametrize("arrow", SOME)
def test_killed_and_a_run_comes_first(place: Any, arrow: str) -> None:
    """Nothing of it is in doubt: a run that buys finishes what was begun, and the import goes on after it."""
    source = collect(place)
    place.settings = {"IDEOFLOW_BUDGET__PER_RUN_USD": "0.000001"}  # it may look, and not buy
    assert place.run(trap={"nth": 3, **ARROWS[arrow]}, collection=source) is None
    between = place.run()
    assert not between["counts"].get("in doubt"), between
    book, doubts = place.book()
    assert (doubts, [entry for entry in book.live if entry.final is None]) == ({}, [])
    place.settings = {}
    place.run(collection=source)
    check(place)


def test_three_imports_and_a_run_at_once(place: Any) -> None:
    """All of the same collection, while somebody buys what it holds: no number twice, no picture twice."""
    source = collect(place)
    started = [place.start(collection=source) for _ in range(3)]
    told = [run.wait() for run in started]
    assert all(one["stopped"] is None for one in told), told
    place.run(collection=source)
    check(place)
    print([(one["taken"], one["had"]) for one in told])


def test_an_import_beside_a_run_that_buys_the_same(place: Any) -> None:
    """Whoever is first, every number is taken once and every picture is in the books."""
    source = collect(place)
    buying, importing = place.start(), place.start(collection=source)
    told = importing.wait()
    assert buying.wait()["exit"] == 0
    assert (told["taken"], told["stopped"]) == (PICTURES, None)
    final = place.run()
    assert (final["exit"], final["bought"]) == (0, 0)
    rows = place.rows()
    assert len(rows) == PICTURES + place.billed()
    assert len({row["image_id"] for row in rows}) == len({(row["fingerprint"], row["n"]) for row in rows}) == len(rows)


@pytest.mark.s3
@pytest.mark.slow
@pytest.mark.parametrize("arrow", FEW)
def test_killed_over_s3(bucket_place: Any, arrow: str) -> None:
    """Pictures, journal and history in a bucket."""
    source = collect(bucket_place)
    assert bucket_place.run(trap={"nth": 3, **ARROWS[arrow]}, collection=source) is None
    bucket_place.run(collection=source)
    check(bucket_place)
