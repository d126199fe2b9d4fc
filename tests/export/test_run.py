"""Exports: what is copied, under which names, what a second run does, and what it never touches."""

from __future__ import annotations

import csv
import io
import itertools
import json
import shutil
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pytest
from PIL import Image

from flows.errors import Refused, StorageTrouble
from flows.export.plan import Act
from flows.export.run import Ask, Handed, destination, hand_out
from flows.history.events import Event
from flows.pipeline.kit import Progress, Stop
from flows.provenance.marking import claimed_id
from flows.storage.local import LocalStorage
from flows.workspace import open_workspace

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1dx", "\uff0bx", "\uff0dx", "\uff20x")


def out(shop: Any, *select: str, to: str = "out", **options: Any) -> Handed:
    """An export into a folder of the project."""
    return hand_out(shop.ws, destination(shop.ws, str(shop.root / to)), Ask(select, **options))


def counts(done: Handed) -> tuple[int, int, int]:
    """Copied, renamed, kept."""
    return done.acts[Act.COPY], done.acts[Act.RENAME], done.acts[Act.KEEP]


def test_copies_have_human_names_records_index_and_note(shop: Any, files: Any) -> None:
    """Brand, campaign, variant and day; a record beside each; an index for programs and one for spreadsheets."""
    ids = [shop.add(kind) for kind in ("png", "jpg", "webp")]
    before = shop.originals()
    assert counts(out(shop)) == (3, 0, 0)
    found = files(shop.root / "out")
    stems = {f"helio/summer/hero_language-de_2026-11-22_{one.removesuffix('-0')[-8:]}" for one in ids}
    pictures = {name for name in found if name.endswith((".png", ".jpg", ".webp"))}
    assert {name.rpartition(".")[0] for name in pictures} == stems
    assert {f"{stem}.json" for stem in stems} | {"index.csv", "index.parquet", "LICENCE-AND-PROVENANCE.md"} == (
        found.keys() - pictures
    )
    frame = pd.read_parquet(shop.root / "out" / "index.parquet")
    assert set(frame["file"]) == pictures
    assert sorted(frame["image_id"]) == sorted(ids)
    assert (frame["sha256"] == frame["copy_sha256"]).all()
    sheet = pd.read_csv(shop.root / "out" / "index.csv")
    assert list(sheet.columns) == list(frame.columns)
    assert list(sheet["prompt"]) == ["a prompt"] * 3
    told = json.loads(found[next(name for name in found if name.endswith(".json"))])
    assert told["prompt"] == "a prompt"
    assert datetime.fromisoformat(told["generated_at"]).year == 2026
    assert "no legal advice" in found["LICENCE-AND-PROVENANCE.md"].decode()
    assert "3 pictures, made on 2026-11-22" in found["LICENCE-AND-PROVENANCE.md"].decode()
    assert shop.originals() == before


def test_a_second_run_writes_nothing(shop: Any, files: Any) -> None:
    """Neither a copy nor a record nor an index: every file keeps its bytes and its time."""
    for kind in ("png", "jpg"):
        shop.add(kind)
    for embed in (False, True):
        out(shop, embed=embed)
        stamps = {path: path.stat().st_mtime_ns for path in (shop.root / "out").rglob("*") if path.is_file()}
        shown = files(shop.root / "out")
        assert counts(out(shop, embed=embed)) == (0, 0, 2)
        assert files(shop.root / "out") == shown
        assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    shop.add("webp")
    assert counts(out(shop, embed=True)) == (1, 0, 2)


def test_a_changed_label_renames_the_copy(shop: Any, files: Any) -> None:
    """The picture, its record and its XMP move together; nothing is copied anew, and the old names are gone."""
    shop.add("png")
    shop.add("jpg", campaign="winter")
    out(shop, embed=True)
    before = files(shop.root / "out")
    shop.relabelled(1, campaign="autumn", variant="poster")
    shop.ws.assets.delete([stat.path for stat in shop.ws.assets.list()])  # a rename needs no original
    done = out(shop, embed=True)
    assert counts(done) == (0, 1, 1)
    after = files(shop.root / "out")
    [new] = [name for name in after if name.endswith(".png")]
    [old] = [name for name in before if name.endswith(".png")]
    assert new.startswith("helio/autumn/poster_2026-11-22_")
    assert after[new] == before[old]
    assert old not in after
    assert old.replace(".png", ".json") not in after
    assert json.loads(after[new.replace(".png", ".json")])["campaign"] == "autumn"
    assert counts(out(shop, embed=True)) == (0, 0, 2)


