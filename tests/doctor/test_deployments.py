"""What is deployed beside what should be: above all, a schedule that nobody wants any more and that still fires."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flows.doctor.check import Verdict
from flows.doctor.deployments import Deployment, Schedule, Server, compare, server, wanted
from flows.documents import parse

FILE = """\
name: ideoflow
deployments:
  - name: ideoflow
    entrypoint: flows.generate.generate
    work_pool: {name: ideoflow}
    schedules:
      - {cron: "0 6 * * 1-5", timezone: Europe/Berlin}
  - {name: ideoflow, entrypoint: flows.audit.audit, work_pool: {name: ideoflow}, schedules: []}
"""
WEEKDAYS = Schedule("0 6 * * 1-5", "Europe/Berlin", id="1")
NIGHTLY = Schedule("0 3 * * *", "UTC", id="2")
GENERATE = Deployment("generate/ideoflow", "flows.generate.generate", (WEEKDAYS,), pool="ideoflow")
AUDIT = Deployment("audit/ideoflow", "flows.audit.audit", pool="ideoflow")
RETAIN = Deployment("retain/ideoflow", "flows.retain.retain", (NIGHTLY,), pool="ideoflow")
FOREIGN = Deployment("etl/nightly", "etl/flows.py:etl", (NIGHTLY,), pool="other")


def asked() -> tuple[Deployment, ...]:
    """The deployments of the file above."""
    return wanted(parse(FILE, "configs/prefect.yaml").data)


def test_the_file_is_read() -> None:
    """Flow and deployment, where from, and when."""
    assert asked() == (replace(GENERATE, schedules=(replace(WEEKDAYS, id=""),)), AUDIT)


@pytest.mark.parametrize("text", ["name: x", "deployments: {}", "deployments: [{name: x}]", "deployments: [3]"])
def test_a_file_of_another_form_is_said_to_be(text: str) -> None:
    """Instead of comparing with nothing."""
    with pytest.raises(ValueError, match=r"it has|is in it"):
        wanted(parse(text, "configs/prefect.yaml").data)


@pytest.mark.parametrize(
    ("found", "verdict", "words"),
    [
        ((GENERATE, AUDIT, FOREIGN), Verdict.OK, "what configs/prefect.yaml says"),
        ((GENERATE,), Verdict.ODD, "not on the server: audit/ideoflow"),
        ((GENERATE, replace(AUDIT, schedules=(NIGHTLY,))), Verdict.BAD, "audit/ideoflow still runs 0 3 * * *"),
        ((replace(GENERATE, schedules=(WEEKDAYS, NIGHTLY)), AUDIT), Verdict.BAD, "no longer in configs/prefect.yaml"),
        ((GENERATE, AUDIT, RETAIN), Verdict.BAD, "retain/ideoflow is not in configs/prefect.yaml, and still runs"),
        ((GENERATE, AUDIT, replace(RETAIN, paused=True)), Verdict.OK, "what configs/prefect.yaml says"),
        ((GENERATE, replace(AUDIT, schedules=(replace(NIGHTLY, active=False),))), Verdict.OK, "what configs"),
        ((replace(GENERATE, schedules=()), AUDIT), Verdict.ODD, "does not run 0 6 * * 1-5 (Europe/Berlin)"),
        ((replace(GENERATE, schedules=(replace(WEEKDAYS, active=False),)), AUDIT), Verdict.ODD, "does not run"),
        ((replace(GENERATE, paused=True), AUDIT), Verdict.ODD, "is paused"),
        ((GENERATE, replace(AUDIT, schedules=(NIGHTLY,), pool="")), Verdict.OK, "served by `ideoflow serve`"),
    ],
)
def test_a_difference_is_told(found: tuple[Deployment, ...], verdict: Verdict, words: str) -> None:
    """With what to do about it; what others have deployed on the same server is none of ours."""
    (check,) = compare(asked(), found)
    assert (check.verdict, words in check.said) == (verdict, True), check
    assert bool(check.remedy) is (verdict is not Verdict.OK)


def test_the_remedy_for_a_removed_schedule_names_it() -> None:
    """Deploying again does not remove it, so the command that does is given whole."""
    (check,) = compare(asked(), (GENERATE, replace(AUDIT, schedules=(NIGHTLY,))))
    assert "`prefect deployment schedule delete audit/ideoflow 2`" in check.remedy


def test_without_a_file_there_is_nothing_to_compare() -> None:
    """Said, with what of ours is on the server."""
    (check,) = compare(None, (GENERATE, FOREIGN))
    assert check.verdict is Verdict.SKIPPED
    assert "generate/ideoflow" in check.said
    assert "etl" not in check.said


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Server("http://p/api", "3.8.8", "3.8.9"), Verdict.OK),
        (Server("http://p/api", "3.9.1", "3.8.8"), Verdict.ODD),
        (Server("http://p/api", ours="3.8.8", trouble="connection refused"), Verdict.BAD),
    ],
)
def test_a_server_answers_or_not(found: Server, verdict: Verdict) -> None:
    """And speaks our version, or another."""
    assert server(found).verdict is verdict


LOOK = """\
import json, uuid
from prefect.testing.utilities import prefect_test_harness
with prefect_test_harness(server_startup_timeout=180):
    import asyncio
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule
    async def deploy():
        async with get_client() as client:
            flow = await client.create_flow_from_name("retain")
            schedule = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 3 * * *", timezone="UTC"))
            await client.create_deployment(flow, "ideoflow", entrypoint="flows.retain.retain", schedules=[schedule])
    asyncio.run(deploy())
    from flows.runtime.deployed import look
    found = look()
print(json.dumps([found.trouble, found.version == found.ours, [
    [one.name, one.entrypoint, one.paused, one.pool,
     [[s.when, s.timezone, s.active, bool(s.id)] for s in one.schedules]]
    for one in found.deployments]]))
"""


@pytest.mark.prefect
@pytest.mark.slow
def test_a_real_server_is_read() -> None:
    """A deployment made there is found with its schedule, ready to be compared."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = '["", true, [["retain/ideoflow", "flows.retain.retain", false, "", [["0 3 * * *", "UTC", true, true]]]]]'
    assert done.stdout.splitlines()[-1] == expected


@pytest.mark.prefect
@pytest.mark.slow
def test_a_server_that_is_away_is_told() -> None:
    """In a sentence, not a traceback."""
    program = "from flows.runtime.deployed import look; found = look(); print(found.url, '|', found.trouble)"
    root = Path(__file__).resolve().parents[2]
    env = {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_CLIENT_MAX_RETRIES": "0", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    url, _, trouble = done.stdout.strip().partition(" | ")
    assert (url, bool(trouble)) == ("http://127.0.0.1:9/api", True)
