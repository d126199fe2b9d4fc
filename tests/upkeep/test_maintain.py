"""Maintain on real files: what it finds, records, measures and leaves alone."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows import upkeep
from flows.assets.extractor import EXTRACTOR_VERSION
from flows.errors import HistoryBusy, StorageTrouble
from flows.history.events import Event
from flows.history.lock import lock
from flows.history.owners import this_process
from flows.history.schema import event_row
from flows.ids import sha256
from flows.pipeline.kit import Progress, Stop


def cut(file: Path) -> None:
    """Half of it is gone."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def swap(file: Path) -> None:
    """One bit, the size stays."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def every_file(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_sound_project_is_left_as_it_is(bought: Any) -> None:
    """Every byte read, nothing to say, exit 0; nothing but a report is written."""
    before = every_file(bought.root)
    told = bought.maintain()
    assert told.exit_code == 0
    assert told.gist == "4 images in order"
    assert told.record["read"] == told.record["expected"] == 4
    added = every_file(bought.root).keys() - before.keys()
    assert {Path(name).suffix for name in added} == {".md", ".json"}
    assert all(name.startswith("data/reports/") for name in added)
    assert {name: data for name, data in every_file(bought.root).items() if name in before} == before


@pytest.mark.parametrize(
    ("change", "condition", "state"),
    [
        (Path.unlink, "missing", "missing"),
        (cut, "truncated", "corrupt"),
        (lambda file: file.write_bytes(b""), "truncated", "corrupt"),
        (lambda file: file.write_bytes(file.read_bytes() + b"x"), "changed", "corrupt"),
        (swap, "changed", "corrupt"),
    ],
)
def test_damage_is_told_and_recorded_once_and_so_is_its_mending(
    bought: Any, change: Any, condition: str, state: str
) -> None:
    """Exit 3 and an event when it is new; known the next time; found again when the file is back."""
    file, sound = bought.file(1), bought.file(1).read_bytes()
    change(file)
    told = bought.maintain()
    assert told.exit_code == 3
    assert told.gist == f"1 {condition}, 3 images in order"
    assert any(line.startswith("! ") and file.name in line for line in told.lines)
    assert told.tables[0].rows[0]["Condition"] == condition
    assert bought.states() == ["kept", state, "kept", "kept"]
    (event,) = bought.events()
    assert event["actor"] == "maintain"
    assert json.loads(event["details"])["condition"] == condition

    told = bought.maintain()
    assert told.exit_code == 0
    assert told.gist == "1 known to be damaged or missing, 3 images in order"
    assert len(bought.events()) == 1

    file.write_bytes(sound)
    told = bought.maintain("1/9999")  # what was wrong is looked at whatever share is due
    assert told.exit_code == 0
    assert "1 found again" in told.gist
    assert bought.states() == ["kept"] * 4
    assert [event["event"] for event in bought.events()] == [state, "found"]
    assert bought.maintain().gist == "4 images in order"


def test_missing_may_become_corrupt_and_the_other_way_round(bought: Any) -> None:
    """The state is what the file is now."""
    file = bought.file(0)
    sound = file.read_bytes()
    file.unlink()
    bought.maintain()
    file.write_bytes(sound[:100])
    bought.maintain()
    assert bought.states()[0] == "corrupt"
    file.unlink()
    bought.maintain()
    assert bought.states()[0] == "missing"


def test_a_picture_that_never_was_one(bought: Any) -> None:
    """Bytes as they came that no decoder takes: undecodable, and so the next time; the right digest mends nothing."""
    rubbish = b"\x89PNG\r\n\x1a\n and then nothing that makes sense"
    parts = bought.ws.parts
    row = parts.read(parts.listing("images"), "images").to_pylist()[0]
    path = "strange/thing.png"
    fresh = {**row, "image_id": f"{row['request_id']}-9", "image_index": 9}
    fresh |= {"local_path": path, "sha256": sha256(rubbish), "bytes": len(rubbish)}
    bought.ws.assets.write(path, rubbish)
    parts.write("images", "2026-11", [{**fresh, "requested_at": row["requested_at"]}])
    told = bought.maintain("1/9999")
    assert told.exit_code == 3
    assert told.gist == "1 undecodable, 4 images in order"
    told = bought.maintain()
    assert told.exit_code == 0
    assert told.gist == "1 known to be damaged or missing, 4 images in order"
    assert [event["event"] for event in bought.events()] == ["corrupt"]


def test_a_share_reads_its_pictures_and_looks_at_all(bought: Any) -> None:
    """Two shares together read everything; sizes and absence are seen in any."""
    reads = [bought.maintain(f"{part}/2").record["read"] for part in (1, 2)]
    assert sum(reads) == 4
    mine = int(bought.rows()[0]["sha256"][:16], 16) % 2 + 1
    swap(bought.file(0))
    assert bought.maintain(f"{3 - mine}/2").exit_code == 0  # not its share: nobody read it
    assert bought.maintain(f"{mine}/2").exit_code == 3
    cut(bought.file(1))
    assert "1 truncated" in bought.maintain("1/9999").gist


def test_what_is_in_the_trash_stays_there(bought: Any) -> None:
    """A trashed picture that is damaged is told of, but no event takes it out of the trash."""
    row = bought.rows()[2]
    now = bought.ws.now()
    event = event_row(
        event_id=bought.ws.new_id(), at=now, event=Event.TRASHED, actor="retain", run_id="r", image=row["image_id"]
    )
    bought.ws.parts.write("lifecycle", f"{now:%Y-%m}", [event])
    cut(bought.file(2))
    told = bought.maintain()
    assert told.exit_code == 0
    assert "1 known to be damaged" in told.gist
    assert bought.states()[2] == "trashed"


def test_strays_are_counted_and_left_alone(bought: Any) -> None:
    """Files that no record names; the small records beside pictures are no strays, nor are purged pictures."""
    purged = bought.rows()[0]
    now = bought.ws.now()
    event = event_row(
        event_id=bought.ws.new_id(), at=now, event=Event.PURGED, actor="retain", run_id="r", image=purged["image_id"]
    )
    bought.ws.parts.write("lifecycle", f"{now:%Y-%m}", [event])
    bought.ws.assets.write("holiday/beach.jpg", b"12345")
    told = bought.maintain()
    assert told.exit_code == 0
    assert told.record["orphaned_files"] == 1
    assert told.record["orphaned_bytes"] == 5
    assert told.record["expected"] == 3
    assert any("holiday/beach.jpg" in line for line in told.lines)
    assert bought.ws.assets.read("holiday/beach.jpg") == b"12345"


def test_a_storage_that_is_away_marks_nothing(bought: Any) -> None:
    """An unmounted disk: said so, and four pictures are not recorded as missing."""
    shutil.rmtree(bought.root / "data" / "images")
    (bought.root / "data" / "images").mkdir()
    with pytest.raises(StorageTrouble, match=r"0 of the 4 pictures.*mounted"):
        bought.maintain()
    assert bought.events() == []


def test_pictures_without_features_are_measured(bought: Any) -> None:
    """All of them, of whatever run; measured by an older extractor they are measured again; then none is left."""
    features = bought.features()
    assert len(features) == 4
    bought.forget_features()
    old = [{**row, "extractor": EXTRACTOR_VERSION - 1} for row in features[:2]]
    now = {**features[2], "extractor": EXTRACTOR_VERSION}
    bought.ws.parts.write("features", "2026-11", [*old, now])
    told = bought.maintain()
    assert told.record["measured"] == 3
    current = [row for row in bought.features() if row["extractor"] == EXTRACTOR_VERSION]
    assert sorted(row["sha256"] for row in current) == sorted(row["sha256"] for row in features)
    by_digest = {row["sha256"]: row["phash"] for row in features}
    assert all(row["phash"] == by_digest[row["sha256"]] for row in current)
    assert bought.maintain().record["measured"] == 0


def test_changed_bytes_are_not_measured_under_the_old_digest(bought: Any) -> None:
    """Features are of a digest: those of other bytes would be a lie, and the change is told whatever share is due."""
    bought.forget_features()
    other = bought.file(0).read_bytes()
    target = bought.file(3)
    padded = other[: target.stat().st_size].ljust(target.stat().st_size, b"\0")
    target.write_bytes(padded)
    told = bought.maintain("1/9999")
    assert told.record["measured"] == 3
    assert told.exit_code == 3
    assert "1 changed" in told.gist


def test_without_a_key_all_but_the_api_goes_on(bought: Any) -> None:
    """Verifying needs no API: nothing was left to finish, so nobody asks for a key."""
    real = bought.again(IDEOFLOW_API__BASE_URL="https://api.ideogram.ai")
    assert real.maintain().exit_code == 0


def test_two_at_once_are_one(bought: Any) -> None:
    """The second is told, and does nothing."""
    now = bought.ws.now()
    with lock(bought.ws.history, "maintain", this_process("other"), token="other", now=now) as held:
        assert held
        with pytest.raises(HistoryBusy, match="another maintain"):
            bought.maintain()
    assert bought.maintain().exit_code == 0


def test_a_long_one_keeps_its_lock_alive_and_ends_when_it_is_lost(bought: Any) -> None:
    """The lock is written anew with every minute of work; whoever finds it taken over stops."""
    clock, stop = [0.0], Stop()
    ws = replace(bought.ws, uptime=lambda: clock[0])
    written: list[float] = []
    file = Path(ws.history.url) / ".locks" / "maintain.lock"

    def tell(_: Progress) -> None:
        written.append(file.stat().st_mtime_ns)
        clock[0] += 61
        if len(written) == 2:
            file.write_text("another's", encoding="utf-8")

    asyncio.run(upkeep.maintain(ws, "1/1", tell=tell, stop=stop))
    assert written[1] > written[0]
    assert stop.reason == "another maintain took this one's lock over"


def test_a_stop_is_heard_and_said(bought: Any) -> None:
    """What was not looked at is left for the next run: exit 4."""
    stop = Stop()
    stop.ask("stopped by SIGTERM")
    told = upkeep.ending(*asyncio.run(upkeep.maintain(bought.ws, stop=stop)))
    assert told.exit_code == 4
    assert told.record["read"] == 0
    assert told.next_step == "run `ideoflow maintain` again for the rest"


def test_closed_months_are_merged_on_request(bought: Any) -> None:
    """Two files of a past month become one with the same rows; without being asked nothing is merged."""
    parts = bought.ws.parts
    for number in range(2):
        row = event_row(
            event_id=f"0000-{number}",
            at=bought.ws.now(),
            event=Event.HELD,
            actor="a test",
            run_id="r",
            image=f"i{number}",
        )
        parts.write("lifecycle", "2020-01", [row])
    past = [part for part in parts.listing("lifecycle") if "2020-01" in part]
    assert bought.maintain().record["compacted_files"] == 0
    assert [part for part in parts.listing("lifecycle") if "2020-01" in part] == past
    told = bought.maintain(compact=True)
    assert told.record["compacted_files"] == 2
    (one,) = [part for part in parts.listing("lifecycle") if "2020-01" in part]
    assert sorted(parts.read([one], "lifecycle")["event_id"].to_pylist()) == ["0000-0", "0000-1"]
