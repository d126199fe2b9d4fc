"""Entering a request whose id was fixed beforehand: one number per id, whoever else enters or claims meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from flows.history.records import Outcome
from flows.ids import uuid7

PRINT = "a" * 64
IDS = [uuid7(datetime(2025, 3, day, tzinfo=UTC), lambda length: b"x" * length) for day in range(1, 13)]


def enter(books: Any, desk: Any, request_id: str, run: str = "run-1") -> Any:
    return desk.enter(PRINT, request_id, lambda n: books.claim(n, request_id=request_id, path="import", run_id=run))


def finished(books: Any, request_id: str) -> bool:
    """Entered to its end by a desk of its own; False when it was there already."""
    claim = enter(books, books.desk(), request_id)
    if claim is not None:
        books.put(books.end(claim))
    return claim is not None


def settled(books: Any) -> list[str]:
    """Everything sealed: the ids in the history by number. Fails where a number is missing."""
    books.seal()
    books.seal()
    assert books.journal_names() == []
    book = books.fold(PRINT)
    rows = sorted((row.n, row.request_id) for row in book.of(PRINT).sealed.values())
    assert [n for n, _ in rows] == list(range(len(rows)))
    assert Counter(row["image_id"] for row in books.rows("images")).most_common(1)[0][1] == 1
    return [name for _, name in rows]


def test_an_id_is_entered_once(books: Any) -> None:
    """The second time it is known, in the journal, in the history and to the same desk."""
    desk = books.desk()
    claim = enter(books, desk, IDS[0])
    assert claim.n == 0
    assert enter(books, desk, IDS[0]) is None
    assert enter(books, books.desk(), IDS[0]) is None
    books.put(books.end(claim))
    books.seal()
    assert enter(books, books.desk(), IDS[0]) is None
    assert enter(books, books.desk(), IDS[1]).n == 1


def test_what_is_entered_counts_as_bought(books: Any) -> None:
    """A run that wants two buys one beside the one that was entered."""
    finished(books, IDS[0])
    books.seal()
    desk = books.desk()
    desk.open([PRINT])
    taken = [
        desk.take(PRINT, wanted=2, at_most=1, make=lambda n, images: books.claim(n, images=images)) for _ in range(2)
    ]
    assert [claim and claim.n for claim in taken] == [1, None]


def test_one_that_ended_void_is_known_and_does_not_count(books: Any) -> None:
    """Its id is used up: whoever enters the picture again does so under another."""
    claim = enter(books, books.desk(), IDS[0])
    books.put(books.end(claim, Outcome.VOID))
    books.seal()
    standing = books.fold(PRINT).of(PRINT)
    assert (standing.counted, standing.knows(IDS[0]), standing.knows(IDS[1])) == (0, True, False)
    assert enter(books, books.desk(), IDS[0]) is None
    assert enter(books, books.desk(), IDS[1]).n == 1


@pytest.mark.parametrize("rival", ["enters the same", "enters another", "buys", "enters the same and is killed"])
@pytest.mark.parametrize("seals", [False, True])
def test_no_moment_is_a_bad_one(books: Any, meddle: Callable[..., Any], rival: str, seals: bool) -> None:
    """Whatever another process does, before whichever operation of ours, the id ends up with one number."""

    def act(number: int) -> None:
        base = 3 * number
        if rival == "enters the same":
            finished(books, IDS[base])
        elif rival == "enters another":
            finished(books, IDS[base + 1])
        elif rival == "buys":
            books.bought(books.fold(PRINT).of(PRINT).next)
        else:
            enter(books, books.desk(), IDS[base])
        if seals:
            books.seal()

    for number in range(4):
        entered: list[Any] = []
        moment = 0
        while True:
            left = [moment]

            def before(_: str, __: str, left: list[int] = left, number: int = number) -> None:
                left[0] -= 1
                if left[0] == -1:
                    act(number)

            ours = meddle(before)
            claim = enter(ours, ours.desk(), IDS[3 * number])
            if claim is not None:
                ours.put(ours.end(claim))
                entered.append(claim.n)
            if left[0] >= 0 or entered:
                break
            moment += 1
    # Of the killed one only the claim is there: an open entry with the id that everybody comes to.
    for entry in books.fold(PRINT).live:
        if entry.final is None:
            books.put(books.end(entry.claim))
    assert Counter(settled(books)).most_common(1)[0][1] == 1


def test_many_at_once_enter_everything_once(books: Any) -> None:
    """Six desks enter the same twelve, and two buy beside them: every id one number, every number one id."""

    def work(number: int) -> int:
        desk = books.desk()
        if number < 2:
            made = desk.take(PRINT, wanted=14, at_most=1, make=lambda n, images: books.claim(n, images=images))
            return int(made is not None and books.put(books.end(made)))
        done = 0
        for request_id in IDS[number:] + IDS[:number]:
            # Two that differ in nothing, not even in who made them, would be one claim that was sent twice.
            claim = enter(books, desk, request_id, f"run-{number}")
            done += claim is not None and books.put(books.end(claim))
        return done

    with ThreadPoolExecutor(8) as crew:
        done = list(crew.map(work, range(8)))
    names = settled(books)
    assert set(IDS) <= set(names)
    assert len(names) == len(set(names)) == sum(done)
