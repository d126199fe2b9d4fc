"""A retention run in a real project on this disk: what it shows, what it refuses, what it does and leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.errors import HistoryBusy, InvalidInput, Refused
from flows.history.events import Event
from flows.history.lock import lock
from flows.history.owners import this_process
from flows.history.schema import event_row
from flows.history.standing import current
from flows.keeping import run as keeping
from flows.keeping.outlook import Wish, look, would_free
from flows.keeping.run import retain
from flows.keeping.verdicts import restore
from flows.measuring import back_fill
from flows.pipeline.kit import Stop
from flows.report.keeping import KeepingReport, ending
from flows.retention.decide import Action
from flows.retention.sweep import Broom, sweep
from flows.storage import Storage
from flows.workspace import Workspace, open_workspace

CLASSIC = "  classic: {match: all, keep_within: 30d, allow_empty: true}\n"
APPLY = Wish(apply=True, max_fraction=1.0)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "prompts.yaml").write_text(
        "version: 1\nprompts:\n  - {id: other, prompt: A beach, model: ideogram-3}\n", encoding="utf-8"
    )
    policy(tmp_path)
    return tmp_path


def policy(project: Path, classes: str = CLASSIC, *, enabled: bool = True, more: str = "") -> None:
    text = f"version: 1\nenabled: {str(enabled).lower()}\n{more}classes:\n{classes}"
    (project / "configs/retention.yaml").write_text(text, encoding="utf-8")


def run(ws: Workspace, wish: Wish = APPLY) -> KeepingReport:
    return asyncio.run(retain(ws, wish))[0]


def states(ws: Workspace) -> dict[str, str]:
    rows = current(ws.parts, ["image_id", "state"]).to_pylist()
    return {row["image_id"]: row["state"] for row in rows}


def path_of(ws: Workspace, name: str) -> Path:
    rows = current(ws.parts, ["image_id", "local_path"]).to_pylist()
    return Path(ws.assets.where(next(row["local_path"] for row in rows if row["image_id"] == name)))


def events(ws: Workspace, kind: Event) -> list[dict[str, Any]]:
    rows = ws.parts.read(ws.parts.listing("lifecycle"), "lifecycle").to_pylist()
    return [row | {"details": json.loads(row["details"])} for row in rows if row["event"] == str(kind)]


def happens(ws: Workspace, kind: Event, image: str) -> None:
    row = event_row(event_id=ws.new_id(), at=ws.now(), event=kind, actor="a test", run_id="r", image=image)
    ws.parts.write("lifecycle", f"{ws.now():%Y-%m}", [row])


def snapshot(project: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in project.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture
def ws(project: Path) -> Workspace:
    return open_workspace(project, (), {})


def test_looking_changes_no_byte(project: Path, ws: Workspace, stock: Any) -> None:
    """Not one file more, less or newer: neither by looking nor by asking what would come free."""
    stock(ws, [{"age": 1}, {"age": 40}, {"age": 50, "trashed": 9}])
    before = snapshot(project)
    report = run(ws, Wish())
    would_free(ws)
    assert snapshot(project) == before
    assert (report.applied, report.images("trashed"), report.images("purged"), report.images("kept")) == (
        False,
        1,
        1,
        1,
    )
    assert report.next_step == "this would be refused: if that is meant, pass --max-fraction 0.5"
    assert run(ws, Wish(max_fraction=0.5)).next_step == "`ideoflow retain --apply` does this"


def test_what_is_shown_is_what_is_done(ws: Workspace, stock: Any) -> None:
    """The same decisions, in the same words, whether they are shown or carried out."""
    stock(ws, [{"age": 1}, {"age": 40}, {"age": 50, "trashed": 9}, {"age": 45, "trashed": 2}])
    shown, done = run(ws, Wish(max_fraction=1.0)), run(ws)
    assert done.sums == shown.sums
    assert [one.says for one in done.examples] == [one.says for one in shown.examples]


def test_what_outlives_a_purge(ws: Workspace, stock: Any) -> None:
    """Row, digest, perceptual hash, thumbnail, the whole lifecycle, and what making it again would cost."""
    (name,) = stock(ws, [{"age": 50, "trashed": 9}])
    path = path_of(ws, name)
    assert run(ws).images("purged") == 1
    assert not path.exists()
    assert not path.with_suffix(".json").exists()
    (row,) = current(ws.parts).to_pylist()
    (event,) = events(ws, Event.PURGED)
    (features,) = ws.parts.read(ws.parts.listing("features"), "features").to_pylist()
    assert (row["state"], row["image_id"]) == ("purged", name)
    assert event["details"]["sha256"] == row["sha256"] == features["sha256"]
    assert features["phash"]
    assert features["thumbnail"]
    assert event["details"]["reproduce_usd"] == "0.06"
    assert event["reason"].startswith("in the trash for 9 days, grace is 7 days; 50 days old")
    assert event["actor"] == "retain"


def test_restored_is_what_was_there(ws: Workspace, stock: Any) -> None:
    """The very bytes, and on hold, so that the next night does not take it again; `release` leaves it to the rules."""
    first, second = stock(ws, [{"age": 40}, {"age": 41}])
    bytes_ = {name: path_of(ws, name).read_bytes() for name in (first, second)}
    report = run(ws)
    assert report.next_step.startswith(f"`ideoflow restore {report.run_id}` undoes it, until ")
    assert states(ws) == {first: "trashed", second: "trashed"}
    restore(ws, [first])
    restore(ws, [second], hold=False)
    assert states(ws) == {first: "kept", second: "kept"}
    assert {name: path_of(ws, name).read_bytes() for name in bytes_} == bytes_
    assert run(ws).images("trashed") == 1
    assert states(ws) == {first: "kept", second: "trashed"}


def test_a_whole_run_is_undone_by_its_id(ws: Workspace, stock: Any) -> None:
    """What was not its doing stays in the trash."""
    ids = stock(ws, [{"age": 40}, {"age": 41}, {"age": 42, "trashed": 1}])
    report = run(ws)
    assert {one.id for one in restore(ws, [report.run_id])} == set(ids[:2])
    assert states(ws) == {ids[0]: "kept", ids[1]: "kept", ids[2]: "trashed"}
    with pytest.raises(Refused, match=r"nothing that run .* trashed is in the trash any more"):
        restore(ws, [report.run_id])


def test_what_is_gone_for_good_says_how_to_have_it_again(ws: Workspace, stock: Any) -> None:
    """And a name that is none, or is not in the trash, is told of before anything is restored."""
    gone, kept, trashed = stock(ws, [{"age": 50, "trashed": 9}, {"age": 1}, {"age": 45, "trashed": 2}])
    run(ws)
    for names, words in (
        ([trashed, gone], f"`ideoflow reproduce {gone}`"),
        ([trashed, kept], "is not in the trash: it is kept"),
        ([trashed, "ffff-nothing"], "no image and no retention run"),
    ):
        with pytest.raises(Refused, match=words):
            restore(ws, names)
    assert states(ws)[trashed] == "trashed"


def test_more_than_a_third_of_a_brand_is_refused(ws: Workspace, stock: Any) -> None:
    """Each brand for itself, saying what to pass; just at the limit it goes."""
    stock(ws, [*({"age": 1} for _ in range(7)), *({"age": 40} for _ in range(3))])
    stock(ws, [{"age": 40, "brand": "luna"}, {"age": 1, "brand": "luna"}])
    with pytest.raises(Refused, match=r"1 picture of the brand luna .* 50% of 2.*pass --max-fraction 0.5"):
        run(ws, Wish(apply=True))
    assert events(ws, Event.TRASHED) == []
    assert run(ws, Wish(apply=True, max_fraction=0.5)).images("trashed") == 4


def test_a_policy_that_would_take_everything_is_refused(project: Path, ws: Workspace, stock: Any) -> None:
    """A slip of the pen, or a clock years ahead: nothing is touched."""
    stock(ws, [{"age": 1}] * 4)
    policy(project, "  slip: {match: all, keep_within: 0h, allow_empty: true}\n")
    before = snapshot(project / "data" / "images")
    with pytest.raises(Refused, match="100% of 4"):
        run(ws, Wish(apply=True))
    assert snapshot(project / "data" / "images") == before
    assert set(states(ws).values()) == {"kept"}


def test_an_unmounted_disk_is_not_an_empty_one(project: Path, ws: Workspace, stock: Any) -> None:
    """Shown and refused; once it is back, the run goes through."""
    stock(ws, [{"age": 1}, {"age": 50, "trashed": 9}])
    (project / "data/images").rename(project / "data/elsewhere")
    (project / "data/images").mkdir()
    assert "shows 0 of 2 pictures" in run(ws, Wish()).problems[0].happened
    with pytest.raises(Refused, match="is it mounted, and the right one"):
        run(ws)
    assert events(ws, Event.PURGED) == []
    (project / "data/images").rmdir()
    (project / "data/elsewhere").rename(project / "data/images")
    assert run(ws).images("purged") == 1


def test_an_empty_policy_is_refused_and_a_missing_one_keeps_everything(
    project: Path, ws: Workspace, stock: Any
) -> None:
    """Neither ever means: delete all."""
    stock(ws, [{"age": 400}])
    policy(project, "  {}\n")
    for wish in (APPLY, Wish()):
        with pytest.raises(Refused, match="has no classes"):
            run(ws, wish)
    (project / "configs/retention.yaml").unlink()
    report = run(ws)
    assert (report.applied, report.images("kept")) == (False, 1)
    assert "everything is kept" in report.notes[0]


def test_switched_off_it_only_shows(project: Path, ws: Workspace, stock: Any) -> None:
    """A schedule may run all the same."""
    stock(ws, [{"age": 400}])
    policy(project, enabled=False)
    before = snapshot(project)
    report = run(ws)
    assert (report.applied, report.exit_code, report.images("trashed")) == (False, 0, 1)
    assert "enabled: true" in report.next_step
    assert snapshot(project) == before


def test_a_plan_older_than_its_policy_is_refused(project: Path, ws: Workspace, stock: Any) -> None:
    """Between looking and doing somebody changed the rules: nobody has seen what they mean."""
    stock(ws, [{"age": 40}])
    outlook = look(ws, APPLY)
    policy(project, "  classic: {match: all, keep_within: 10d, allow_empty: true}\n")
    with pytest.raises(Refused, match="was changed after this was decided"):
        keeping.carry_out(ws, APPLY, outlook, lambda _: None, Stop())
    assert events(ws, Event.TRASHED) == []


def test_a_changed_file_is_left_alone(ws: Workspace, stock: Any) -> None:
    """Other bytes of the same size too; touched but the same, it goes. The exit code says so."""
    ids = stock(ws, [{"age": 50, "trashed": 9}] * 4)
    other, longer, touched, _ = (path_of(ws, name) for name in ids)
    other.write_bytes(other.read_bytes()[:-1] + b"!")
    longer.write_bytes(longer.read_bytes() + b"!")
    os.utime(touched, (1_000_000_000, 1_000_000_000))
    report = run(ws)
    assert (report.exit_code, report.images("purged")) == (4, 2)
    assert {problem.subject for problem in report.problems} == set(ids[:2])
    assert [states(ws)[name] for name in ids] == ["trashed", "trashed", "purged", "purged"]
    assert other.exists()
    assert longer.exists()


def test_a_file_that_is_gone_already_is_recorded_as_missing(ws: Workspace, stock: Any) -> None:
    """One of very many: the run goes on, and it is never looked for again."""
    ids = stock(ws, [{"age": 50, "trashed": 9}, *({"age": 1} for _ in range(120))])
    path_of(ws, ids[0]).unlink()
    report = run(ws)
    assert (report.exit_code, report.images("purged"), report.problems[0].subject) == (0, 0, ids[0])
    assert states(ws)[ids[0]] == "missing"
    assert run(ws).problems == ()


def test_the_manifest_names_the_class(project: Path, ws: Workspace, stock: Any) -> None:
    """The latest label counts, in what is shown and in what is done; the history is told before anything goes."""
    from flows.labels import called

    text = "version: 1\nbrand: helio\nprompts:\n  - {id: hero, prompt: A sun, model: ideogram-3%s}\n"
    (project / "prompts.yaml").write_text(text % "", encoding="utf-8")
    ((fingerprint, _),) = called(ws.manifests(()).variants, "sandbox").items()
    (name,) = stock(ws, [{"age": 40, "fingerprint": fingerprint}])
    policy(project, CLASSIC + "  masters: {forever: true}\n")
    assert run(ws, Wish()).images("trashed") == 1
    (project / "prompts.yaml").write_text(text % ", retention: masters", encoding="utf-8")
    assert run(ws, Wish()).images("kept") == 1
    assert events(ws, Event.RELABELLED) == []
    assert run(ws).images("kept") == 1
    (event,) = events(ws, Event.RELABELLED)
    assert (event["details"]["retention"], event["actor"]) == ("masters", "retain")
    (project / "prompts.yaml").write_text("version: 1\nprompts: [{id: x, prompt: y, model: V_2}]\n", encoding="utf-8")
    assert states(ws) == {name: "kept"}
    assert run(ws).images("kept") == 1, "it stays what it was called last"


def test_a_manifest_that_cannot_be_read_stops_it(project: Path, ws: Workspace, stock: Any) -> None:
    """What is called how decides what goes: no guesses."""
    stock(ws, [{"age": 40}])
    (project / "prompts.yaml").write_text("version: 1\nprompts: {\n", encoding="utf-8")
    with pytest.raises(InvalidInput):
        run(ws)


def _broom(ws: Workspace, held: Any, **more: Any) -> Broom:
    parts = keeping._OwnParts(ws.history, ws.new_id)
    broom = Broom(
        assets=ws.assets,
        parts=parts,
        holding=held,
        run_id="run",
        actor="retain",
        now=ws.now,
        new_id=ws.new_id,
        again=keeping._Again(ws, APPLY, parts),
        record=keeping._Record(ws),
        batch=1,
    )
    return replace(broom, **more)


@pytest.fixture
def held(ws: Workspace) -> Iterator[Any]:
    with lock(ws.history, "retention", this_process("run"), token="t", now=ws.now()) as holding:
        yield holding


def test_what_is_put_on_hold_in_mid_run_is_spared(ws: Workspace, stock: Any, held: Any) -> None:
    """The rules, labels and holds of the moment of deletion count, not those of the plan."""
    ids = stock(ws, [{"age": 50, "trashed": 9}] * 3)
    decisions = look(ws, APPLY).decisions
    last = decisions.images["image_id"][int(decisions.purged[-1])].as_py()
    paths = {name: path_of(ws, name) for name in ids}
    doomed = max(ids, key=lambda name: str(paths[name]))
    done: list[str] = []

    def tell(what: str, _: int) -> None:
        if what == "purged" and not done:
            happens(ws, Event.HELD, doomed)
        done.append(what)

    swept = sweep(_broom(ws, held, tell=tell), decisions)
    assert (swept.purged, swept.spared) == (2, 1)
    assert paths[doomed].exists()
    assert states(ws)[doomed] == "trashed"
    assert last in ids


def test_a_policy_changed_in_mid_run_stops_it(project: Path, ws: Workspace, stock: Any, held: Any) -> None:
    """After the batch that was under way."""
    stock(ws, [{"age": 50, "trashed": 9}] * 3)
    decisions = look(ws, APPLY).decisions
    with pytest.raises(Refused, match="was changed after this was decided"):
        sweep(_broom(ws, held, tell=lambda *_: policy(project, "  all: {match: all, forever: true}\n")), decisions)
    assert sorted(states(ws).values()) == ["purged", "trashed", "trashed"]


def test_a_run_whose_lock_was_taken_over_ends(ws: Workspace, stock: Any, held: Any) -> None:
    """It slept for an hour, and another took it for dead: two never sweep at once."""
    stock(ws, [{"age": 50, "trashed": 9}] * 3)
    decisions = look(ws, APPLY).decisions
    takes = ws.history.sub(".locks")
    with pytest.raises(HistoryBusy, match="took over"):
        sweep(_broom(ws, held, tell=lambda *_: takes.write("retention.lock", b"{}")), decisions)
    assert sorted(states(ws).values()) == ["purged", "trashed", "trashed"]


def test_a_stop_ends_between_batches_and_the_next_run_goes_on(ws: Workspace, stock: Any, held: Any) -> None:
    """Ctrl-C leaves nothing half done."""
    stock(ws, [{"age": 50, "trashed": 9}] * 3)
    done: list[str] = []
    broom = _broom(ws, held, tell=lambda what, _: done.append(what), stopped=lambda: bool(done))
    swept = sweep(broom, look(ws, APPLY).decisions)
    assert (swept.purged, swept.stopped) == (1, True)
    assert ws.history.sub(".retention").list() == []
    assert sweep(_broom(ws, held), look(ws, APPLY).decisions).purged == 2


def test_clocks_that_disagree_are_refused(ws: Workspace, stock: Any) -> None:
    """Ages measured with a clock that nobody shares are guesses."""
    stock(ws, [{"age": 1}])
    ahead = replace(ws, now=lambda: ws.now() + timedelta(days=400))
    with pytest.raises(Refused, match="the clocks of this machine"):
        run(ahead)


def test_the_source_of_a_reproduction_is_kept(ws: Workspace, stock: Any) -> None:
    """As long as what was made from it is kept."""
    old, new = stock(ws, [{"age": 90}, {"age": 1}])
    row = event_row(
        event_id=ws.new_id(),
        at=ws.now(),
        event=Event.REPRODUCED,
        actor="reproduce",
        run_id="r",
        image=new,
        details={"from": old},
    )
    ws.parts.write("lifecycle", "2026-11", [row])
    decisions = look(ws, APPLY).decisions
    assert list(decisions.action) == [Action.KEEP, Action.KEEP]


def test_the_report_says_all_of_it(ws: Workspace, stock: Any) -> None:
    """JSON and Markdown below the reports, with the counts that the flow's result has too."""
    stock(ws, [{"age": 1}, {"age": 40, "campaign": "w|nter"}, {"age": 50, "trashed": 9}])
    report, where = asyncio.run(retain(ws, APPLY))
    page = Path(where).read_text(encoding="utf-8")
    data = json.loads(Path(where).with_suffix(".json").read_text(encoding="utf-8"))
    assert data["totals"]["purged"] == {"images": 1, "bytes": report.freed}
    assert "w&#124;nter" in page
    assert "40 days old, limit 30 days" in page
    record = ending(report, where).record
    assert (record["kept"], record["trashed"], record["purged"]) == (1, 1, 1)
    assert ending(report, where).gist == "1 purged, 1 trashed, 1 kept"
    json.dumps(dict(record))


