"""The same promises on a disk, on a real S3 API and on a file system that can promise less."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.errors import Refused, StorageTrouble
from flows.history.journal import Journal
from flows.storage import LocalStorage, Storage, open_storage, read_sources

Make = Callable[[], Storage]


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.s3)])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Opens the same root anew each time, as another process would."""
    if request.param == "disk":
        return lambda: open_storage(str(tmp_path / "root"))
    bucket: Any = request.getfixturevalue("s3_bucket")
    folder = f"s3://{bucket.name}/{tmp_path.name}"
    return lambda: open_storage(folder, bucket.options)


def test_what_is_written_is_read(make: Make) -> None:
    """Bytes and files come back as they went in, whole; what is not there is None."""
    storage = make()
    storage.write("a/b.txt", b"one")
    storage.write("a/b.txt", io.BytesIO(b"two" * 1000))
    assert make().read("a/b.txt") == b"two" * 1000
    assert storage.read("a/c.txt") is None
    assert storage.stat("a/c.txt") is None
    found = storage.stat("a/b.txt")
    assert found is not None
    assert found.size == 3000


def test_only_one_of_sixteen_creates_a_record(make: Make) -> None:
    """However many race, one wins, the record is the winner's, and all others are told so."""
    storages = [make() for _ in range(4)]

    def race(number: int) -> bool:
        return storages[number % 4].create("race.claim", f"racer {number}".encode())

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(race, range(16)))
    assert won.count(True) == 1
    assert storages[0].read("race.claim") == f"racer {won.index(True)}".encode()


def test_a_repeated_create_of_our_own_has_won(make: Make) -> None:
    """A put that was retried below us meets its own bytes: that is no lost race."""
    storage = make()
    assert storage.create("x", b"mine")
    assert storage.create("x", b"mine")
    assert not storage.create("x", b"yours")


def test_a_listing_shows_what_another_just_did(make: Make) -> None:
    """Nothing is remembered between two listings, hidden names are not shown, folders may be missing."""
    ours, theirs = make(), make()
    assert ours.list() == []
    theirs.write("d/e/1", b"1")
    theirs.write(".journal/x", b"hidden")
    assert [stat.path for stat in ours.list()] == ["d/e/1"]
    assert [stat.path for stat in ours.list("d")] == ["d/e/1"]
    assert ours.list("nowhere") == []
    theirs.delete(["d/e/1", "d/e/never-was"])
    assert ours.list() == []
    assert [stat.path for stat in ours.sub(".journal").list()] == ["x"]


@pytest.mark.s3
@pytest.mark.parametrize("kind", ["s3_bucket", pytest.param("seaweed_bucket", marks=pytest.mark.slow)])
def test_an_empty_object_for_a_folder_is_not_listed(kind: str, request: pytest.FixtureRequest) -> None:
    """Consoles make them, and some servers show one where a folder was emptied: they are nobody's bytes."""
    import fsspec

    bucket: Any = request.getfixturevalue(kind)
    storage = open_storage(f"s3://{bucket.name}/root", bucket.options)
    filesystem = fsspec.filesystem("s3", **bucket.options)
    place, _, within = f"{bucket.name}/root".partition("/")
    storage.write("d/e/1", b"1")
    for folder in ("", "/d", "/d/e", "/d/empty"):
        filesystem.call_s3("put_object", Bucket=place, Key=f"{within}{folder}/", Body=b"")
    assert [stat.path for stat in storage.list()] == ["d/e/1"]
    assert [stat.path for stat in storage.list("d/e")] == ["d/e/1"]
    assert storage.list("d/empty") == []
    assert storage.sub("d/empty").list() == []
    storage.delete(["d/e/1"])
    assert storage.list() == storage.list("d/e") == storage.sub("d/e").list() == []


