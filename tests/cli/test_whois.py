"""The whois verb: one image's whole story, by any name it has or by a picture of it."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flows.history import view
from flows.history.events import Event
from flows.history.schema import event_row
from flows.ids import uuid7
from flows.pipeline.kit import Stop
from flows.reproduction.run import Ask, prepare, reproduce
from flows.workspace import open_workspace


@pytest.fixture(scope="session")
def told_of(new_project: Any) -> Path:
    """A project whose four images have been bought, one of which was made again."""
    project = new_project()
    project.buy()
    [badge] = [row for row in all_rows(project) if row["prompt_id"] == "badge"]
    ws = open_workspace(project.root, (), {})
    outlook = prepare(ws, Ask(badge["image_id"], exact=True))
    asyncio.run(reproduce(ws, outlook, tell=lambda _: None, stop=Stop()))
    return Path(project.root)


@pytest.fixture
def bought(project: Any, told_of: Path) -> Any:
    """A copy of it."""
    shutil.copytree(told_of, project.root, dirs_exist_ok=True)
    return project


def all_rows(project: Any) -> list[dict[str, Any]]:
    """Every image, the oldest first."""
    rows: list[dict[str, Any]] = view.images(open_workspace(project.root, ()).parts).to_pylist()
    return sorted(rows, key=lambda row: str(row["image_id"]))


def of(project: Any, prompt_id: str) -> list[dict[str, Any]]:
    return [row for row in all_rows(project) if row["prompt_id"] == prompt_id]


def test_the_story_has_everything(bought: Any, ideoflow: Any) -> None:
    """Request, rewrite, options, seed, cost, timings, margin, file: as the datasets have them."""
    row = of(bought, "strasse")[0]
    said = ideoflow("whois", row["image_id"])
    assert said.code == 0, said
    for words in (
        row["image_id"],
        row["prompt"],
        row["final_prompt"],
        "helio, summer",
        "rendering_speed: turbo",
        str(row["seed"]),
        "$0.03",
        "before its link expired",
        "until it was on storage",
        row["local_path"],
        "unchanged",
        row["run_id"],
    ):
        assert words in said.out, words
    told = json.loads(ideoflow("whois", row["image_id"], "--json").out)
    assert told["image"]["sha256"] == row["sha256"]
    assert told["request"]["outcome"] == "completed"
    assert json.loads(told["request"]["request"])["prompt"] == row["prompt"]
    assert told["features"]["phash"]
    assert [(file["what"], file["found"]) for file in told["files"]] == [("picture", "unchanged"), ("record", "there")]
    assert told["image"]["state"] == "kept"


def test_ids_are_known_by_their_beginning_or_end(bought: Any, ideoflow: Any) -> None:
    """As copied from a table or from the end of a file name; too little of it is refused with the choice."""
    row = all_rows(bought)[0]
    name = row["image_id"]
    for part in (name[:-3], name[-8:], name.removesuffix("-0")[-6:], name.removesuffix("-0"), name.upper()):
        assert json.loads(ideoflow("whois", part, "--json").out)["image"]["image_id"] == name, part
    said = ideoflow("whois", name[:4])
    assert said.code == 2
    assert "could be 5 images" in said.err
    assert ideoflow("whois", "nobody").code == 2


def test_lineage_goes_both_ways(bought: Any, ideoflow: Any) -> None:
    """From the original to what was made of it, and back."""
    old, new = (row["image_id"] for row in of(bought, "badge"))
    assert json.loads(ideoflow("whois", old, "--json").out)["lineage"]["reproduced_as"] == [new]
    told = json.loads(ideoflow("whois", new, "--json").out)
    assert told["lineage"]["reproduced_from"] == old
    assert [event["event"] for event in told["events"]] == ["reproduced"]
    assert f"made from {old}" in ideoflow("whois", new).out
    first, second = (row["image_id"] for row in of(bought, "tile"))
    assert json.loads(ideoflow("whois", first, "--json").out)["lineage"]["siblings"] == [second]


def test_events_findings_and_replacement_are_told(bought: Any, ideoflow: Any) -> None:
    """In their order, with who and why; the latest word of a finding; what was bought in its place."""
    ws = open_workspace(bought.root, ())
    old, new = of(bought, "tile")
    at, seconds = datetime(2030, 1, 1, tzinfo=UTC), itertools.count()

    def event(kind: Event, image: str, when: datetime) -> dict[str, Any]:
        return event_row(
            event_id=uuid7(at + timedelta(seconds=next(seconds)), os.urandom),
            at=when,
            event=kind,
            actor="ann",
            run_id="r",
            reason=f"why {kind}",
            image=image,
            fingerprint=old["fingerprint"],
        )

    given_up = event(Event.REPLACED, old["image_id"], new["requested_at"])
    ws.parts.write("lifecycle", "2030-01", [given_up, event(Event.HELD, old["image_id"], at)])
    ws.parts.write("lifecycle", "2030-01", [event(Event.REJECTED, old["image_id"], at)])
    ws.parts.write("lifecycle", "2030-01", [event(Event.APPROVED, new["image_id"], at)])
    finding = {
        "finding_id": "f1",
        "found_at": at,
        "code": "palette.off_brand",
        "severity": "warning",
        "image_id": old["image_id"],
        "details": '{"swatches": []}',
        "accepted": False,
    }
    ws.parts.write("findings", "2030-01", [finding | {"state": "new", "message": "first"}])
    later = finding | {"state": "open", "message": "second", "found_at": at.replace(year=2031)}
    ws.parts.write("findings", "2030-01", [later])
    told = json.loads(ideoflow("whois", old["image_id"], "--json").out)
    assert [row["event"] for row in told["events"]] == ["replaced", "held", "rejected"]
    assert [row["message"] for row in told["findings"]] == ["second"]
    assert told["lineage"]["replaced_by"] == [new["image_id"]]
    assert json.loads(ideoflow("whois", new["image_id"], "--json").out)["lineage"]["instead_of"] == [old["image_id"]]
    said = ideoflow("whois", old["image_id"]).out
    for words in ("held, rejected", "why held", "by ann", "palette.off_brand", f"replaced by {new['image_id']}"):
        assert words in said, words


def test_files_are_looked_at(bought: Any, ideoflow: Any) -> None:
    """Changed or gone is said, whatever the history believes."""
    one, two, *_ = all_rows(bought)
    root = bought.root / "data" / "images"
    (root / one["local_path"]).write_bytes(b"x")
    (root / two["local_path"]).unlink()
    assert "(changed, 1 byte)" in ideoflow("whois", one["image_id"]).out
    assert "(missing)" in ideoflow("whois", two["image_id"]).out


def test_a_found_picture_leads_to_its_story(bought: Any, ideoflow: Any, tmp_path: Path) -> None:
    """The very file, and a small JPEG of it, whatever it is called."""
    row = of(bought, "strasse")[0]
    ours = bought.root / "data" / "images" / row["local_path"]
    copy = tmp_path / "IMG [1].bin"
    shutil.copy(ours, copy)
    said = ideoflow("whois", str(copy))
    assert said.code == 0
    assert "is this very file" in said.out
    small = tmp_path / "found.jpg"
    with Image.open(ours) as image:
        image.convert("RGB").resize((image.width // 2, image.height // 2)).save(small, quality=50)
    said = ideoflow("whois", str(small))
    assert said.code == 0
    assert "though the bytes differ: 99." in said.out
    assert row["image_id"] in said.out
    told = json.loads(ideoflow("whois", str(small), "--json").out)
    assert told["recognised"]["matches"][0]["image_id"] == told["image"]["image_id"] == row["image_id"]
    assert 0.9 < told["recognised"]["matches"][0]["confidence"] < 1


def test_not_ours_is_said_plainly(bought: Any, ideoflow: Any, tmp_path: Path) -> None:
    """With an exit code of its own, and what it was compared with."""
    other = tmp_path / "other.png"
    Image.effect_mandelbrot((200, 150), (-2, -1, 1, 1), 30).save(other)
    said = ideoflow("whois", str(other))
    assert said.code == 3
    assert said.out.startswith("not ours:")
    assert "compared with 4 pictures" in said.out, "the one that was made again has the bytes of the first"
    said = ideoflow("whois", str(other), "--json")
    assert said.code == 3
    assert json.loads(said.out)["recognised"]["ours"] is False


def test_what_could_not_be_compared_is_no_flat_no(bought: Any, ideoflow: Any, tmp_path: Path) -> None:
    """After an upgrade that measures otherwise: how many are left out, and the command that mends it."""
    parts = open_workspace(bought.root, ()).parts
    measured = parts.read(parts.listing("features"), "features").to_pylist()
    parts.storage.delete(parts.listing("features"))
    parts.write("features", "2026-11", [row | {"extractor": 0} for row in measured])
    row = of(bought, "strasse")[0]
    found = tmp_path / "found.jpg"
    with Image.open(bought.root / "data" / "images" / row["local_path"]) as image:
        image.convert("RGB").save(found, quality=50)
    said = ideoflow("whois", str(found))
    assert said.code == 3
    assert not said.out.startswith("not ours")
    assert "4 pictures of ours could not be compared" in said.out
    assert "ideoflow maintain" in said.out
    assert json.loads(ideoflow("whois", str(found), "--json").out)["recognised"]["unmeasured"] == 4
    assert ideoflow("maintain").code == 0
    assert row["image_id"] in ideoflow("whois", str(found)).out


def test_what_is_no_picture_is_a_mistake(bought: Any, ideoflow: Any, tmp_path: Path) -> None:
    """Not the same as not being ours."""
    (tmp_path / "page.png").write_text("<html>", encoding="utf-8")
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, "PNG")
    (tmp_path / "cut.png").write_bytes(buffer.getvalue()[:-20])
    for name, says in (("page.png", "no picture"), ("cut.png", "no picture"), ("nowhere.png", "no such file")):
        said = ideoflow("whois", str(tmp_path / name))
        assert said.code == 2, said
        assert says in said.err
