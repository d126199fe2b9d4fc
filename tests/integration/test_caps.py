"""Caps over the whole path: real runs in processes of their own, and the sandbox's ledger as the judge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

PRICE = 60_000  # of one ideogram-3 image, in micro-dollars


def _noon() -> str:
    """A time zone in which it is about noon, lest a day or month end in the middle of a test."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}"  # these names count westwards


def _day(usd: str) -> dict[str, str]:
    return {"IDEOFLOW_BUDGET__PER_DAY_USD": usd, "IDEOFLOW_GENERATE__TIMEZONE": _noon()}


@pytest.mark.parametrize(
    "key", ["PER_DAY_USD", *(pytest.param(one, marks=pytest.mark.slow) for one in ("PER_MONTH_USD", "PER_RUN_USD"))]
)
def test_at_the_cap_nothing_more_is_sent_and_the_run_says_which(place: Any, key: str) -> None:
    """Five images fit under thirty cents, the others are left out: exit 4, and the next step names the setting."""
    place.manifest(8)
    place.settings = {f"IDEOFLOW_BUDGET__{key}": "0.30", "IDEOFLOW_GENERATE__TIMEZONE": _noon()}
    told = place.run()
    assert (told["exit"], told["counts"], place.billed()) == (4, {"stored": 5}, 5)
    assert f"budget.{key.lower()}" in told["next"]


def test_images_of_a_run_are_capped_too(place: Any) -> None:
    """`per_run_images` leaves the rest to the next run, which gets as many again."""
    place.manifest(5)
    place.settings = {"IDEOFLOW_BUDGET__PER_RUN_IMAGES": "3"}
    assert [place.run()["exit"], place.billed()] == [4, 3]
    assert [place.run()["exit"], place.billed()] == [0, 5]


def test_a_day_is_shared_by_all_runs(place: Any) -> None:
    """What an earlier run spent today counts: the second run finds only what it left."""
    place.manifest(4)
    place.settings = _day("0.36")
    assert place.run()["exit"] == 0
    place.manifest(9)
    told = place.run()
    assert (told["bought"], place.billed(), told["exit"]) == (2, 6, 4)
    assert place.run()["counts"] == {}


def test_what_is_in_doubt_counts_in_full(place: Any) -> None:
    """A request whose answer was lost may have been billed: its price is not there to be spent again."""
    place.manifest(6)
    place.settings = _day("0.24")
    place.sandbox.set_faults({"match": {"kind": "post"}, "fault": "lost_ack", "count": 1})
    told = place.run()
    assert told["counts"] == {"stored": 3, "in doubt": 1}
    place.sandbox.clear_faults()
    assert place.run()["counts"] == {}
    assert place.billed() == 4


def test_what_did_not_run_frees_its_money(place: Any) -> None:
    """Requests turned away with 429 and 500-before cost nothing: the cap is reached exactly all the same."""
    place.manifest(8)
    place.settings = _day("0.30")
    place.sandbox.set_faults({"match": {"kind": "post"}, "fault": "429", "every": 3})
    told = place.run()
    assert told["counts"] == {"stored": 5}


@pytest.mark.parametrize("runs", [3])
def test_runs_at_once_share_the_cap_to_the_cent(place: Any, runs: int) -> None:
    """Three runs buy different pictures under one small cap: together they never pass it, and reach it."""
    started = []
    place.settings = _day("0.60")
    for number in range(runs):
        name = f"prompts-{number}.yaml"
        place.manifest(6, name=name)
        text = (place.folder / name).read_text(encoding="utf-8").replace("take", f"run {number}, take")
        (place.folder / name).write_text(text, encoding="utf-8")
    for number in range(runs):
        place.settings["IDEOFLOW_GENERATE__MANIFESTS"] = f'["prompts-{number}.yaml"]'
        started.append(place.start())
    told = [run.wait() for run in started]
    spent = place.sandbox.ledger()["billed_micros"]
    assert spent <= 600_000
    assert place.billed() * PRICE == spent
    # Whoever runs once more gets what stepping back from each other may have left.
    place.run()
    assert place.sandbox.ledger()["billed_micros"] <= 600_000
    assert {one["exit"] for one in told} <= {0, 4}
    assert 4 in {one["exit"] for one in told}
