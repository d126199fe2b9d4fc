"""Every golden case of the policy, word for word, and that the cases leave no rule out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.documents import parse
from flows.retention.decide import Why, decide
from flows.retention.policy import KEEPING, Policy, load_policy
from flows.retention.reasons import says

FILE = Path(__file__).with_name("golden.yaml")
CASES: list[dict[str, Any]] = parse(FILE.read_bytes(), FILE.name).data


def policy_of(case: dict[str, Any]) -> Policy:
    classes = {name: {"allow_empty": True, **one} for name, one in case["classes"].items()}
    file = {"version": 1, "enabled": True, "grace": case.get("grace", "7d"), "classes": classes}
    return load_policy(json.dumps(file), "golden.yaml")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_the_decision_is_as_written(case: dict[str, Any], pictures: Any, now: Any) -> None:
    """The action and all its reasons, for every picture of the case."""
    images = pictures(case["images"])
    decisions = decide(images, policy_of(case), now, case.get("zone", "UTC"))
    names = images["image_id"].to_pylist()
    assert {name: says(decisions, row) for row, name in enumerate(names)} == case["then"]


def test_there_are_enough_cases_and_no_two_of_one_name() -> None:
    """A reviewer can point at one."""
    assert len({case["name"] for case in CASES}) == len(CASES) >= 40


def test_every_rule_and_every_reason_occurs(pictures: Any, now: Any) -> None:
    """A rule that no case mentions could mean anything."""
    used = {rule for case in CASES for one in case["classes"].values() for rule in one}
    assert used >= set(KEEPING)
    seen = 0
    for case in CASES:
        decisions = decide(pictures(case["images"]), policy_of(case), now, case.get("zone", "UTC"))
        for flags in decisions.why:
            seen |= int(flags)
    assert [flag.name for flag in Why if not seen & flag] == []
