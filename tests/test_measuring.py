"""Back-fill: what lacks features gets them, once; what was to say something is read, once; nothing else is touched."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw, ImageFont

from flows.assets.extractor import EXTRACTOR_VERSION
from flows.checks.subject import IMAGE_COLUMNS, MEASURED_COLUMNS, Reading, measured
from flows.checks.subject import Image as Audited
from flows.history.events import Event
from flows.history.schema import DATASETS, event_row
from flows.history.standing import current
from flows.ids import sha256
from flows.measuring import back_fill, read_lettering
from flows.pipeline.kit import Progress
from flows.workspace import Workspace, open_workspace

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def poster(words: str = "", size: tuple[int, int] = (600, 300)) -> bytes:
    image = Image.new("RGB", size, "#FFF4E0")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, size[1] // 2, size[0], size[1]), "#F5A623")
    pen.text((30, 40), words, font=ImageFont.load_default(70), fill="#3B2A1E")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path, (), {})


def store(ws: Workspace, number: int, data: bytes, **fields: Any) -> dict[str, Any]:
    """A picture on storage and its row in the history."""
    path = f"acme/p{number}.png"
    ws.assets.write(path, data)
    row = {
        "image_id": f"i{number}",
        "fingerprint": f"f{number}",
        "run_id": "run",
        "status": "stored",
        "prompt_id": f"p{number}",
        "requested_at": NOW,
        "stored_at": NOW,
        "local_path": path,
        "sha256": sha256(data),
        **fields,
    }
    ws.parts.write("images", "2026-11", [row])
    return row


def features(ws: Workspace) -> list[dict[str, Any]]:
    return ws.parts.read(ws.parts.listing("features"), "features").to_pylist()


def untold(_progress: Progress) -> None:
    """Nobody watches."""


def test_each_picture_is_measured_once(ws: Workspace) -> None:
    """Two images of one file are one measurement; the next time there is nothing to do."""
    for number, words in enumerate(["a", "b", "a"]):
        store(ws, number, poster(words))
    told: list[Progress] = []
    assert back_fill(ws, told.append).measured == 2
    assert len(told) == 2
    assert back_fill(ws, told.append).measured == 0
    assert len(told) == 2
    assert {row["sha256"] for row in features(ws)} == {sha256(poster("a")), sha256(poster("b"))}


def test_rows_become_what_the_checks_look_at(ws: Workspace) -> None:
    """Through Parquet and back: colours with their shares, numbers as they were."""
    row = store(ws, 1, poster())
    back_fill(ws, untold)
    listing = ws.parts.listing("features")
    found = measured(ws.parts.read(listing, "features", MEASURED_COLUMNS))[row["sha256"]]
    assert (found.width, found.height, found.extractor, found.alpha) == (600, 300, EXTRACTOR_VERSION, 1.0)
    assert found.palette.shape == (2, 4)
    assert found.palette[:, 3].tolist() == pytest.approx([0.5, 0.5], abs=0.01)
    assert found.contrast is not None
    assert found.contrast > 10
    image = Audited.from_row(current(ws.parts, IMAGE_COLUMNS).to_pylist()[0])
    assert image.kept
    assert image.sha256 == row["sha256"]


def test_rows_of_the_first_extractor_are_read_and_measured_anew(ws: Workspace) -> None:
    """An old part lacks the new columns; its values still count until the new ones are there."""
    row = store(ws, 1, poster())
    old = {
        "sha256": row["sha256"],
        "extractor": 1,
        "image_id": "i1",
        "width": 600,
        "height": 300,
        "mode": "RGB",
        "phash": "f" * 16,
        "dhash": "0" * 16,
        "thumbnail": b"x",
        "extracted_at": NOW,
    }
    schema = pa.schema([DATASETS["features"].field(name) for name in old])
    part = Path(str(ws.history.url)) / "features" / "month=2026-10" / "old.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([old], schema=schema), part)

    def known() -> Any:
        return measured(ws.parts.read(ws.parts.listing("features"), "features", MEASURED_COLUMNS))[row["sha256"]]

    before = known()
    assert (before.extractor, before.contrast, len(before.palette)) == (1, None, 0)
    assert before.phash == (1 << 64) - 1
    assert back_fill(ws, untold).measured == 1
    assert (known().extractor, len(known().palette)) == (EXTRACTOR_VERSION, 2)
    assert back_fill(ws, untold).measured == 0


def test_what_cannot_be_measured_is_told_with_its_reason(ws: Workspace) -> None:
    """A web page, a file that is gone; the others are measured all the same."""
    bad, gone = store(ws, 1, b"<html>"), store(ws, 2, poster("gone"))
    store(ws, 3, poster("good"))
    ws.assets.delete([gone["local_path"]])
    filled = back_fill(ws, untold)
    assert filled.measured == 1
    assert filled.failures.keys() == {bad["sha256"], gone["sha256"]}
    assert "web page" in filled.failures[bad["sha256"]]
    assert "not there" in filled.failures[gone["sha256"]]


def test_pictures_without_a_file_and_those_not_asked_for_are_left_alone(ws: Workspace) -> None:
    """Purged ones, withheld ones, and those that the filter leaves out."""
    store(ws, 1, poster("purged"))
    store(ws, 2, poster("other run"), run_id="other")
    row = event_row(event_id="e1", at=NOW + timedelta(hours=1), event=Event.PURGED, actor="t", run_id="r", image="i1")
    ws.parts.write("lifecycle", "2026-11", [row])
    ws.parts.write("images", "2026-11", [{"image_id": "i3", "status": "withheld", "requested_at": NOW}])
    assert back_fill(ws, untold, pc.field("run_id") == "run").measured == 0
    assert back_fill(ws, untold).measured == 1


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="needs the extra ocr")
@pytest.mark.slow
def test_what_was_to_say_something_is_read_once(ws: Workspace) -> None:
    """By the real engine, kept as data; a picture that was to say nothing is not read."""
    said = store(ws, 1, poster("GOOD MORNING"), lettering="GOOD MORNING")
    broken = store(ws, 2, b"<html>", lettering="AHOI")
    store(ws, 3, poster("SILENT"))
    assert read_lettering(ws, untold).measured == 1
    rows = {row["sha256"]: row for row in ws.parts.read(ws.parts.listing("readings"), "readings").to_pylist()}
    assert rows.keys() == {said["sha256"], broken["sha256"]}
    reading = Reading.from_row(rows[said["sha256"]])
    assert [line.text for line in reading.lines] == ["GOOD MORNING"]
    assert reading.lines[0].box[0] == pytest.approx(0.05, abs=0.03)
    assert "rapidocr" in reading.engine
    assert "web page" in (Reading.from_row(rows[broken["sha256"]]).failure or "")
    again = read_lettering(ws, untold)
    assert (again.measured, again.failures) == (0, {})
