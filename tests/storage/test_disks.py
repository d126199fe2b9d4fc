"""A disk that is full, a process that is killed while it writes, and doors that do not open."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.errors import StorageTrouble
from flows.storage import LocalStorage, open_storage
from flows.storage.local import ABANDONED_S

ROOT = Path(__file__).resolve().parents[2]

FULL = """
import sys
from pathlib import Path
from flows.errors import StorageTrouble
from flows.storage import LocalStorage
storage = LocalStorage(Path(sys.argv[1]))
storage.write("old", b"o" * 300_000)
storage.create("record", b"r")
for act in (
    lambda: storage.write("old", b"n" * 2_000_000),
    lambda: storage.write("new/deep", b"n" * 2_000_000),
    lambda: storage.create("torn.claim", b"n" * 2_000_000),
):
    try:
        act()
    except StorageTrouble as trouble:
        assert "no space left" in str(trouble), trouble
    else:
        raise SystemExit("a full disk took it")
assert storage.read("old") == b"o" * 300_000
assert storage.read("new/deep") is None
assert storage.read("torn.claim") is None
assert [stat.path for stat in storage.list()] == ["old", "record"]
assert list((Path(sys.argv[1]) / ".tmp").iterdir()) == []
assert storage.free_bytes() < 1_000_000
storage.delete(["old"])
assert storage.create("later.claim", b"x" * 300_000)
print("held")
"""


def test_a_full_disk_loses_nothing_and_leaves_nothing_torn(tmp_path: Path) -> None:
    """Old bytes stay, half records never appear, the trouble says what it is, and room makes it work again."""
    unshare = shutil.which("unshare")
    probe = [unshare or "", "-Urm", "sh", "-c", f"mount -t tmpfs -o size=64k tmpfs {tmp_path}"]
    if unshare is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        print("skipped: this system lets nobody mount a small disk of their own (unshare -Urm)")
        pytest.skip("unshare -Urm cannot mount a tmpfs here")
    script = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        [unshare, "-Urm", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FULL],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "held", done.stderr


WRITING = """
import sys
from pathlib import Path
from flows.storage import LocalStorage
storage = LocalStorage(Path(sys.argv[1]))
print("go", flush=True)
n = 0
while True:
    storage.write(f"f{n % 5}", bytes([n % 256]) * 200_000)
    storage.create(f"r{n}", bytes([n % 256]) * 50_000)
    n += 1
"""


def test_a_killed_writer_leaves_whole_objects_and_litter_that_goes(tmp_path: Path) -> None:
    """Killed in mid-write several times: every object is whole; the next hour's writer tidies up."""
    for life in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITING, str(tmp_path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.03 + 0.017 * life)
            os.kill(writer.pid, signal.SIGKILL)
        for path in tmp_path.glob("r*"):
            path.unlink() if life < 5 else None
    storage = LocalStorage(tmp_path)
    for stat in storage.list():
        data = storage.read(stat.path)
        assert data is not None
        assert len(set(data)) == 1, "a mix of two writes"
        assert len(data) == (200_000 if stat.path.startswith("f") else 50_000)
    litter = list((tmp_path / ".tmp").iterdir())
    assert len(litter) <= 6
    storage.write("x", b"")
    assert set(litter) <= set((tmp_path / ".tmp").iterdir()), "somebody may still be writing these"
    old = time.time() - ABANDONED_S - 60
    for path in litter:
        os.utime(path, (old, old))
    LocalStorage(tmp_path).write("x", b"")
    assert list((tmp_path / ".tmp").iterdir()) == []


def test_a_folder_that_goes_away_while_we_write_is_trouble_in_words(tmp_path: Path) -> None:
    """Not a FileNotFoundError out of the blue."""
    root = tmp_path / "root"
    storage = LocalStorage(root)
    storage.write("a/b", b"x")
    shutil.rmtree(root)
    root.write_bytes(b"a file is in the way now")
    for act in (lambda: storage.write("a/b", b"x"), lambda: storage.create("a/c", b"x"), storage.now):
        with pytest.raises(StorageTrouble):
            act()
    assert storage.read("a/b") is None
    assert storage.list() == []


def test_without_hard_links_a_record_is_created_once_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on exFAT: there O_EXCL decides."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    storage = LocalStorage(tmp_path)
    assert storage.create("a.claim", b"mine")
    assert not storage.create("a.claim", b"yours")
    assert storage.read("a.claim") == b"mine"
    assert [stat.path for stat in storage.list()] == ["a.claim"]


@pytest.mark.parametrize(
    "url", ["nosuch://x/y", "sftp://user@127.0.0.1:1/x", "ftp://127.0.0.1:1/x"], ids=lambda url: url.partition(":")[0]
)
def test_a_door_that_does_not_open_is_told_in_words(url: str) -> None:
    """An unknown kind of address, a server that is not there: no traceback of a library."""
    if url.startswith("sftp"):
        pytest.importorskip("paramiko", reason="the sftp extra is not installed")
    with pytest.raises(StorageTrouble, match="cannot open the storage"):
        open_storage(url)


@pytest.mark.slow
@pytest.mark.s3
def test_a_bucket_that_is_away_is_trouble_and_not_an_error_of_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at the endpoint: every operation says StorageTrouble (botocore's errors are no OSError)."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    options = {"endpoint_url": "http://127.0.0.1:1", "client_kwargs": {"region_name": "eu-central-1"}}
    storage = open_storage("s3://bucket/x", options)
    for act in (lambda: storage.read("a"), storage.list, lambda: storage.create("a", b"")):
        with pytest.raises(StorageTrouble, match="127"):
            act()


@pytest.mark.s3
def test_a_bucket_that_does_not_exist_is_trouble_when_something_is_written(s3_bucket: object) -> None:
    """Reading finds nothing there, which may be a new project; writing says so."""
    storage = open_storage("s3://no-such-bucket/x", s3_bucket.options)  # type: ignore[attr-defined]  # the fixture's
    assert storage.read("a") is None
    assert storage.list() == []
    for act in (lambda: storage.write("a", b""), lambda: storage.create("a", b"")):
        with pytest.raises(StorageTrouble):
            act()


@pytest.mark.s3
def test_asking_a_bucket_for_the_time_leaves_one_object_for_ever(s3_bucket: object) -> None:
    """And not one for each process that is killed while it asks."""
    storage = open_storage(f"s3://{s3_bucket.name}/x", s3_bucket.options)  # type: ignore[attr-defined]  # see above
    for _ in range(3):
        storage.now()
    assert [stat.path for stat in storage.sub(".tmp").list()] == ["clock"]
    assert storage.list() == []
