"""The flows as deployments: the file for a work pool says what the settings say, and Prefect takes all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect.cli.deploy._models import PrefectYamlModel
from prefect.client.schemas.schedules import CronSchedule
from prefect.flows import load_flow_from_entrypoint
from pydantic_core import PydanticCustomError

from flows.documents import parse
from flows.orchestrator.deployments import DEPLOYMENTS, POOL, deployments, prefect_yaml, schedule_of
from flows.settings import Schedules, load_settings, rules

ROOT = Path(__file__).resolve().parent.parent


def entries() -> list[dict[str, Any]]:
    """What `configs/prefect.yaml` says."""
    found: list[dict[str, Any]] = parse((ROOT / "configs/prefect.yaml").read_bytes(), "prefect.yaml").data[
        "deployments"
    ]
    return found


def test_the_file_is_not_stale() -> None:
    """`make generated` writes it."""
    assert (ROOT / "configs/prefect.yaml").read_text(encoding="utf-8") == prefect_yaml()


def test_schedules_are_the_settings_defaults() -> None:
    """Which are those of configs/base.yaml, too; nobody runs without a time zone."""
    shipped = load_settings(ROOT, (), {}, ROOT).settings.schedules
    assert shipped == Schedules()
    found, _ = deployments()
    for deployment, entry in zip(found, entries(), strict=True):
        schedule = schedule_of(shipped, deployment)
        assert schedule is not None
        assert entry["schedules"] == [{"cron": schedule.cron, "timezone": schedule.timezone}]


def test_prefect_reads_all_of_the_file() -> None:
    """Dotted entrypoints, one run at a time, nothing to pull, parameters that the flows take as they are."""
    model = PrefectYamlModel.model_validate(parse((ROOT / "configs/prefect.yaml").read_bytes(), "prefect.yaml").data)
    assert model.pull == []
    assert len(model.deployments) == len(deployments()[0]) >= 2
    for entry in model.deployments:
        assert entry.entrypoint is not None
        assert entry.work_pool is not None
        assert entry.work_pool.name == POOL
        assert len(entry.description or "") > 40
        limit: Any = entry.concurrency_limit
        assert (limit.limit, limit.collision_strategy) == (1, "CANCEL_NEW")
        flow: Any = load_flow_from_entrypoint(entry.entrypoint)
        assert flow.validate_parameters(entry.parameters)


def test_a_flow_that_is_not_there_is_left_out() -> None:
    """It is told of, so that a command can say so; every flow has a setting."""
    found, missing = deployments(lambda deployment: deployment.flow != "audit")
    assert [one.flow for one in found] == ["generate", "retain", "maintain"]
    assert [one.flow for one in missing] == ["audit"]
    assert set(Schedules.model_fields) == {one.flow for one in DEPLOYMENTS}


def test_retention_acts_only_where_it_is_scheduled() -> None:
    """Started by hand a run shows what would go; the deployment says that it is meant."""
    (retain,) = (one for one in DEPLOYMENTS if one.flow == "retain")
    assert retain.parameters == {"dry_run": False}


NUMBERS = st.integers(0, 70).map(str)
FIELD = st.one_of(
    st.just("*"),
    NUMBERS,
    st.sampled_from(["L", "LW", "MON", "sun", "jan", "DEC", "?", "H", "R", "1L", "5L", "@daily", "-1", "1.5", "1#1"]),
    st.tuples(NUMBERS, NUMBERS).map("-".join),
    st.tuples(NUMBERS, NUMBERS).map(",".join),
    st.tuples(st.sampled_from(["*", "0", "5-20"]), NUMBERS).map("/".join),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(FIELD, min_size=3, max_size=7).map(" ".join))
def test_what_the_settings_take_prefect_takes(text: str) -> None:
    """A cron that passes here is never refused by the server at three in the morning."""
    try:
        taken = rules.cron(text)
    except PydanticCustomError:
        return
    CronSchedule(cron=taken, timezone="UTC")


@pytest.mark.parametrize("text", ["0 6 * * 1-5", "*/5 * * * *", "0 0 1 jan *", "15 3 * * sun", "0 3 L * *"])
def test_usual_crons_are_taken(text: str) -> None:
    """So that the property above is about something."""
    assert rules.cron(f" {text} ") == text
