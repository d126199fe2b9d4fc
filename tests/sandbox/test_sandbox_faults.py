"""Fault plans: what they may say, and when a rule fires."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.sandbox.faults import KINDS, BadFaults, FaultPlan, FaultRule


def fired(rule: dict[str, Any], requests: int = 8) -> list[str | None]:
    [parsed] = FaultPlan.of([rule]).rules
    return [parsed.decide(n) for n in range(requests)]


def test_how_often_a_rule_fires() -> None:
    """Always, the first so many, every so-many-th, after some, or by script."""
    assert fired({"fault": "429"}, 2) == ["429", "429"]
    assert fired({"fault": "429", "count": 1}, 3) == ["429", None, None]
    assert fired({"fault": "429", "every": 2}, 4) == [None, "429", None, "429"]
    assert fired({"fault": "429", "skip": 2, "count": 1}, 4) == [None, None, "429", None]
    assert fired({"script": ["429", None, "500_after"]}, 4) == ["429", None, "500_after", None]


@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
def test_probability_is_decided_by_the_seed(seed: int, probability: float) -> None:
    """The same seed gives the same faults, about as many as asked for."""
    rule = {"fault": "500_before", "probability": probability, "seed": seed}
    first = fired(rule, 400)
    assert first == fired(rule, 400)
    share = sum(name is not None for name in first) / 400
    assert abs(share - probability) < 0.15


def test_a_rule_matches_its_kind_and_path_only() -> None:
    """Kind and path narrow a rule; without a kind the fault's own kinds count."""
    rule = FaultRule("lost_ack", kind="post", path="/v2/")
    assert rule.matches("post", "/v2/image/generate/ideogram-3")
    assert not rule.matches("post", "/generate")
    assert not rule.matches("poll", "/v2/generations/x")
    assert FaultRule("truncated").matches("download", "/api/images/ephemeral/x.png")
    assert not FaultRule("truncated").matches("post", "/generate")


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_survives_its_json(kind: str) -> None:
    """Writing a plan and reading it back changes nothing."""
    data = [{"match": {"kind": kind}, "fault": name, "count": 2, "delay_s": 0.1} for name in KINDS[kind]]
    plan = FaultPlan.of(data)
    assert FaultPlan.of(plan.to_json()) == plan
    assert FaultPlan.of({"rules": plan.to_json()}) == plan


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "429",
        {"rule": []},
        [1],
        [{}],
        [{"fault": "429", "script": ["429"]}],
        [{"fault": "earthquake"}],
        [{"fault": "truncated", "match": {"kind": "post"}}],
        [{"fault": "429", "match": {"kind": "put"}}],
        [{"fault": "429", "match": {"where": "/"}}],
        [{"fault": "429", "match": "post"}],
        [{"fault": "429", "often": True}],
        [{"fault": "429", "count": -1}],
        [{"fault": "429", "count": "1"}],
        [{"fault": "429", "every": 0}],
        [{"fault": "429", "probability": 1.5}],
        [{"fault": ["429"]}],
        [{"script": "429"}],
        [{"script": [1]}],
    ],
)
def test_an_odd_plan_is_refused(bad: Any) -> None:
    """A plan that does not say what it means is an error with words, never a silent nothing."""
    with pytest.raises(BadFaults, match=r"\w+"):
        FaultPlan.of(bad)