def test_the_clock_is_the_storages(make: Make) -> None:
    """Its time is close to ours here, aware, and asking leaves nothing behind."""
    storage = make()
    assert abs(storage.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert storage.list() == []


def test_an_interrupted_write_leaves_the_old_bytes(tmp_path: Path) -> None:
    """A file that fails to be read half way does not touch what was there."""

    class Broken(io.RawIOBase):
        def readinto(self, _: Any) -> int:
            raise OSError("the source died")

        def readable(self) -> bool:
            return True

    storage = LocalStorage(tmp_path)
    storage.write("a", b"old")
    with pytest.raises(StorageTrouble):
        storage.write("a", io.BufferedReader(Broken()))
    assert storage.read("a") == b"old"
    assert list((tmp_path / ".tmp").iterdir()) == []


def test_a_storage_that_cannot_create_exclusively_is_refused_a_journal() -> None:
    """Without exclusive create two runs could pay twice: the refusal names the switch that allows it."""
    storage = open_storage("memory://journal-refused")
    with pytest.raises(Refused, match="single_writer"):
        Journal(storage)
    Journal(storage, single_writer=True)


def test_trouble_is_told_in_words(tmp_path: Path) -> None:
    """A path that cannot be written is StorageTrouble with the path in it, not an OSError."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageTrouble, match="x"):
        LocalStorage(tmp_path / "file").write("x", b"")


def test_sources_are_found_by_pattern_and_read_no_further_than_asked(tmp_path: Path) -> None:
    """A glob names several files in order; of a huge one only as much is read as shows that it is too large."""
    for name in ("b.yaml", "a.yaml"):
        (tmp_path / name).write_bytes(b"x" * 1000)
    found = read_sources(str(tmp_path / "*.yaml"), max_bytes=10)
    assert [(Path(name).name, len(text)) for name, text in found] == [("a.yaml", 11), ("b.yaml", 11)]
    assert read_sources(str(tmp_path / "missing.yaml"), max_bytes=10) == []


def test_many_are_read_as_each_would_be(make: Make) -> None:
    """Those that are not there are None; nothing asked, nothing read."""
    storage = make()
    for number in range(30):
        storage.write(f"d/{number}", str(number).encode())
    names = [f"d/{number}" for number in range(0, 60, 2)]
    assert storage.read_many(names) == {name: storage.read(name) for name in names}
    assert storage.read_many(["nowhere"]) == {"nowhere": None}
    assert storage.read_many([]) == {}


def test_many_are_read_from_a_plain_file_system_too() -> None:
    """One that reads one after the other."""
    storage = open_storage("memory://many")
    storage.write("a", b"1")
    assert storage.read_many(["a", "b"]) == {"a": b"1", "b": None}


def test_an_etag_tells_other_bytes_from_the_same_ones(make: Make) -> None:
    """Looked at one by one, together, or in a list: the same mark, until other bytes are there."""
    storage = make()
    storage.write("a/x", b"one")
    found = storage.stat("a/x")
    assert found is not None
    assert found.etag
    assert storage.stat_many(["a/x", "a/none"]) == {"a/x": found, "a/none": None}
    assert [stat.etag for stat in storage.list("a")] == [found.etag]
    storage.write("a/x", b"two")
    changed = make().stat("a/x")
    assert changed is not None
    assert changed.etag != found.etag


def test_names_with_brackets_and_stars_are_names(make: Make) -> None:
    """Deleting one deletes that one, and nothing that it would match as a pattern."""
    storage = make()
    names = ["a/[b].png", "a/b.png", "a/*.png", "a/?.png"]
    for name in names:
        storage.write(name, b"x")
    storage.delete(["a/[b].png", "a/*.png"])
    assert sorted(stat.path for stat in storage.list()) == ["a/?.png", "a/b.png"]
    storage.delete(["a/[b].png", "a/b.png"])  # one of them is gone already
    assert [stat.path for stat in storage.list()] == ["a/?.png"]


@pytest.mark.s3
def test_a_thousand_objects_go_with_one_call(s3_bucket: Any) -> None:
    """And one more needs a second; nothing is asked about them before."""
    import fsspec

    storage = open_storage(f"s3://{s3_bucket.name}/many", s3_bucket.options)
    names = [f"{number}.png" for number in range(1001)]
    for name in (*names[:3], names[-1], "other.png"):
        storage.write(name, b"x")
    fs = fsspec.filesystem("s3", use_listings_cache=False, **s3_bucket.options)
    calls: list[str] = []
    fs.s3.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))
    storage.delete(names)
    assert calls == ["DeleteObjects", "DeleteObjects"]
    assert [stat.path for stat in storage.list()] == ["other.png"]


def _listened(bucket: Any) -> list[str]:
    """The names of the calls that the bucket's server gets from now on."""
    import fsspec

    fs = fsspec.filesystem("s3", use_listings_cache=False, **bucket.options)
    calls: list[str] = []
    fs.s3.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))
    return calls


