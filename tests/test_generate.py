"""The generate flow in Prefect's own engine, on the sandbox: what it makes, shows, ends in, and keeps to itself."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import cloudpickle  # type: ignore[import-untyped] # as Prefect's runner uses it
import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import PREFECT_SERVER_DATABASE_CONNECTION_URL
from prefect.testing.utilities import prefect_test_harness
from prefect.utilities.callables import parameter_schema

from flows.campaign.steps import Ask
from flows.errors import InvalidInput
from flows.generate import generate, run_flow
from flows.pipeline.kit import Progress, Stop
from flows.report import RunReport
from flows.report.campaign import ending
from flows.runtime import NOTHING_KEPT, conduct
from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import running
from flows.workspace import Workspace, open_workspace

pytestmark = pytest.mark.prefect

KEY = "not-a-real-key-but-easy-to-find"
FINE = "  - {id: lemon, prompt: A lemon on a plate, count: 2}\n  - {id: lime, prompt: A lime}\n"
MANIFEST = "version: 1\nbrand: helio\ndefaults: {campaign: test, model: ideogram-3}\nprompts:\n"


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """Prefect's server with a database of its own, once per worker: the database's folder."""
    with prefect_test_harness(server_startup_timeout=180):
        yield Path(PREFECT_SERVER_DATABASE_CONNECTION_URL.value().partition("///")[2]).parent


@pytest.fixture
def api(server: Path) -> Iterator[SyncPrefectClient]:
    """What Prefect knows of us."""
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three images, on a sandbox that is quick."""
    monkeypatch.setenv("IDEOFLOW_SANDBOX__PICTURES", "plain")
    monkeypatch.setenv("IDEOFLOW_SANDBOX__LATENCY_S", "0.02")
    monkeypatch.setenv("IDEOFLOW_API__POLL_INTERVAL_S", "0.05")
    root = tmp_path / "project"
    root.mkdir()
    (root / "prompts.yaml").write_text(MANIFEST + FINE, encoding="utf-8")
    return root


def run(project: Path, **asked: Any) -> State[Any]:
    """The flow run's final state."""
    call: Any = generate
    state: State[Any] = asyncio.run(call(project=str(project), **asked, return_state=True))
    return state


def images(project: Path) -> int:
    """How many images the history has."""
    ws = open_workspace(project)
    return int(ws.parts.read(ws.parts.listing("images"), "images", ["image_id"]).num_rows)


def flow_run_id(state: State[Any]) -> UUID:
    assert state.state_details.flow_run_id is not None
    return state.state_details.flow_run_id


def shown(api: SyncPrefectClient, state: State[Any]) -> dict[str, Any]:
    """The artifacts of a run by key."""
    mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run_id(state)]))
    return {artifact.key or "": artifact.data for artifact in api.read_artifacts(artifact_filter=mine)}


def logged(api: SyncPrefectClient, state: State[Any]) -> list[str]:
    """The log of a run, which arrives in batches, a little after it."""
    mine = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[flow_run_id(state)]))
    deadline = time.monotonic() + 30
    while True:
        entries = api.read_logs(log_filter=mine)
        # The tasks of a run end with the same words.
        ended = any(one.name == "prefect.flow_runs" and one.message.startswith("Finished in") for one in entries)
        if ended or time.monotonic() > deadline:
            return [entry.message for entry in entries]


def test_a_run_buys_shows_and_completes_and_the_next_buys_nothing(api: SyncPrefectClient, project: Path) -> None:
    """State, result, name, artifacts and log tell what happened; running again changes nothing."""
    state = run(project)
    assert state.is_completed()
    assert state.message == "3 images bought, $0.18"
    record = asyncio.run(_result(state))
    assert record["images"] == {"bought": 3}
    assert Path(record["report"]).read_text(encoding="utf-8").startswith("# generate: done, 3 images bought")
    artifacts = shown(api, state)
    assert artifacts.keys() == {"generate-report", "generate-spend", "generate-progress"}
    assert "3 images bought" in artifacts["generate-report"]
    assert [row["Cost"] for row in json.loads(artifacts["generate-spend"])] == ["$0.12", "$0.06"]
    assert artifacts["generate-progress"] == 100
    assert api.read_flow_run(flow_run_id(state)).name == "everything"
    log = logged(api, state)
    assert "3 images to get" in log
    assert any(line.startswith("generate: done, 3 images bought, $0.18 spent") for line in log)

    again = run(project, select=["lemon"], limit=7)
    assert again.is_completed()
    assert again.message == "nothing to buy, 2 images there already"
    assert shown(api, again).keys() == {"generate-report"}
    assert api.read_flow_run(flow_run_id(again)).name == "lemon, at most 7"
    assert images(project) == 3


async def _result(state: State[Any]) -> dict[str, Any]:
    found: dict[str, Any] = await state.aresult()
    return found