def test_a_changed_standing_is_told_without_copying(shop: Any) -> None:
    """What was approved since says so in index and record; the picture stays."""
    name = shop.add()
    out(shop)
    shop.happened(Event.APPROVED, name)
    assert counts(out(shop)) == (0, 0, 1)
    frame = pd.read_parquet(shop.root / "out" / "index.parquet")
    assert list(frame["verdict"]) == ["approved"]
    [record] = (shop.root / "out").rglob("hero*.json")
    assert json.loads(record.read_text(encoding="utf-8"))["verdict"] == "approved"


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ((), {"a", "b", "e"}),
        (("tag:x",), {"a"}),
        (("campaign:one", "campaign:two"), {"a", "b"}),
        (("campaign:one", "tag:y"), set()),
        (("brand:other",), {"e"}),
        (("state:approved",), {"b"}),
        (("state:rejected",), {"c"}),
        (("state:kept",), {"a", "b", "c", "e"}),
        (("state:held", "state:approved"), {"a", "b"}),
        (("pa",), {"a"}),
        (("pb", "pe"), {"b", "e"}),
        (("pb@x=1",), {"b"}),
    ],
)
def test_words_select(shop: Any, select: tuple[str, ...], expected: set[str]) -> None:
    """Words of one kind are alternatives, kinds narrow; unasked, what is rejected or has no file stays here."""
    ids = {
        "a": shop.add(prompt_id="pa", variant="pa", campaign="one", tags=["x"]),
        "b": shop.add(prompt_id="pb", variant="pb@x=1", campaign="two", tags=["y"]),
        "c": shop.add(prompt_id="pc", variant="pc", campaign="one", tags=["x", "z"]),
        "d": shop.add(prompt_id="pd", variant="pd", campaign="one", tags=["x"]),
        "e": shop.add(prompt_id="pe", variant="pe", campaign=None, brand="other", tags=None),
    }
    shop.happened(Event.APPROVED, ids["b"])
    shop.happened(Event.REJECTED, ids["c"])
    shop.happened(Event.HELD, ids["a"])
    shop.happened(Event.PURGED, ids["d"])
    done = out(shop, *select)
    frame = pd.read_parquet(shop.root / "out" / "index.parquet")
    named = {one: letter for letter, one in ids.items()}
    assert {named[one] for one in frame["image_id"]} == expected
    assert not done.skipped


def test_ids_select_whole_or_in_part(shop: Any) -> None:
    """As they are copied from elsewhere; one that means several is refused."""
    first, second = shop.add(), shop.add()
    for word in (first, first.removesuffix("-0")[-9:]):
        out(shop, word, to=f"out-{word}")
        assert list(pd.read_parquet(shop.root / f"out-{word}" / "index.parquet")["image_id"]) == [first]
    with pytest.raises(Refused, match="could be 2 images"):
        out(shop, second[:6])
    with pytest.raises(Refused, match="nothing in the history is called"):
        out(shop, "nobody")
    with pytest.raises(Refused, match='did you mean "approved"'):
        out(shop, "state:aproved")


def test_cells_are_no_formulas(shop: Any) -> None:
    """Whatever a prompt begins with, no spreadsheet runs it; programs get it as it is."""
    for text in FORMULAS:
        shop.add(prompt=text, tags=[text], lettering=f"fine {text}")
    out(shop)
    raw = (shop.root / "out" / "index.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert len(rows) == len(FORMULAS)
    for row in rows:
        for column, text in row.items():
            number = column in {"cost_usd", "seed", "width", "height"}
            assert number or not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), (column, text)
    assert {row["prompt"] for row in rows} == {f"'{text}" for text in FORMULAS}
    assert set(pd.read_parquet(shop.root / "out" / "index.parquet")["prompt"]) == set(FORMULAS)


