"""What journal and history together say has been bought: every rule of judging records, one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flows.errors import HistoryBusy
from flows.history.fold import FOLD_TRIES
from flows.history.records import Outcome, Step

PRINT = "a" * 64


def test_an_empty_history_has_bought_nothing(books: Any) -> None:
    """Nothing counted, number 0 next, nothing live."""
    standing = books.fold().of(PRINT)
    assert (standing.counted, standing.next, standing.live) == (0, 0, {})


@pytest.mark.parametrize(
    ("outcome", "answered", "counted"),
    [
        (Outcome.COMPLETED, True, 2),
        (Outcome.VOID, True, 0),
        (Outcome.VOID, False, 0),
        (Outcome.REFUSED, True, 0),
        (Outcome.WRITTEN_OFF, False, 2),
    ],
)
def test_outcomes_count_the_same_before_and_after_sealing(
    books: Any, outcome: Outcome, answered: bool, counted: int
) -> None:
    """Completed and written off count as bought; void and refused do not."""
    claim = books.claim(images=2)
    books.put(claim)
    assert books.fold().of(PRINT).counted == 2, "an open claim counts: it may have been paid"
    books.put(books.end(claim, outcome, answered=answered))
    assert books.fold().of(PRINT).counted == counted
    assert books.seal().entries == 1
    standing = books.fold().of(PRINT)
    assert (standing.counted, standing.next, standing.live) == (counted, 1, {})


def test_a_torn_record_counts_as_present(books: Any) -> None:
    """Half a claim: one image assumed bought, its number taken, and it is nobody's to finish."""
    books.storage.write(f".journal/{PRINT}-0.claim", b'{"request_id": "01')
    book = books.fold()
    standing = book.of(PRINT)
    assert (standing.counted, standing.next) == (1, 1)
    assert standing.live[0].torn
    assert standing.live[0].request is None
    assert book.rubbish == ()
    assert books.seal().entries == 0


def test_a_torn_ack_leaves_the_claim_open(books: Any) -> None:
    """The claim can still be read; the answer cannot: in doubt, and counted in full."""
    claim = books.claim(images=3)
    books.put(claim)
    books.storage.write(f".journal/{PRINT}-0.ack", b"\x00")
    entry = books.fold().of(PRINT).live[0]
    assert entry.torn
    assert entry.request == claim
    assert entry.counted == 3


def test_strange_names_in_the_journal_are_left_alone(books: Any) -> None:
    """A note that somebody put there is neither counted nor deleted."""
    books.storage.write(".journal/README.txt", b"hello")
    books.storage.write(".journal/x-y.claim", b"hello")
    books.bought()
    books.seal()
    assert books.fold().rubbish == ()
    assert books.storage.read(".journal/README.txt") == b"hello"


def test_records_of_a_sealed_request_are_rubbish(books: Any) -> None:
    """A sealer died before it dropped them: not counted twice, and deleted by the next one."""
    claim = books.bought()
    before = {name: books.storage.read(f".journal/{name}") for name in books.journal_names()}
    books.seal()
    for name, data in before.items():
        books.storage.write(f".journal/{name}", data)
    book = books.fold()
    assert len(book.rubbish) == 3
    assert book.of(PRINT).counted == 1
    assert book.live == []
    result = books.seal()
    assert (result.entries, result.rubbish) == (0, 3)
    assert books.journal_names() == []
    assert [row["request_id"] for row in books.rows("requests")] == [claim.request_id]


def test_a_claim_whose_number_is_sealed_under_another_request_is_rubbish(books: Any) -> None:
    """Its process died between claiming a number and looking whether it was taken: it was never sent."""
    books.bought()
    books.seal()
    books.put(books.claim(0))
    book = books.fold()
    assert len(book.rubbish) == 1
    assert book.of(PRINT).counted == 1


def test_a_torn_claim_on_a_sealed_number_is_rubbish(books: Any) -> None:
    """Whatever it was, the number had been bought and sealed before."""
    books.bought()
    books.seal()
    books.storage.write(f".journal/{PRINT}-0.claim", b"{")
    assert len(books.fold().rubbish) == 1


def test_an_answer_on_a_sealed_number_is_never_rubbish(books: Any) -> None:
    """It was paid: it stays, with its claim, until it is finished and has rows of its own."""
    books.bought()
    books.seal()
    other = books.claim(0)
    for record in (other, books.ack(other)):
        books.put(record)
    book = books.fold()
    assert book.rubbish == ()
    assert book.of(PRINT).counted == 2
    books.put(books.end(other))
    books.seal()
    assert len(books.rows("images")) == 2
    assert books.fold().of(PRINT).counted == 2