def test_an_unfinished_run_is_failed_with_all_its_pages(api: SyncPrefectClient, project: Path) -> None:
    """What was bought is kept, the state says what next, and a page names each problem."""
    refused = "  - {id: rude, prompt: Something unsafe-prompt}\n"
    (project / "prompts.yaml").write_text(MANIFEST + FINE + refused, encoding="utf-8")
    state = run(project)
    assert state.is_failed()
    assert state.message is not None
    assert state.message.startswith("generate: unfinished, 3 images bought, $0.18 spent")
    assert "Next: " in state.message
    artifacts = shown(api, state)
    assert "generate-report" in artifacts
    assert [row["To what"] for row in json.loads(artifacts["generate-problems"])] == ["rude"]
    assert images(project) == 3


def test_a_users_mistake_is_a_sentence(api: SyncPrefectClient, project: Path) -> None:
    """In the state and in the log, without a traceback; nothing is bought."""
    (project / "prompts.yaml").write_text("version: 1\nprompts:\n  - {id: a, promt: x, model: V_2}\n", encoding="utf-8")
    state = run(project)
    assert state.is_failed()
    assert state.message is not None
    assert state.message.startswith("prompts.yaml:3:")
    assert "promt" in state.message
    log = "\n".join(logged(api, state))
    assert "promt" in log
    assert "Traceback" not in log
    assert "NoneType" not in log


def test_whoever_runs_the_flow_here_gets_the_report_itself(server: Path, project: Path) -> None:
    """The command line is told of progress, can stop the run, and meets errors as they are."""
    told: list[Progress] = []
    report, where = run_flow(Ask(limit=1), str(project), [], told.append, Stop())
    assert report.exit_code == 0
    assert Path(where).exists()
    assert {"planned", "stored", "measured"} <= {event.what for event in told}

    stop = Stop()
    stop.ask("enough", "come again")
    report, _ = run_flow(Ask(), str(project), [], told.append, stop)
    assert report.exit_code == 4
    assert images(project) == 1

    (project / "prompts.yaml").write_text("version: 3\n", encoding="utf-8")
    with pytest.raises(InvalidInput):
        run_flow(Ask(), str(project), [], told.append, Stop())


@flow(name="leaky", **NOTHING_KEPT)
async def leaky(project: str) -> State[Any]:
    """A flow with a bug that has the key in its hands."""

    async def work(ws: Workspace, *, step: Any, tell: Any, stop: Stop) -> tuple[RunReport, str]:
        key = ws.settings.key().get_secret_value()
        logging.getLogger("flows.leaky").warning("the key is %s, the link https://x.org/a.png?sig=%s", key, "5ecret")

        def bug(_: Workspace, __: Any) -> None:
            raise ValueError(key)

        result: tuple[RunReport, str] = await step("a step with a bug", bug, ws, stop)
        return result

    return await conduct("leaky", project, [], work, ending)


def test_prefect_never_sees_the_key(
    server: Path, api: SyncPrefectClient, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Neither its database nor the terminal, in a run with a real address as well as in one with a bug."""
    sandbox = SandboxConfig(tmp_path / "sandbox", api_key=KEY, latency_s=(0.02, 0.04), pictures="plain")
    monkeypatch.setenv("IDEOGRAM_API_KEY", KEY)
    with running(sandbox) as real:
        monkeypatch.setenv("IDEOFLOW_API__BASE_URL", real.base_url)
        state = run(project)
        assert state.message == "3 images bought, $0.18"
        call: Any = leaky
        broken: State[Any] = asyncio.run(call(str(project), return_state=True))
    assert broken.is_failed()
    assert broken.message == "a bug, please report it: ValueError('***')"
    log = "\n".join([*logged(api, state), *logged(api, broken)])
    assert "the key is ***, the link https://x.org/a.png?sig=***" in log
    assert "ValueError: ***" in log
    written = b"".join(path.read_bytes() for path in server.iterdir() if path.is_file())
    assert b"a step with a bug" in written or b"a bug, please report it" in written
    printed = capfd.readouterr()
    for secret in (KEY, "5ecret"):
        assert secret.encode() not in written
        assert secret not in printed.out + printed.err + log


def test_the_form_is_flat_and_explains_itself() -> None:
    """Every parameter is a text, a number or a list of texts, with a default and a description: no unions."""
    loaded: Any = load_flow_from_entrypoint("flows.generate.generate")
    schema = parameter_schema(loaded).model_dump()
    assert {name: field["type"] for name, field in schema["properties"].items()} == {
        "manifest": "array",
        "select": "array",
        "limit": "integer",
        "retry": "array",
        "config": "array",
        "project": "string",
    }
    assert not schema.get("required")
    assert "anyOf" not in json.dumps(schema)
    assert all(field["description"] and "default" in field for field in schema["properties"].values())
    assert loaded.description is not None
    assert loaded.description.startswith("Buy the images")


def test_a_runner_can_take_the_flow_elsewhere() -> None:
    """Served flows are sent to a process of their own, and must still know their parameters there."""
    carried = cloudpickle.loads(cloudpickle.dumps(generate))
    assert carried.validate_parameters({"limit": 3})["limit"] == 3
    with pytest.raises(Exception, match="greater than or equal to 0"):
        carried.validate_parameters({"limit": -1})


def test_prefect_repeats_nothing() -> None:
    """What was paid for is never tried again by whoever does not know what was paid for."""
    assert generate.retries == 0
    assert generate.persist_result is False