@pytest.mark.s3
def test_objects_that_lie_together_are_looked_at_with_one_call(s3_bucket: Any) -> None:
    """A listing tells what a look at each would; whatever it does not show is looked at once more, alone."""
    storage = open_storage(f"s3://{s3_bucket.name}/looked at", s3_bucket.options)
    names = [f"a/ä {number:03}.png" for number in range(40)]
    for name in (*names, "b/x.png", "c.png"):
        storage.write(name, name.encode())
    each = {name: storage.stat(name) for name in (*names, "b/x.png", "c.png")}
    calls = _listened(s3_bucket)
    assert storage.stat_many(reversed(names)) == {name: each[name] for name in names}
    assert calls == ["ListObjectsV2"]
    calls.clear()
    asked = [*names[5:25], "a/gone.png", "b/x.png", "c.png", "a", "none"]
    expected = {name: each.get(name) for name in asked}
    assert storage.stat_many(asked) == expected
    assert calls.count("ListObjectsV2") == 1 + 3, "one for a/, and those by which s3fs tells a folder from nothing"
    storage.delete([names[7]])
    storage.write(names[8], b"changed")
    seen = storage.stat_many(names)
    assert seen[names[7]] is None
    assert seen[names[8]] == storage.stat(names[8]) != each[names[8]]


@pytest.mark.s3
@pytest.mark.slow
def test_objects_that_lie_scattered_are_looked_at_alone(s3_bucket: Any) -> None:
    """Where a page would mostly tell of others, pages stop after the first."""
    import fsspec

    storage = open_storage(f"s3://{s3_bucket.name}/scattered", s3_bucket.options)
    fs = fsspec.filesystem("s3", **s3_bucket.options)
    fs.pipe({f"{s3_bucket.name}/scattered/{number:04}.png": b"x" for number in range(2400)})
    asked = [f"{number:04}.png" for number in range(0, 2400, 150)]
    calls = _listened(s3_bucket)
    found = storage.stat_many(asked)
    assert all(found.values())
    assert (calls.count("ListObjectsV2"), calls.count("HeadObject")) == (1, 16 - 7)
    calls.clear()
    asked = [f"{number:04}.png" for number in range(0, 2400, 2)]
    assert all(storage.stat_many(asked).values())
    assert calls == ["ListObjectsV2"] * 3


@pytest.mark.s3
def test_objects_that_s3_will_not_delete_are_told_of(s3_bucket: Any) -> None:
    """It answers 200 and lists them; that is no success."""
    import fsspec

    storage = open_storage(f"s3://{s3_bucket.name}/kept", s3_bucket.options)
    storage.write("a.png", b"x")
    fs = fsspec.filesystem("s3", use_listings_cache=False, **s3_bucket.options)
    refusal = {"Errors": [{"Key": "kept/a.png", "Code": "AccessDenied", "Message": "no"}]}

    def refused(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        parsed |= refusal

    def told(**given: Any) -> None:
        refused(given["http_response"], given["parsed"], given["model"])

    name = "after-call.s3.DeleteObjects"
    fs.s3.meta.events.register(name, told)
    try:
        with pytest.raises(StorageTrouble, match=r"1 objects of .* stay, such as kept/a.png \(AccessDenied: no\)"):
            storage.delete(["a.png"])
    finally:
        # The client is one for all tests of this server.
        fs.s3.meta.events.unregister(name, told)


@pytest.mark.s3
def test_a_server_that_overwrites_is_found_out(s3_bucket: Any) -> None:
    """One that ignores If-None-Match answers 200 to everybody: two runs would both win the same claim."""
    import fsspec

    storage = open_storage(f"s3://{s3_bucket.name}/once", s3_bucket.options)
    assert storage.creates_once()
    fs = fsspec.filesystem("s3", use_listings_cache=False, **s3_bucket.options)

    def careless(params: Any, **_: Any) -> None:
        params["headers"].pop("If-None-Match", None)

    fs.s3.meta.events.register("before-call.s3.PutObject", careless)
    try:
        assert not storage.creates_once()
    finally:
        fs.s3.meta.events.unregister("before-call.s3.PutObject", careless)
    assert fs.find(f"{s3_bucket.name}/once") == [], "and nothing of it is left"


def test_a_disk_creates_once(tmp_path: Path) -> None:
    """Its links are exclusive; a file system that can only look first is not."""
    assert open_storage(str(tmp_path)).creates_once()
    assert not open_storage("memory://once").creates_once()