def test_embedding_says_where_it_comes_from(shop: Any) -> None:
    """In all three formats, with the same pixels; without --embed a later run brings the plain copies back."""
    ids = {kind: shop.add(kind) for kind in ("png", "jpg", "webp")}
    before = shop.originals()
    done = out(shop, embed=True)
    assert (done.embedded, done.beside) == (3, 0)
    for kind, name in ids.items():
        [copy] = (shop.root / "out").rglob(f"*.{kind}")
        data = copy.read_bytes()
        assert claimed_id(data) == name
        [original] = [value for path, value in before.items() if path.endswith(kind)]
        assert data != original
        with Image.open(io.BytesIO(data)) as one, Image.open(io.BytesIO(original)) as other:
            assert one.tobytes() == other.tobytes()
    assert shop.originals() == before
    assert "Inside of 3 files" in (shop.root / "out" / "LICENCE-AND-PROVENANCE.md").read_text(encoding="utf-8")
    assert counts(out(shop)) == (3, 0, 0)
    copies = {path.read_bytes() for path in (shop.root / "out").rglob("hero*") if path.suffix != ".json"}
    assert copies == set(before.values())


def test_what_is_missing_or_changed_is_not_handed_out(shop: Any) -> None:
    """A damaged original is no copy worth having: said, and the rest goes on."""
    gone, changed, fine = shop.add(), shop.add(), shop.add()
    shop.ws.assets.delete(["assets-1.png"])
    shop.ws.assets.write("assets-2.png", b"something else")
    done = out(shop)
    assert {one.image_id: one.why for one in done.skipped} == {
        gone: "its file is missing",
        changed: "its file is not what was stored: it changed",
    }
    assert list(pd.read_parquet(shop.root / "out" / "index.parquet")["image_id"]) == [fine]


def test_what_was_handed_out_before_stays(shop: Any, files: Any) -> None:
    """Another selection adds; copies of before stay, and the index tells what became of them since."""
    first, second = shop.add(campaign="one"), shop.add(campaign="two")
    out(shop, "campaign:one")
    shop.happened(Event.REJECTED, first)
    done = out(shop, "campaign:two")
    assert done.earlier == 1
    frame = pd.read_parquet(shop.root / "out" / "index.parquet").set_index("image_id")
    assert frame.loc[first, "verdict"] == "rejected"
    assert second in frame.index
    # A copy that somebody removed is listed no more.
    (shop.root / "out" / str(frame.loc[first, "file"])).unlink()
    out(shop, "campaign:two")
    assert list(pd.read_parquet(shop.root / "out" / "index.parquet")["image_id"]) == [second]


def test_a_damaged_copy_is_made_anew(shop: Any) -> None:
    """One that is gone, or has another size."""
    shop.add()
    shop.add()
    out(shop)
    one, other = sorted((shop.root / "out").rglob("*.png"))
    one.unlink()
    other.write_bytes(b"cut")
    assert counts(out(shop)) == (2, 0, 0)


def test_places_of_the_project_are_refused(shop: Any) -> None:
    """Neither the originals' folder, nor one above or below it, by whatever name; and nothing was written."""
    shop.add()
    (shop.root / "link").symlink_to(shop.root / "data")
    for place in ("data/images", "data/images/out", "data", ".", "data/history", "data/reports/x", "link/images"):
        with pytest.raises(Refused, match="lie one in the other"):
            out(shop, to=place)
    with pytest.raises(Refused, match="lie one in the other"):
        destination(shop.ws, (shop.root / "data" / "images").as_uri())


@pytest.mark.parametrize("name", ["index.csv", "index.parquet", "LICENCE-AND-PROVENANCE.md"])
def test_somebody_elses_index_is_not_overwritten(shop: Any, name: str) -> None:
    """A folder with files of our names that are not ours is refused."""
    shop.add()
    (shop.root / "out").mkdir()
    (shop.root / "out" / name).write_text("mine", encoding="utf-8")
    with pytest.raises(Refused, match="is not from an export"):
        out(shop)
    assert (shop.root / "out" / name).read_text(encoding="utf-8") == "mine"


def test_a_stop_leaves_the_rest_to_the_next_run(shop: Any) -> None:
    """What was copied is listed; the same again copies what is left."""
    for _ in range(40):
        shop.add()
    stop = Stop()

    def tell(event: Progress) -> None:
        if event.what == "stored":
            stop.ask("enough")

    done = hand_out(shop.ws, destination(shop.ws, str(shop.root / "out")), Ask(), tell=tell, stop=stop)
    assert 0 < done.images < 40
    assert done.images + done.undone == 40
    assert len(pd.read_parquet(shop.root / "out" / "index.parquet")) == done.images
    again = out(shop)
    assert counts(again) == (40 - done.images, 0, done.images)