@pytest.mark.s3
def test_a_bucket_that_keeps_what_is_deleted_is_reported(project: Path, s3_bucket: Any, stock: Any) -> None:
    """Deleting works there, and frees nothing at once."""
    import boto3  # type: ignore[import-untyped]

    client = boto3.client("s3", endpoint_url=s3_bucket.options["endpoint_url"], region_name="eu-central-1")
    client.put_bucket_versioning(Bucket=s3_bucket.name, VersioningConfiguration={"Status": "Enabled"})
    environ = {
        f"IDEOFLOW_STORAGE__{role}": f"s3://{s3_bucket.name}/{role}" for role in ("ASSETS", "HISTORY", "REPORTS")
    }
    ws = open_workspace(project, (), environ | {"IDEOFLOW_STORAGE__OPTIONS": json.dumps(s3_bucket.options)})
    stock(ws, [{"age": 50, "trashed": 9}])
    report = run(ws)
    assert report.images("purged") == 1
    assert f"the bucket {s3_bucket.name} keeps old versions" in report.notes[0]
    versions = client.list_object_versions(Bucket=s3_bucket.name, Prefix="ASSETS/")
    assert len(versions["DeleteMarkers"]) == 2


@pytest.mark.s3
@pytest.mark.slow
def test_a_purge_looks_at_a_folder_with_one_call(project: Path, s3_bucket: Any, stock: Any) -> None:
    """Every file is compared by size and etag before it goes: with one listing, not one call a file."""
    import fsspec

    environ = {
        f"IDEOFLOW_STORAGE__{role}": f"s3://{s3_bucket.name}/{role}" for role in ("ASSETS", "HISTORY", "REPORTS")
    }
    ws = open_workspace(project, (), environ | {"IDEOFLOW_STORAGE__OPTIONS": json.dumps(s3_bucket.options)})
    ids = stock(ws, [{"age": 50, "trashed": 9}] * 24)
    changed = f"ASSETS/helio/summer/hero/{ids[3]}.png"
    fs = fsspec.filesystem("s3", use_listings_cache=False, **s3_bucket.options)
    fs.pipe_file(f"{s3_bucket.name}/{changed}", b"another picture")
    calls: list[str] = []

    def heard(params: Any, model: Any, **_: Any) -> None:
        if "/ASSETS/" in params["url"] or "ASSETS" in str(params.get("query_string", "")):
            calls.append(model.name)

    back_fill(ws, lambda _: None)
    decisions = look(ws, APPLY).decisions
    paths = [f"helio/summer/hero/{name}.png" for name in ids]
    fs.s3.meta.events.register("before-call.s3", heard)
    try:
        Storage.stat_many(ws.assets, paths)
        alone = list(calls)
        calls.clear()
        with lock(ws.history, "retention", this_process("run"), token="t", now=ws.now()) as holding:
            swept = sweep(_broom(ws, holding, batch=500), decisions)
    finally:
        fs.s3.meta.events.unregister("before-call.s3", heard)
    print(f"\na purge of 24 pictures compares each with {len(alone)} calls one by one; now with {len(calls)}")
    assert (swept.purged, swept.changed) == (23, [ids[3]])
    assert alone == ["HeadObject"] * 24
    assert calls == ["ListObjectsV2"], "and one that deletes: it names its objects in its body"
    assert [path.removesuffix(".png") for path in fs.glob(f"{s3_bucket.name}/ASSETS/**/*.png")] == [
        f"{s3_bucket.name}/ASSETS/helio/summer/hero/{ids[3]}"
    ]
