"""Taking a claim, alone and against others: no number twice, no image too many, nothing left looking sent."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flows.errors import HistoryBusy, StorageTrouble
from flows.history import claims as claims_module
from flows.history.claims import Unsettled
from flows.history.records import Outcome
from flows.history.seal import Sealer

PRINT = "a" * 64


def take(books: Any, desk: Any, wanted: int, at_most: int = 1) -> Any:
    return desk.take(PRINT, wanted=wanted, at_most=at_most, make=lambda n, images: books.claim(n, images=images))


def test_claims_are_numbered_densely_until_nothing_is_missing(books: Any) -> None:
    """0, 1, 2, the last one only as large as what is missing, then None."""
    desk = books.desk()
    desk.open([PRINT])
    taken = [take(books, desk, wanted=7, at_most=3) for _ in range(4)]
    assert [(claim.n, claim.images) for claim in taken[:3]] == [(0, 3), (1, 3), (2, 1)]
    assert taken[3] is None
    assert books.journal_names() == [f"{PRINT}-{n}.claim" for n in range(3)]


def test_a_desk_that_never_looked_looks_before_it_claims(books: Any) -> None:
    """What is in the history already is not bought again."""
    books.bought(images=2)
    books.seal()
    assert take(books, books.desk(), wanted=2) is None
    assert take(books, books.desk(), wanted=3).n == 1


def test_of_two_desks_each_number_goes_to_one(books: Any) -> None:
    """Both believe that 0 is next: the second to create it folds again and asks for what is still missing."""
    ours, theirs = books.desk(), books.desk()
    ours.open([PRINT])
    theirs.open([PRINT])
    assert take(books, theirs, wanted=2).n == 0
    assert take(books, ours, wanted=2).n == 1
    assert take(books, theirs, wanted=2) is None
    assert take(books, ours, wanted=2) is None


def test_a_number_that_was_bought_and_sealed_meanwhile_is_withdrawn(books: Any) -> None:
    """Between our look and our claim somebody bought it, sealed it and dropped it: nothing in the journal says so."""
    desk = books.desk()
    desk.open([PRINT])
    books.bought()
    books.seal()
    assert take(books, desk, wanted=1) is None
    assert books.journal_names() == []
    assert take(books, desk, wanted=2).n == 1


def test_threads_of_one_run_claim_exactly_what_is_wanted(books: Any) -> None:
    """Sixteen threads, three desks, one fingerprint."""
    desks = [books.desk() for _ in range(3)]
    lock = threading.Lock()

    def make(n: int, images: int) -> Any:
        with lock:
            return books.claim(n, images=images)

    def one(number: int) -> Any:
        return desks[number % 3].take(PRINT, wanted=10, at_most=1 + number % 2, make=make)

    with ThreadPoolExecutor(16) as pool:
        taken = [claim for claim in pool.map(one, range(30)) if claim]
    assert sum(claim.images for claim in taken) == 10
    assert sorted(claim.n for claim in taken) == list(range(len(taken)))


def test_claims_are_taken_while_their_like_are_sealed(books: Any) -> None:
    """One index serves both: sealing in between loses no claim, takes none twice, and lets nobody buy too many."""
    desk = books.desk()
    sealer = Sealer(books.journal, books.parts, books.owner, books.waits.append, desk.index)
    desk.open([PRINT])

    def work() -> int:
        bought = 0
        while (claim := take(books, desk, wanted=60)) is not None:
            books.put(books.ack(claim))
            books.put(books.end(claim))
            bought += 1
        return bought

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work) for _ in range(4)]
        seals = 0
        while not all(worker.done() for worker in workers):
            seals += sealer.seal(token=books.new_id(), now=books.now).entries > 0
    sealer.seal(token=books.new_id(), now=books.now)
    assert sum(worker.result() for worker in workers) == 60
    assert seals > 1
    assert sorted(row["n"] for row in books.rows("requests")) == list(range(60))
    assert books.journal_names() == []


def test_what_did_not_run_is_wanted_again(books: Any) -> None:
    """A void end frees its images, under a new number."""
    desk = books.desk()
    claim = take(books, desk, wanted=2, at_most=2)
    books.put(books.end(claim, Outcome.VOID))
    desk.release(claim)
    again = take(books, desk, wanted=2, at_most=2)
    assert (again.n, again.images) == (1, 2)
    assert take(books, desk, wanted=2) is None


def test_a_void_that_another_thread_has_read_already_frees_its_images_once(books: Any) -> None:
    """Its end is on record, another order of this run reads the books, and only then is it released."""
    ours, theirs = books.desk(), books.desk()
    ours.open([PRINT])
    void = take(books, ours, wanted=3)
    books.put(books.end(void, Outcome.VOID))
    assert take(books, theirs, wanted=3).n == 1  # takes the number that ours believes to be next ...
    assert take(books, ours, wanted=3).n == 2  # ... so that ours reads the books, which count the void no more
    ours.release(void)
    assert take(books, ours, wanted=3).n == 3
    assert take(books, ours, wanted=3) is None, "three are open: a fourth would be paid for and not wanted"


def test_a_claim_that_cannot_be_checked_is_told_apart(books: Any, meddle: Any) -> None:
    """The storage fails between the claim and the look after it: the error carries the claim, to be disowned."""
    failing = [False]

    def fail(op: str, path: str) -> None:
        if op == "create" and path.endswith(".claim"):
            failing[0] = True
        elif failing[0]:
            raise StorageTrouble("away")

    other = meddle(fail)
    desk = other.desk()
    desk.open([PRINT])
    with pytest.raises(Unsettled) as told:
        take(other, desk, wanted=1)
    assert books.journal_names() == [f"{PRINT}-0.claim"]
    assert books.journal.find(PRINT, 0, "claim").request_id == told.value.claim.request_id
    failing[0] = False
    assert take(other, desk, wanted=1) is None, "until it is settled, it counts"


def test_a_look_after_the_claim_that_is_disturbed_is_taken_again(books: Any, meddle: Any) -> None:
    """Parts that come and go while they are listed: no reason to give the claim up."""
    books.bought(fingerprint="b" * 64)
    books.seal()
    part = books.storage.read(books.parts.listing("requests")[0])
    claimed, changes = [False], [0]

    def change(op: str, path: str) -> None:
        if op == "create" and path.endswith(".claim"):
            claimed[0] = True
        if claimed[0] and op == "list" and path == "requests" and changes[0] < 25:
            changes[0] += 1
            books.storage.write(f"requests/month=2026-11/{changes[0]:03}.parquet", part)

    other = meddle(change)
    desk = other.desk()
    desk.open([PRINT])
    assert take(other, desk, wanted=1).n == 0
    assert books.waits == [0]


def test_losing_for_ever_is_an_error_and_not_silence(books: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """None means that nothing is missing: being overtaken again and again must not look like that."""
    monkeypatch.setattr(claims_module, "CLAIM_TRIES", 3)
    desk = books.desk()
    desk.open([PRINT])

    def overtaken(n: int, images: int) -> Any:
        books.put(books.claim(n))
        return books.claim(n, images=images)

    with pytest.raises(HistoryBusy, match="3 tries"):
        desk.take(PRINT, wanted=100, at_most=1, make=overtaken)