class Plug(Exception):
    """Power is gone."""


class Pulled(LocalStorage):
    """A folder on a disk whose plug is pulled before a certain change."""

    def __init__(self, root: Path, changes: int) -> None:
        super().__init__(root)
        self._left = changes
        self._lock = threading.Lock()

    def write(self, path: str, data: bytes | BinaryIO) -> None:
        self._change()
        super().write(path, data)

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._change()
            super().delete([path])

    def _change(self) -> None:
        with self._lock:
            if self._left == 0:
                raise Plug
            self._left -= 1


@pytest.mark.parametrize("embed", [False, True])
def test_pulled_at_any_change_the_next_run_completes_it(shop: Any, files: Any, embed: bool) -> None:
    """Copy, rename, record and index: killed between any two changes, the end is what it would have been."""
    for kind in ("png", "jpg"):
        shop.add(kind)
    out(shop, embed=embed)
    shop.relabelled(1, campaign="autumn")
    shop.add("webp")
    whole: dict[str, Any] = {}
    for changes in itertools.count():
        target = f"out-{changes}"
        shutil.copytree(shop.root / "out", shop.root / target)
        finished = True
        try:
            hand_out(shop.ws, Pulled(shop.root / target, changes), Ask(embed=embed))
        except Plug:
            finished = False
        assert out(shop, to=target, embed=embed).images == 3
        end = {name: _timeless(name, data) for name, data in files(shop.root / target).items()}
        whole = whole or end
        assert end == whole, f"pulled before change {changes}"
        if finished:
            assert changes >= 9, "two copies, two records, two old files, three files about them all"
            return


def _timeless(name: str, data: bytes) -> Any:
    if name.endswith(".json"):
        return {key: value for key, value in json.loads(data).items() if key != "exported_at"}
    if name == "index.csv":
        return pd.read_csv(io.BytesIO(data)).drop(columns="exported_at").to_csv()
    if name == "index.parquet":
        return pd.read_parquet(io.BytesIO(data)).drop(columns="exported_at").to_csv()
    return data


def test_any_address_will_do(shop: Any) -> None:
    """A storage in memory, as an address like any other."""
    shop.add()
    to, ask = destination(shop.ws, "memory://handed/out"), Ask(embed=True)
    assert counts(hand_out(shop.ws, to, ask)) == (1, 0, 0)
    assert counts(hand_out(shop.ws, to, ask)) == (0, 0, 1)
    shop.relabelled(1, campaign="autumn")
    assert counts(hand_out(shop.ws, to, ask)) == (0, 1, 0)
    names = [stat.path for stat in to.list()]
    assert next(name for name in names if name.endswith(".png")).startswith("helio/autumn/")
    assert len(names) == 5


@pytest.mark.s3
def test_a_bucket_will_do(shop: Any, s3_bucket: Any) -> None:
    """The same into a bucket, with the options of the settings."""
    settings = {"IDEOFLOW_STORAGE__OPTIONS": json.dumps(dict(s3_bucket.options))}
    shop.add("jpg")
    shop.ws = open_workspace(shop.root, (), settings)
    to, ask = destination(shop.ws, f"s3://{s3_bucket.name}/handed"), Ask(embed=True)
    assert counts(hand_out(shop.ws, to, ask)) == (1, 0, 0)
    assert counts(hand_out(shop.ws, to, ask)) == (0, 0, 1)


def test_an_address_that_nobody_knows_is_told(shop: Any) -> None:
    """In words, before anything is read."""
    with pytest.raises(StorageTrouble, match="cannot open the storage"):
        destination(shop.ws, "nowhere://x")


def test_twins_are_told_apart_by_their_whole_ids(shop: Any) -> None:
    """Two requests whose short ids are the same keep two copies."""
    tail = "aaaaaaaa"
    for head in ("019a0000-0000-7000-8000-0000", "019a0000-0000-7000-8000-1111"):
        shop.add(image_id=f"{head}{tail}-0", request_id=f"{head}{tail}")
    assert counts(out(shop)) == (2, 0, 0)
    names = [path.name for path in Path(shop.root / "out").rglob("*.png")]
    assert len(names) == 2
    assert all("019a0000-0000-7000-8000" in name for name in names)
