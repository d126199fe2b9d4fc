"""Slips with the vendor's options: each caught while the manifest is read, before anything could be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from flows.documents import parse
from flows.errors import Problem
from flows.ideogram.catalogue import CATALOGUE, find

TABLE = Path(__file__).with_name("mistakes.yaml")
CASES: list[dict[str, Any]] = parse(TABLE.read_bytes(), TABLE.name).data
NAMES = [f"{case['model']} {case['write']}"[:80] for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_slip_is_caught_with_line_key_and_remedy(
    case: Mapping[str, Any], refused: Callable[..., tuple[Problem, ...]]
) -> None:
    """One complaint at the right place, in words, with what to do (`also`: so many more that follow from it)."""
    prompt = case.get("prompt", "A bottle")
    lines = ["version: 1", "prompts:", "  - id: a", f"    model: {case['model']}", f"    prompt: {prompt}"]
    found = refused("\n".join([*lines, f"    {case['write']}", ""]))
    [problem] = [one for one in found if case["says"] in one.message] or [found[0]]
    assert case["says"] in problem.message, str(problem)
    assert problem.line == case.get("line", 6)
    assert problem.key == f"prompts[0].{case['key']}"
    assert case["remedy"] in problem.hint
    assert problem.hint or "must be a map" in problem.message
    assert len(found) == 1 + case.get("also", 0), "\n".join(map(str, found))


def test_there_are_a_hundred_on_every_model() -> None:
    """None twice, and no model without."""
    assert len(CASES) >= 100
    assert len({str(case) for case in CASES}) == len(CASES)
    assert {endpoint.model for case in CASES if (endpoint := find(case["model"]))} == set(CATALOGUE)
