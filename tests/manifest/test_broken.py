"""The table of broken manifests: each is refused for exactly the reasons a person would give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.documents import parse
from flows.errors import InvalidInput, Problem
from flows.manifest.load import load

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEAD = "version: 1\ndefaults: {model: ideogram-4-5}\nprompts:\n"
TABLE = Path(__file__).with_name("broken.yaml")
CASES: list[dict[str, Any]] = parse(TABLE.read_bytes(), TABLE.name).data


def _problems(case: Mapping[str, Any]) -> tuple[Problem, ...]:
    source = case["file"] if "file" in case else HEAD + case["prompts"]
    with pytest.raises(InvalidInput) as refusal:
        load([("prompts.yaml", source.encode())], NOW, UTC)
    return refusal.value.problems


def _meets(problem: Problem, expected: Mapping[str, Any]) -> bool:
    return (
        problem.line == expected["line"]
        and problem.column == expected.get("column", problem.column)
        and problem.key == expected.get("key", problem.key)
        and str(expected["says"]) in problem.message
        and str(expected.get("remedy", "")) in problem.hint
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_broken_manifest_is_refused_with_place_and_remedy(case: Mapping[str, Any]) -> None:
    """Every expected problem is reported at its place with its remedy, and no other."""
    found = list(_problems(case))
    for expected in case["problems"]:
        match = next((problem for problem in found if _meets(problem, expected)), None)
        assert match is not None, f"{expected} is not among:\n" + "\n".join(map(str, found))
        found.remove(match)
    assert not found, "not expected:\n" + "\n".join(map(str, found))


def test_the_table_is_large_and_its_cases_have_names_of_their_own() -> None:
    """At least a hundred cases, none twice."""
    names = [case["name"] for case in CASES]
    assert len(set(names)) == len(names) >= 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_problem_says_what_to_look_at(case: Mapping[str, Any]) -> None:
    """A problem has a line, a column and one line of message, short enough for a terminal."""
    for problem in _problems(case):
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in problem.message
        assert len(problem.message) < 160
