"""Withheld and lost images: paid, counted, and bought again only on request, however often that is interrupted."""

from __future__ import annotations

import json
from typing import Any

import pytest

PROMPT = "A withheld-image of a bottle"
LIFECYCLE = r"^history/lifecycle/"


def _manifest(place: Any, prompt: str = PROMPT, count: int = 1) -> None:
    place.write(
        f"version: 1\nprompts:\n  - {{id: one, prompt: {prompt}, model: ideogram-3, count: {count}}}\n"
        "  - {id: two, prompt: A beach, model: ideogram-3}\n"
    )


def _events(place: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = place.raw("lifecycle").to_dict("records")
    return [row for row in rows if row.get("event") == "replaced" and "by" not in json.loads(row["details"])]


def _links(place: Any) -> dict[str, str]:
    """Which image was bought in the place of which."""
    rows = place.raw("lifecycle").to_dict("records")
    found = {row["image_id"]: json.loads(row["details"]).get("by") for row in rows if row["event"] == "replaced"}
    return {old: new for old, new in found.items() if new}


def test_a_withheld_image_is_bought_again_only_on_request(place: Any) -> None:
    """It stays counted until asked for; then another is bought, once, and the event says who gave it up and why."""
    _manifest(place)
    assert place.run()["counts"] == {"stored": 1, "withheld": 1}
    assert place.run()["counts"] == {}
    told = place.run(retry=["withheld"])
    assert (told["bought"], told["counts"], place.billed()) == (1, {"withheld": 1}, 3)
    assert place.run()["counts"] == {}
    assert place.run(retry=["lost"])["counts"] == {}
    (event,) = _events(place)
    withheld = sorted(row["image_id"] for row in place.rows() if row["status"] == "withheld")
    assert (event["actor"], event["image_id"]) == ("generate", withheld[0])
    assert "--retry" in event["reason"]
    # Both are withheld: that is what the prompt brings. The second stands in for the first.
    assert _links(place) == {withheld[0]: withheld[1]}


def test_a_lost_image_is_bought_again_on_request(place: Any) -> None:
    """An image whose request was written off counts as lost, and `--retry lost` buys another."""
    place.manifest(2)
    place.run(trap={"op": "submit", "path": "", "when": "after", "nth": 1})
    ws = place.workspace()

    import asyncio

    from flows.campaign.recovery import Verdicts, recover
    from flows.pipeline.kit import Stop

    asyncio.run(recover(ws, Verdicts(write_off=("all",)), lambda _: None, Stop()))
    place.run()
    assert sorted(row["status"] for row in place.rows()).count("lost") >= 1
    lost = [row for row in place.rows() if row["status"] == "lost"]
    before = place.billed()
    told = place.run(retry=["withheld", "lost"])
    assert told["counts"] == {"stored": len(lost)}
    assert place.billed() == before + len(lost)
    assert place.run(retry=["withheld", "lost"])["counts"] == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_the_event_nothing_is_freed_twice(place: Any, when: str) -> None:
    """Before the event nothing happened; after it any run, with or without --retry, buys the one that is missing."""
    _manifest(place)
    place.run()
    assert place.run(retry=["withheld"], trap={"op": "write", "path": LIFECYCLE, "when": when}) is None
    assert place.billed() == 2
    told = place.run() if when == "after" else place.run(retry=["withheld"])
    assert (told["bought"], place.billed()) == (1, 3)
    assert place.run()["bought"] == 0


def test_two_retries_at_once_buy_one_image(place: Any) -> None:
    """Both may write the event; the image is given up once."""
    _manifest(place)
    place.run()
    started = [place.start(retry=["withheld"]) for _ in range(2)]
    told = [run.wait() for run in started]
    bought = sum(sum(one["counts"].get(fate, 0) for fate in ("stored", "withheld")) for one in told)
    events = _events(place)
    replaced = {event["image_id"] for event in events}
    assert place.billed() == 2 + bought == 2 + len(replaced)


def test_a_limit_gives_up_no_more_than_it_buys(place: Any) -> None:
    """Of three withheld images `--limit 1` gives up one; the others stay counted, so that no later run buys them."""
    _manifest(place, count=3)
    assert place.run()["counts"]["withheld"] == 3
    told = place.run(retry=["withheld"], limit=1)
    assert (told["bought"], len(_events(place)), place.billed()) == (1, 1, 5)
    assert place.run()["bought"] == 0


def test_a_refused_prompt_stays_blocked(place: Any) -> None:
    """What was refused as unsafe is not bought again by --retry: only another prompt helps."""
    _manifest(place, prompt="An unsafe-prompt of a bottle")
    assert place.run()["counts"] == {"stored": 1, "refused": 1}
    told = place.run(retry=["withheld", "lost"])
    assert (told["counts"], told["exit"], place.billed()) == ({}, 4, 1)


def test_other_words_are_refused(place: Any) -> None:
    """Only withheld and lost can be bought again."""
    place.manifest(1)
    told = place.run(retry=["refused"])
    assert (told["exit"], told["kind"]) == (2, "Refused")