def test_an_answer_to_a_request_that_was_given_up_and_sealed_is_alive(books: Any) -> None:
    """Counted again, finished by an amend, and its request has one current row that says completed."""
    claim = books.claim(images=2)
    books.put(claim)
    books.put(books.end(claim, Outcome.VOID, answered=False))
    books.seal()
    books.put(books.ack(claim))
    entry = books.fold().of(PRINT).live[0]
    assert entry.late
    assert entry.final is None
    assert books.fold().of(PRINT).counted == 2
    books.put(books.end(claim), Step.AMEND)
    books.seal()
    assert books.fold().of(PRINT).counted == 2
    assert books.journal_names() == []
    assert len(books.rows("images")) == 2
    assert sorted((row["revision"], row["outcome"]) for row in books.rows("requests")) == [
        (0, "void"),
        (1, "completed"),
    ]


def test_an_answer_beside_a_void_end_waits_for_its_amend(books: Any) -> None:
    """Given up and answered before anybody sealed: the void end does not stand."""
    claim = books.claim()
    for record in (claim, books.end(claim, Outcome.VOID, answered=False), books.ack(claim)):
        books.put(record)
    assert books.fold().of(PRINT).counted == 1
    assert books.seal().entries == 0
    books.put(books.end(claim), Step.AMEND)
    assert books.seal().entries == 1
    assert books.fold().of(PRINT).counted == 1


def test_an_answer_to_a_request_written_off_is_found_after_all(books: Any) -> None:
    """Counted once all along; its lost row is followed by a stored one, which is the one that readers see."""
    from flows.history import view

    claim = books.claim(images=2)
    books.put(claim)
    books.put(books.end(claim, Outcome.WRITTEN_OFF, answered=False))
    books.seal()
    assert [row["status"] for row in view.images(books.parts).to_pylist()] == ["lost", "lost"]
    books.put(books.ack(claim))
    assert books.fold().of(PRINT).counted == 2
    books.put(books.end(claim), Step.AMEND)
    books.seal()
    assert books.fold().of(PRINT).counted == 2
    assert [row["status"] for row in view.images(books.parts).to_pylist()] == ["stored", "stored"]


def test_an_answered_end_is_not_reopened_by_its_ack(books: Any) -> None:
    """An ack that is recorded after the end was sealed is rubbish: the end knew of it."""
    claim = books.bought()
    ack = books.storage.read(f".journal/{PRINT}-0.ack")
    books.seal()
    books.storage.write(f".journal/{PRINT}-0.ack", ack)
    book = books.fold()
    assert len(book.rubbish) == 1
    assert book.of(PRINT).counted == 1
    assert claim.n == 0


def test_a_gap_in_the_numbers_is_looked_at_again_and_then_told(books: Any) -> None:
    """Number 1 without number 0: something is missing, and nothing may be bought on such books."""
    books.put(books.claim(1))
    desk = books.desk()
    with pytest.raises(HistoryBusy, match="numbers are missing"):
        desk.open([PRINT])
    assert len(books.waits) == FOLD_TRIES


def test_a_gap_that_closes_is_waited_for(books: Any, meddle: Any) -> None:
    """An entry that moves from the journal into the history just now may be missed by one look."""
    books.put(books.claim(1))

    def close_the_gap(op: str, path: str) -> None:
        if op == "list" and path == "requests" and len(books.waits) == 2 and not books.storage.read(gap):
            books.put(books.claim(0))

    gap = f".journal/{PRINT}-0.claim"
    book = meddle(close_the_gap).desk().open([PRINT])
    assert book.of(PRINT).counted == 2
    assert len(books.waits) == 3


def test_a_fold_of_one_fingerprint_does_not_mind_the_others(books: Any) -> None:
    """Each fingerprint has numbers of its own."""
    other = "b" * 64
    books.bought(fingerprint=other)
    books.put(books.claim(0, images=2))
    book = books.fold(PRINT, other)
    assert (book.of(PRINT).counted, book.of(other).counted) == (2, 1)
    books.seal()
    book = books.fold(PRINT, other)
    assert (book.of(PRINT).counted, book.of(other).counted) == (2, 1)


def test_months_do_not_matter_to_counting(books: Any) -> None:
    """A request of October and one of November: both count, each in its own month's part."""
    books.now -= timedelta(days=30)
    books.bought(0)
    books.now += timedelta(days=30)
    books.bought(1)
    assert books.seal().entries == 2
    months = {part.split("/")[1] for part in books.parts.listing("images")}
    assert months == {"month=2026-10", "month=2026-11"}
    assert books.fold().of(PRINT).counted == 2


def test_the_month_is_that_of_the_claim_whoever_finishes_it(books: Any) -> None:
    """Claimed a moment before midnight, ended and sealed in the new month: it stays where its id says."""
    books.now = books.now.replace(day=30, hour=23, minute=59, second=59)
    claim = books.claim()
    books.put(claim)
    books.now += timedelta(days=2)
    books.put(replace(books.end(claim), ended_at=books.now))
    books.seal()
    (part,) = books.parts.listing("requests")
    assert part.startswith("requests/month=2026-11/")
