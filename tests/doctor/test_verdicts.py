"""From facts to verdicts: what is fine, what is odd, what stands in the way, and that a remedy is always given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.doctor import service, verdicts
from flows.doctor.check import Check, Verdict, exit_code, skipped
from flows.doctor.storages import apart
from flows.doctor.verdicts import Books, Tried

GB = 1 << 30
DECLARED = ["fastapi<0.151", "PyYAML>=6.0.2", "prefect<4,>=3.8"]
INSTALLED = {"fastapi": "0.150.0", "pyyaml": "6.0.3", "prefect": "3.8.8", "sqlalchemy": "2.0.44"}


@pytest.mark.parametrize(
    ("check", "verdict", "words"),
    [
        (verdicts.python((3, 11, 0)), Verdict.OK, "3.11.0"),
        (verdicts.python((4, 0, 1)), Verdict.OK, "4.0.1"),
        (verdicts.python((3, 10, 9)), Verdict.BAD, "too old"),
        (verdicts.versions(INSTALLED, DECLARED, ["prefect"]), Verdict.OK, "prefect 3.8.8"),
        (verdicts.versions({**INSTALLED, "fastapi": "0.165.0"}, DECLARED, []), Verdict.BAD, "fastapi 0.165.0"),
        (verdicts.versions({**INSTALLED, "fastapi": "0.165.0"}, [], []), Verdict.ODD, "server does not start"),
        (verdicts.versions({**INSTALLED, "sqlalchemy": "2.1.9"}, DECLARED, []), Verdict.ODD, "schedules never fire"),
        (verdicts.versions({}, ["prefect>=3.8"], []), Verdict.BAD, "prefect is not installed"),
        (verdicts.clock("clock", timedelta(seconds=-30), "the API's"), Verdict.OK, "agrees"),
        (verdicts.clock("clock", timedelta(seconds=90), "the API's"), Verdict.ODD, "1 min 30 s ahead of"),
        (verdicts.clock("clock", timedelta(minutes=-20), "the API's"), Verdict.BAD, "20 min behind"),
        (verdicts.disk("disk", 100 * GB, GB), Verdict.OK, "107.4 GB free"),
        (verdicts.disk("disk", 2 * GB, GB), Verdict.ODD, "2.1 GB free"),
        (verdicts.disk("disk", GB - 1, GB), Verdict.BAD, "nothing will be bought"),
        (verdicts.journal(Books()), Verdict.OK, "nothing is open"),
        (verdicts.journal(Books(open=3)), Verdict.OK, "3 requests under way"),
        (verdicts.journal(Books(open=3, waiting=1)), Verdict.ODD, "paid for"),
        (verdicts.journal(Books(open=3, waiting=1, in_doubt=2)), Verdict.BAD, "2 requests in doubt"),
        (verdicts.leftovers(Books()), Verdict.OK, "none"),
        (verdicts.leftovers(Books(live_locks=("history",))), Verdict.OK, "held by a run that is alive"),
        (verdicts.leftovers(Books(dead_locks=("history",), leftovers=("a", "b"))), Verdict.ODD, "2 temporary files"),
    ],
)
def test_a_fact_has_its_verdict(check: Check, verdict: Verdict, words: str) -> None:
    """And whatever is not fine says what to do."""
    assert (check.verdict, words in check.said) == (verdict, True), check
    assert bool(check.remedy) is (verdict in {Verdict.ODD, Verdict.BAD})


@pytest.mark.parametrize(
    ("tried", "single_writer", "ledger", "verdict"),
    [
        (Tried("s3://b/h"), False, True, Verdict.OK),
        (Tried("s3://b/h", exclusive=False), False, True, Verdict.BAD),
        (Tried("s3://b/h", exclusive=False), True, True, Verdict.ODD),
        (Tried("s3://b/images", exclusive=False), False, False, Verdict.OK),
        (Tried("s3://b/images", "list", "Access Denied"), True, False, Verdict.BAD),
    ],
)
def test_only_the_ledger_must_create_exclusively(
    tried: Tried, single_writer: bool, ledger: bool, verdict: Verdict
) -> None:
    """Two runs that could pay twice are bad; a promise of one run at a time makes it something to know."""
    assert verdicts.storage("storage", tried, single_writer=single_writer, ledger=ledger).verdict is verdict


QUOTE = b'{"object": "price_quote", "usd_micros": 60000, "quantity": 1, "qualifier": "exact"}'


@pytest.mark.parametrize(
    ("status", "body", "verdict", "words"),
    [
        (200, QUOTE, Verdict.OK, "takes it"),
        (401, b"{}", Verdict.BAD, "refuses it"),
        (402, b"{}", Verdict.BAD, "no funds"),
        (403, b'{"error": "not yours"}', Verdict.BAD, "not yours"),
        (200, b'{"data": [{"url": "x"}]}', Verdict.BAD, "made a picture"),
        (404, b"<html>", Verdict.ODD, "HTTP 404"),
    ],
)
def test_what_the_api_answers_is_what_the_key_is_worth(status: int, body: bytes, verdict: Verdict, words: str) -> None:
    """Only a refusal is one: an answer nobody understands is told as such."""
    check = service.accepted("api.example", status, body)
    assert (check.verdict, words in check.said) == (verdict, True), check


@pytest.mark.parametrize(("theirs", "skew"), [(0, 0), (1.5, 0), (60, -58), (-60, 60), (-0.9, 0)])
def test_a_clock_is_compared_between_two_looks(theirs: float, skew: float) -> None:
    """The way there and back is no skew, and neither is the second that HTTP rounds to."""
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    found = apart(noon, noon + timedelta(seconds=theirs), noon + timedelta(seconds=2))
    assert found == timedelta(seconds=skew)


def test_only_what_stands_in_the_way_ends_in_4() -> None:
    """What is odd, or was not looked at, does not."""
    fine = [verdicts.python((3, 12, 0)), verdicts.disk("disk", 2 * GB, GB), skipped("prefect", "none")]
    assert exit_code(fine) == 0
    assert exit_code([*fine, verdicts.python((3, 9, 0))]) == 4
