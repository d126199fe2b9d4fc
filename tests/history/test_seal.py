"""Sealing, and what a sealer that dies or fails half way leaves to the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.errors import StorageTrouble
from flows.history import seal as seal_module
from flows.history.records import Outcome, Owner

PRINT = "a" * 64
WRITES = ("write images", "write requests", "delete .journal", "delete .locks")


class Killed(BaseException):
    """What SIGKILL would be, as far as a storage can tell."""


def test_what_has_ended_is_sealed_and_dropped_and_the_rest_stays(books: Any) -> None:
    """Rows for the ended, journal for the open."""
    books.bought(0, images=2)
    open_ = books.claim(1)
    books.put(open_)
    result = books.seal()
    assert (result.entries, result.images, result.rubbish, result.held_elsewhere) == (1, 2, 0, False)
    assert books.journal_names() == [f"{PRINT}-1.claim"]
    assert len(books.rows("images")) == 2
    assert len(books.rows("requests")) == 1
    assert books.storage.sub(".locks").list() == []


def test_voids_have_request_rows_and_no_image_rows(books: Any) -> None:
    """Every call has its row, what was not billed has no picture and costs nothing."""
    claim = books.claim(images=4)
    books.put(claim)
    books.put(books.end(claim, Outcome.VOID, reason="HTTP 429", status=429))
    books.seal()
    (row,) = books.rows("requests")
    assert (row["outcome"], row["status"], row["cost_micros"], row["counted"]) == ("void", 429, 0, 0)
    assert books.rows("images") == []


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_sealer_that_dies_anywhere_doubles_and_loses_nothing(books: Any, meddle: Any, nth: int) -> None:
    """Killed at its n-th change of the storage: the next one completes it, for raw readers too."""
    for n in range(3):
        books.bought(n)
    seen = 0

    def die(op: str, path: str) -> None:
        nonlocal seen
        if op in ("write", "delete") and not path.startswith(".locks"):
            seen += 1
            if seen == nth:
                raise Killed

    with pytest.raises(Killed):
        meddle(die).seal()
    books.seal()
    assert len(books.rows("images")) == 3
    assert len(books.rows("requests")) == 3
    assert books.journal_names() == []
    assert books.fold().of(PRINT).counted == 3


@pytest.mark.parametrize("fails", ["images", "requests", ".journal"])
def test_a_sealer_that_fails_and_tries_again_doubles_nothing(books: Any, meddle: Any, fails: str) -> None:
    """The same sealer goes on when the storage comes back, as the end of a run does."""
    for n in range(3):
        books.bought(n)
    broken = [True]

    def fail(op: str, path: str) -> None:
        if broken[0] and op in ("write", "delete") and path.startswith(fails):
            raise StorageTrouble("away")

    other = meddle(fail)
    sealer = other.sealer()
    with pytest.raises(StorageTrouble):
        sealer.seal(token=other.new_id(), now=other.now)
    broken[0] = False
    sealer.seal(token=other.new_id(), now=other.now)
    assert len(books.rows("images")) == 3
    assert {row["request_id"] for row in books.rows("requests")} == {row["request_id"] for row in books.rows("images")}
    assert books.journal_names() == []


def test_a_part_that_does_not_read_back_stops_the_sealing(books: Any, meddle: Any) -> None:
    """Records go only when the rows are surely there."""
    books.bought()

    def corrupt(op: str, path: str) -> None:
        if op == "read" and path.startswith("requests/"):
            books.storage.write(path, b"rubbish")

    with pytest.raises(StorageTrouble, match="read back"):
        meddle(corrupt).seal()
    assert len(books.journal_names()) == 3


def test_a_sealer_whose_lock_is_taken_does_nothing(books: Any) -> None:
    """A living process seals: we are told so, and the journal stays as it is."""
    books.bought()
    inside: list[Any] = []
    from flows.history.lock import lock

    with lock(books.storage, "history", books.owner, token="theirs", now=books.now) as held:
        assert held
        inside.append(books.seal())
    assert inside[0].held_elsewhere
    assert len(books.journal_names()) == 3
    assert books.seal().entries == 1


def test_large_journals_are_sealed_in_batches(books: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is a part of its own, and dropped before the next."""
    monkeypatch.setattr(seal_module, "BATCH", 2)
    for n in range(5):
        books.bought(n)
    assert books.seal().entries == 5
    assert len(books.parts.listing("requests")) == 3
    assert books.fold().of(PRINT).counted == 5


def test_a_long_run_seals_what_a_dead_sealer_had_begun(books: Any, meddle: Any) -> None:
    """Another process wrote our images and died before the requests: our sealer, which had looked before, sees them."""
    books.bought(0)
    sealer = books.sealer()
    sealer.seal(token=books.new_id(), now=books.now)
    books.bought(1)

    def die(op: str, path: str) -> None:
        if op == "write" and path.startswith("requests"):
            raise Killed

    with pytest.raises(Killed):
        meddle(die).seal()
    sealer.seal(token=books.new_id(), now=books.now)
    assert len(books.rows("images")) == 2
    assert len(books.rows("requests")) == 2


class TestLock:
    """One sealer at a time, and no sealer for ever."""

    @staticmethod
    def take(books: Any, owner: Owner) -> bool:
        from flows.history.lock import lock

        with lock(books.storage, "history", owner, token="mine", now=books.now) as held:
            return bool(held)

    def test_a_lock_of_a_dead_process_is_taken_over(self, books: Any) -> None:
        """Same boot, same namespace, no such process any more."""
        from dataclasses import replace

        gone = replace(books.owner, pid=2**22 + 1)
        self.leave_behind(books, gone)
        assert self.take(books, books.owner)
        assert books.storage.sub(".locks").list() == []

    def test_a_lock_of_another_machine_is_respected_for_a_quarter_of_an_hour(self, books: Any) -> None:
        """Nobody can prove it dead; its age by the storage's clock decides."""
        from dataclasses import replace

        away = replace(books.owner, boot_id="another")
        self.leave_behind(books, away)
        assert not self.take(books, books.owner)
        self.age(books, timedelta(minutes=16))
        assert self.take(books, books.owner)

    def test_a_torn_lock_is_waited_out_too(self, books: Any) -> None:
        """Nobody knows whose it is: age alone decides."""
        books.storage.write(".locks/history.lock", b"{")
        assert not self.take(books, books.owner)
        self.age(books, timedelta(minutes=16))
        assert self.take(books, books.owner)

    def test_giving_back_leaves_the_lock_of_whoever_took_it_over(self, books: Any) -> None:
        """A sealer that slept too long does not delete its successor's lock."""
        from flows.history.lock import lock

        with lock(books.storage, "history", books.owner, token="mine", now=books.now) as held:
            assert held
            books.storage.write(".locks/history.lock", b"another's")
        assert books.storage.read(".locks/history.lock") == b"another's"

    @staticmethod
    def leave_behind(books: Any, owner: Owner) -> None:
        from flows.history.lock import _HELD, _Held

        books.storage.write(".locks/history.lock", _HELD.dump_json(_Held(owner, "theirs", books.now)))

    @staticmethod
    def age(books: Any, by: timedelta) -> None:
        import os

        then = (datetime.now(UTC) - by).timestamp()
        os.utime(books.storage.root / ".locks" / "history.lock", (then, then))
