"""Rights found out by doing: on a disk, on a real S3, and on storages that lie."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from flows.doctor.storages import attempt, skew
from flows.errors import StorageTrouble
from flows.storage import LocalStorage, Stat, open_storage


class Lying(LocalStorage):
    """A disk that fails at one thing, as badly configured buckets do."""

    def __init__(self, root: Path, fault: str) -> None:
        super().__init__(root)
        self.fault = fault

    def sub(self, path: str) -> Lying:
        return Lying(self.root / path, self.fault)

    def write(self, path: str, data: bytes | BinaryIO) -> None:
        if self.fault == "write":
            raise StorageTrouble("Access Denied")
        super().write(path, data)

    def read(self, path: str) -> bytes | None:
        return b"stale" if self.fault == "read" else super().read(path)

    def list(self, prefix: str = "") -> list[Stat]:
        return [] if self.fault == "list" else super().list(prefix)

    def create(self, path: str, data: bytes) -> bool:
        if self.fault == "create":
            self.write(path, data)
            return True
        return super().create(path, data)

    def delete(self, paths: Iterable[str]) -> None:
        if self.fault != "delete":
            super().delete(paths)

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1) if self.fault == "now" else super().now()


def test_a_disk_that_can_is_left_as_it_was(tmp_path: Path) -> None:
    """Nothing of the probe stays, hidden things included."""
    (tmp_path / "picture.png").write_bytes(b"x")
    tried = attempt(LocalStorage(tmp_path), "t")
    assert (tried.trouble, tried.exclusive) == ("", True)
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


@pytest.mark.parametrize(
    ("fault", "step", "words"),
    [
        ("write", "write", "Access Denied"),
        ("read", "read", "does not read back"),
        ("list", "list", "is not listed"),
        ("delete", "delete", "still there"),
    ],
)
def test_what_a_storage_cannot_do_is_named(tmp_path: Path, fault: str, step: str, words: str) -> None:
    """The first thing that fails."""
    tried = attempt(Lying(tmp_path, fault), "t")
    assert (tried.step, words in tried.trouble) == (step, True), tried


def test_a_storage_that_creates_twice_is_found_out(tmp_path: Path) -> None:
    """It says it can, and the second of two wins as well: both would pay."""
    tried = attempt(Lying(tmp_path, "create"), "t")
    assert (tried.trouble, tried.exclusive) == ("", False)


def test_a_file_in_the_place_of_a_folder_is_trouble(tmp_path: Path) -> None:
    """Told, not raised."""
    (tmp_path / "images").write_bytes(b"")
    assert attempt(LocalStorage(tmp_path / "images"), "t").step == "write"


def test_the_clocks_are_compared(tmp_path: Path) -> None:
    """A network disk whose server is an hour ahead is seen to be."""
    now = lambda: datetime.now(tz=UTC)  # noqa: E731  a clock
    assert abs(skew(LocalStorage(tmp_path), now)) < timedelta(seconds=1)
    assert skew(Lying(tmp_path, "now"), now) < timedelta(minutes=-59)


@pytest.mark.s3
def test_a_bucket_is_tried_the_same_way(s3_bucket: Any) -> None:
    """All of it works on a real S3 API, exclusively, and every object of the probe is gone."""
    storage = open_storage(f"s3://{s3_bucket.name}/history", s3_bucket.options)
    tried = attempt(storage, "t")
    assert (tried.trouble, tried.exclusive) == ("", True)
    assert open_storage(f"s3://{s3_bucket.name}/history/.doctor/t", s3_bucket.options).list() == []


@pytest.mark.s3
def test_a_bucket_that_is_not_there_is_told(s3_bucket: Any) -> None:
    """With its address."""
    tried = attempt(open_storage("s3://no-such-bucket/history", s3_bucket.options), "t")
    assert (tried.step, "no-such-bucket" in tried.trouble) == ("write", True), tried
