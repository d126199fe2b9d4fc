"""Troubles of a run: told once for each kind."""

from __future__ import annotations

import pytest

from flows.report.model import Trouble
from flows.report.terminal import problem_lines
from flows.report.troubles import MOST_KINDS, Troubles


def test_a_single_trouble_is_told_as_it_came() -> None:
    """Its id and its link stand as they are while there is nothing to gather."""
    troubles = Troubles()
    troubles.add("generation 0193a-4711-0815-abcd: pending", "sea", "wait")
    assert list(troubles) == [Trouble("generation 0193a-4711-0815-abcd: pending", "sea", "wait")]


@pytest.mark.parametrize(
    ("names", "subject"),
    [("a", "a"), ("aa", "a"), ("abc", "a, b, c"), ("abca", "a, b, c"), ("abcde", "a, b, c and 2 more"), ("", "")],
)
def test_the_first_names_stand_for_all(names: str, subject: str) -> None:
    """Each name once, three of them; how often it came is counted apart from the names."""
    troubles = Troubles()
    for name in names or [""]:
        troubles.add("broke", name, "look")
    [told] = troubles
    assert (told.subject, told.times) == (subject, max(1, len(names)))


def test_another_remedy_is_another_trouble() -> None:
    """People act on what to do."""
    troubles = Troubles()
    troubles.add("broke", "a", "look")
    troubles.add("broke", "b", "wait")
    assert len(list(troubles)) == len(troubles) == 2


def test_memory_does_not_grow_with_misfortune() -> None:
    """Of very many kinds the first are kept and all are counted; of one kind any number is one."""
    troubles = Troubles()
    for number in range(1000):
        troubles.add(f"problem {number}", "x", "y")
    assert len(list(troubles)) == MOST_KINDS + 1
    assert list(troubles)[-1].times == 1000 - MOST_KINDS
    assert troubles.seen == 1000


def test_a_line_says_how_often() -> None:
    """Only where it came more than once."""
    assert problem_lines([Trouble("late", "a, b", "wait", 2), Trouble("gone", "c", "look")]) == [
        "! a, b: late (2 times)",
        "    wait",
        "! c: gone",
        "    look",
    ]
