"""The retain flow in Prefect's own engine: shown by default, done when asked, refused in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.flows import load_flow_from_entrypoint
from prefect.testing.utilities import prefect_test_harness
from prefect.utilities.callables import parameter_schema

from flows.history.standing import current
from flows.retain import retain
from flows.workspace import open_workspace

# Slow: the engine's server takes longer to come up than all else; tests/test_generate.py keeps one in the quick suite.
pytestmark = [pytest.mark.prefect, pytest.mark.slow]

POLICY = "version: 1\nenabled: %s\nclasses: {classic: {match: all, keep_within: 30d, allow_empty: true}}\n"


@pytest.fixture(scope="module")
def api() -> Iterator[SyncPrefectClient]:
    """An ephemeral Prefect server."""
    with prefect_test_harness(server_startup_timeout=120), get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def project(tmp_path: Path, stock: Any) -> Path:
    """Three pictures: one stays, one is old, one has been in the trash for nine days."""
    root = tmp_path / "project"
    (root / "configs").mkdir(parents=True)
    (root / "prompts.yaml").write_text(
        "version: 1\nprompts: [{id: other, prompt: A beach, model: ideogram-3}]\n", encoding="utf-8"
    )
    (root / "configs/retention.yaml").write_text(POLICY % "true", encoding="utf-8")
    stock(open_workspace(root, (), {}), [{"age": 1}, {"age": 40}, {"age": 50, "trashed": 9}])
    return root


def run(project: Path, **asked: Any) -> State[Any]:
    """The flow run's final state."""
    call: Any = retain
    state: State[Any] = asyncio.run(call(project=str(project), **asked, return_state=True))
    return state


def states(project: Path) -> list[str]:
    rows = current(open_workspace(project, (), {}).parts, ["image_id", "state"]).to_pylist()
    return [row["state"] for row in sorted(rows, key=lambda row: str(row["image_id"]))]


async def _result(state: State[Any]) -> dict[str, Any]:
    found: dict[str, Any] = await state.aresult()
    return found


def test_shown_by_default_and_done_when_asked(api: SyncPrefectClient, project: Path) -> None:
    """Counts in the state, the result and the artifact; the dry run changes nothing."""
    dry = run(project)
    assert dry.is_completed()
    assert dry.message == "nothing changed; would be: 1 purged, 1 trashed, 1 kept"
    assert states(project) == ["trashed", "kept", "kept"]
    state = run(project, dry_run=False, max_fraction=1)
    assert (state.is_completed(), state.message) == (True, "1 purged, 1 trashed, 1 kept")
    record = asyncio.run(_result(state))
    assert (record["kept"], record["trashed"], record["purged"]) == (1, 1, 1)
    assert Path(record["report"]).exists()
    assert states(project) == ["purged", "trashed", "kept"]
    assert state.state_details.flow_run_id is not None
    mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id]))
    artifacts = {artifact.key: artifact.data for artifact in api.read_artifacts(artifact_filter=mine)}
    assert artifacts.keys() == {"retain-report", "retain-decisions"}
    assert "younger than 30 days" in str(artifacts["retain-report"])
    assert api.read_flow_run(state.state_details.flow_run_id).name == "apply"


def test_a_refusal_fails_the_run_and_says_what_to_pass(api: SyncPrefectClient, project: Path) -> None:
    """Whoever watches states is told."""
    state = run(project, dry_run=False)
    assert state.is_failed()
    assert "pass --max-fraction 0.5" in str(state.message)
    assert states(project) == ["trashed", "kept", "kept"]


def test_while_the_policy_is_off_a_schedule_does_nothing(api: SyncPrefectClient, project: Path) -> None:
    """And is no failure every night."""
    (project / "configs/retention.yaml").write_text(POLICY % "false", encoding="utf-8")
    assert run(project, dry_run=False).is_completed()
    assert states(project) == ["trashed", "kept", "kept"]


def test_the_form_defaults_to_a_dry_run() -> None:
    """By the dotted name that deployments use, every parameter is told."""
    flow: Any = load_flow_from_entrypoint("flows.retain.retain")
    fields = parameter_schema(flow).model_dump()["properties"]
    assert fields["dry_run"]["default"] is True
    assert all(field.get("description") for field in fields.values()), fields
