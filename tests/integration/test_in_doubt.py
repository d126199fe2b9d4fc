"""``generate.in_doubt``: hold keeps a cut-off request for a person, resubmit gives it up once it is old."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

KILLED = {"op": "submit", "path": "", "nth": 1}
RESUBMIT = {"IDEOFLOW_GENERATE__IN_DOUBT": "resubmit"}


def _age(place: Any, minutes: int) -> None:
    """Make the journal's records look as old as that, by the storage's clock."""
    then = time.time() - minutes * 60
    for record in (place.workspace().history.root / ".journal").iterdir():
        if record.is_file():
            os.utime(record, (then, then))


def _cut_off(place: Any, when: str) -> int:
    """A run killed around its first request: how many requests are in doubt."""
    assert place.run(trap={**KILLED, "when": when}) is None
    return len(place.book()[1])


def test_hold_keeps_it_however_old(place: Any) -> None:
    """By default nothing is bought for it, today or in an hour, and every run says so."""
    place.manifest(1)
    assert _cut_off(place, "before") == 1
    _age(place, 120)
    told = place.run()
    assert (told["exit"], told["counts"], place.billed()) == (4, {}, 0)


def test_resubmit_waits_for_a_quarter_of_an_hour(place: Any) -> None:
    """A request of a moment ago may still be answered: it is held as well."""
    place.manifest(1)
    assert _cut_off(place, "before") == 1
    place.settings = RESUBMIT
    told = place.run()
    assert (told["exit"], told["counts"], place.billed()) == (4, {}, 0)


@pytest.mark.parametrize(("when", "billed"), [("before", 1), ("after", 2)])
def test_resubmit_buys_an_old_one_again_and_may_pay_twice(place: Any, when: str, billed: int) -> None:
    """It had not run: bought once. It had run and its answer was lost: paid twice, as this setting accepts."""
    place.manifest(1)
    assert _cut_off(place, when) == 1
    _age(place, 20)
    place.settings = RESUBMIT
    told = place.run()
    assert (told["exit"], told["counts"], place.billed()) == (0, {"stored": 1}, billed)
    assert place.run()["counts"] == {}
    reasons = place.raw("requests")["reason"].tolist()
    assert "in doubt, resubmitted by generate.in_doubt" in reasons


def test_an_answered_request_is_never_given_up(place: Any) -> None:
    """With an answer on record it is finished, however old, and nothing is bought for it."""
    place.manifest(1)
    trap = {"op": "create", "path": r"\.journal/.*\.ack$", "when": "after"}
    assert place.run(trap=trap) is None
    _age(place, 60)
    place.settings = RESUBMIT
    told = place.run()
    assert (told["exit"], told["counts"], place.billed()) == (0, {"recovered": 1}, 1)
