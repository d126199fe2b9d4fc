"""What is read, what is wrong with a file, which event says so, when the storage must be away: pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from flows.errors import Refused
from flows.history.events import FILE, Event, State
from flows.upkeep.findings import Condition, Record, Seen, away, event_of, judge
from flows.upkeep.subset import Subset

NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
DIGESTS = [sha256(str(number).encode()).hexdigest() for number in range(2000)]


def test_shares_part_all_pictures_and_are_alike() -> None:
    """Every picture is in exactly one of seven shares, always in the same one, and none is much larger."""
    shares = [[one for one in DIGESTS if Subset.of(f"{part}/7", NOW).holds(one)] for part in range(1, 8)]
    assert sorted(one for share in shares for one in share) == sorted(DIGESTS)
    assert all(230 < len(share) < 345 for share in shares)
    assert all(Subset.of("", NOW).holds(one) for one in DIGESTS)


def test_a_share_a_day_reads_all_in_a_week() -> None:
    """`today/7` is another one every day, whatever day it begins with."""
    week = [Subset.of("today/7", NOW + timedelta(days=day)) for day in range(7)]
    assert {share.part for share in week} == set(range(1, 8))
    assert Subset.of("today/7", NOW) == Subset.of(" today/7 ", NOW + timedelta(hours=20))
    assert str(week[0]) == f"share {week[0].part} of 7"


@pytest.mark.parametrize("text", ["8/7", "0/7", "1/0", "seven", "1/7/2", "-1/7", "today", "1/20000"])
def test_no_share_is_refused_with_what_to_write(text: str) -> None:
    """A slip is no reason to read everything, or nothing."""
    with pytest.raises(Refused, match="--subset"):
        Subset.of(text, NOW)


RECORD = Record("i-0", "f", "hero", "a.png", 1000, "d" * 64, State.KEPT)


@pytest.mark.parametrize(
    ("seen", "condition", "says"),
    [
        (Seen(None), Condition.MISSING, "no such file"),
        (Seen(0), Condition.TRUNCATED, "empty"),
        (Seen(999), Condition.TRUNCATED, "999 bytes of 1.0 kB"),
        (Seen(1001), Condition.CHANGED, "grown"),
        (Seen(1000, "e" * 64), Condition.CHANGED, "other bytes"),
        (Seen(1000, "d" * 64, "is cut off"), Condition.UNDECODABLE, "is cut off"),
        (Seen(1000, None, "is cut off"), Condition.UNDECODABLE, "is cut off"),
        (Seen(1000, "d" * 64), Condition.FINE, "as it was stored"),
    ],
)
def test_a_file_is_judged_by_what_was_seen(seen: Seen, condition: Condition, says: str) -> None:
    """Size first, then bytes, then whether it is a picture; the reason is a sentence."""
    judged = judge(RECORD, seen)
    assert judged is not None
    assert judged[0] is condition
    assert says in judged[1]


def test_what_was_not_read_is_not_called_fine() -> None:
    """The right size proves nothing."""
    assert judge(RECORD, Seen(1000)) is None


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("condition", list(Condition))
def test_events_change_the_state_or_are_not_written(state: State, condition: Condition) -> None:
    """Each event leads to another state than the image is in, and what is in the trash or gone stays as it is."""
    event = event_of(state, condition)
    if event is not None:
        assert FILE[event] is not state
        assert state in {State.KEPT, State.MISSING, State.CORRUPT}


@pytest.mark.parametrize(
    ("state", "condition", "event"),
    [
        (State.KEPT, Condition.MISSING, Event.MISSING),
        (State.KEPT, Condition.UNDECODABLE, Event.CORRUPT),
        (State.MISSING, Condition.TRUNCATED, Event.CORRUPT),
        (State.CORRUPT, Condition.MISSING, Event.MISSING),
        (State.MISSING, Condition.FINE, Event.FOUND),
        (State.CORRUPT, Condition.FINE, Event.FOUND),
        (State.KEPT, Condition.FINE, None),
        (State.MISSING, Condition.MISSING, None),
        (State.TRASHED, Condition.MISSING, None),
        (State.TRASHED, Condition.FINE, None),
    ],
)
def test_which_event_says_so(state: State, condition: Condition, event: Event | None) -> None:
    """News are recorded, what is known is not."""
    assert event_of(state, condition) is event


@pytest.mark.parametrize(
    ("expected", "present", "listed", "gone"),
    [
        (0, 0, 0, False),  # a new project
        (1, 0, 0, True),  # an empty mount point
        (1, 0, 1, False),  # the picture is gone, the record beside it is there
        (10, 0, 3, False),
        (100, 49, 60, True),
        (100, 51, 60, False),
        (1_000_000, 0, 5, True),
    ],
)
def test_an_unmounted_disk_is_not_an_empty_one(expected: int, present: int, listed: int, gone: bool) -> None:
    """A handful may be lost; half of everything, or all there ever was, is a storage that is not there."""
    assert away(expected, present, listed) is gone
