"""Making an image again, killed at every arrow of the way, and asked for again: one is paid for, and it is linked."""

from __future__ import annotations

from typing import Any

import pytest

from flows.campaign.recovery import Verdicts, recover
from flows.history import reproduced

CLAIM = r"\.journal/.*\.claim$"
ACK = r"\.journal/.*\.ack$"
END = r"\.journal/.*\.end$"
LINK = r"^history/lifecycle/"
# Where to die: the operation, what it is done to, when, and whether what was asked is then in doubt.
ARROWS: dict[str, tuple[str, str, str, bool]] = {
    "before the claim": ("create", CLAIM, "before", False),
    "after the claim": ("create", CLAIM, "after", True),
    "after the answer": ("submit", "", "after", True),
    "after the ack": ("create", ACK, "after", False),
    "after a download": ("download", "", "after", False),
    "after the picture": ("write", r"^assets/.*\.png$", "after", False),
    "before the end": ("create", END, "before", False),
    "after the end": ("create", END, "after", False),
    "between the parts": ("write", r"^history/images/", "after", False),
    "after the requests part": ("write", r"^history/requests/", "after", False),
    "in the middle of dropping": ("delete", r"\.journal/", "after", False),
    "after the features": ("write", r"^history/features/", "after", False),
    "after the report": ("write", r"^reports/.*\.md$", "after", False),
    "before the link": ("write", LINK, "before", False),
}
QUICK = ("after the claim", "after the ack", "between the parts", "before the link")


def survive(place: Any, name: str) -> None:
    """Kill a reproduction at an arrow, ask for the same again, and let the ledger judge."""
    wanted = place.manifest(1)
    assert place.run()["exit"] == 0
    [old] = place.rows()
    op, path, when, doubt = ARROWS[name]
    trap = {"op": op, "path": path, "when": when, "nth": 1}
    assert place.run(reproduce=old["image_id"], trap=trap) is None, "the trap was never reached"
    told = place.run(reproduce=old["image_id"])
    assert told["exit"] == (4 if doubt else 0), told
    place.audit(wanted=wanted + 1, doubts=int(doubt))
    if doubt:  # held for a person: only their word lets it be bought again
        assert place.run(reproduce=old["image_id"])["exit"] == 4
        place.audit(wanted=wanted + 1, doubts=1)
        return
    [new] = [row for row in place.rows() if row["image_id"] != old["image_id"]]
    assert told["images"] == [new["image_id"]]
    assert reproduced.original_in(new["edition"]) == old["image_id"]
    assert reproduced.linked(place.workspace().parts, new["fingerprint"]) == {new["image_id"]: old["image_id"]}
    # It has come to its end, so the next time is another one, asked for on purpose.
    assert place.run(reproduce=old["image_id"])["bought"] == 1
    place.audit(wanted=wanted + 2)


@pytest.mark.parametrize("arrow", QUICK)
def test_killed_and_asked_again(place: Any, arrow: str) -> None:
    """Where most can go wrong."""
    survive(place, arrow)


@pytest.mark.slow
@pytest.mark.parametrize("arrow", ARROWS)
def test_killed_anywhere_and_asked_again(place: Any, arrow: str) -> None:
    """Every arrow."""
    survive(place, arrow)


def test_doubt_that_is_settled_is_bought_once(place: Any) -> None:
    """Killed before it was sent and given up by a person's word: then one is bought, and no more."""
    import asyncio

    from flows.pipeline.kit import Stop

    place.manifest(1)
    place.run()
    [old] = place.rows()
    trap = {"op": "submit", "path": "", "when": "before", "nth": 1}
    assert place.run(reproduce=old["image_id"], trap=trap) is None
    assert place.run(reproduce=old["image_id"])["exit"] == 4
    asyncio.run(recover(place.workspace(), Verdicts(resubmit=("all",)), lambda _: None, Stop()))
    assert place.run(reproduce=old["image_id"])["bought"] == 1
    assert place.billed() == 2
    place.audit(wanted=2)


def test_two_at_once_make_no_more_than_was_asked(place: Any) -> None:
    """Two people ask for the same image at the same moment: one or two are made, each counted, none unlinked."""
    place.manifest(1)
    place.run()
    [old] = place.rows()
    for run in [place.start(reproduce=old["image_id"]) for _ in range(2)]:
        run.wait()
    assert 2 <= place.billed() <= 3
    place.audit(wanted=place.billed())
    place.run(reproduce=old["image_id"])
    new = [row for row in place.rows() if row["image_id"] != old["image_id"]]
    linked = reproduced.linked(place.workspace().parts, new[0]["fingerprint"])
    assert linked == {row["image_id"]: old["image_id"] for row in new}
