"""The clean stop that Ctrl-C asks for: nothing further is claimed, what was sent is finished, nothing is in doubt."""

from __future__ import annotations

from typing import Any

import pytest

STOPS = {
    "before the claim": ("create", r"\.journal/.*\.claim$", "before"),
    "after the claim": ("create", r"\.journal/.*\.claim$", "after"),
    "before the post": ("submit", "", "before"),
    "after the answer": ("submit", "", "after"),
    "after a poll": ("poll", "", "after"),
    "after a download": ("download", "", "after"),
    "while sealing": ("create", r"\.locks/", "after"),
}


QUICK = ("after the claim", "while sealing")


@pytest.mark.parametrize(
    "moment", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in STOPS]
)
def test_a_clean_stop_leaves_nothing_in_doubt(place: Any, moment: str) -> None:
    """Unsent claims end void, sent ones are finished; the next run buys the rest."""
    place.settings["IDEOFLOW_API__MAX_IN_FLIGHT"] = "3"  # else all may be on their way before the twelfth is here
    wanted = place.manifest(24)
    op, path, when = STOPS[moment]
    nth = 1 if moment == "while sealing" else 12
    told = place.run(trap={"op": op, "path": path, "when": when, "nth": nth, "act": "stop"})
    # Where all was bought before the stop was heard, nothing that was wanted is undone.
    assert told["exit"] == (0 if moment == "while sealing" else 4)
    assert told["stopped"] == "stopped by a signal"
    book, doubts = place.book()
    assert not doubts
    assert not book.live, "everything has ended and is sealed"
    assert place.billed() == len(place.rows()) == told["counts"].get("stored", 0)
    if moment != "while sealing":
        assert place.billed() < wanted
    assert place.run()["exit"] == 0
    place.audit(wanted=wanted)
