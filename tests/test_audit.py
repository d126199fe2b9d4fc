"""The audit flow in Prefect's own engine: what it shows, announces and ends in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped] # as Prefect's runner uses it
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.flows import load_flow_from_entrypoint
from prefect.testing.utilities import prefect_test_harness
from prefect.utilities.callables import parameter_schema

from flows.audit import audit, run_flow
from flows.cli import main
from flows.pipeline.kit import Stop

# Slow: the engine's server takes longer to come up than all else; tests/test_generate.py keeps one in the quick suite.
pytestmark = [pytest.mark.prefect, pytest.mark.slow]

MANIFEST = """\
version: 1
brand: helio
defaults: {campaign: test, model: ideogram-3}
prompts: [{id: lemon, prompt: A lemon on a plate, count: 2}]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """Prefect's server with a database of its own."""
    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two pictures of a brand that has no file."""
    for name, value in {
        "SANDBOX__PICTURES": "plain",
        "SANDBOX__LATENCY_S": "0",
        "API__POLL_INTERVAL_S": "0.02",
    }.items():
        monkeypatch.setenv(f"IDEOFLOW_{name}", value)
    root = tmp_path / "project"
    (root / "configs").mkdir(parents=True)
    (root / "prompts.yaml").write_text(MANIFEST, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["generate", "--yes", "--no-prefect", "--project", str(root)])
    assert ended.value.code == 0
    return root


def run(project: Path) -> State[Any]:
    call: Any = audit
    state: State[Any] = asyncio.run(call(project=str(project), return_state=True))
    return state


def shown(state: State[Any]) -> dict[str, Any]:
    """The artifacts of a run by key."""
    mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id]))
    with get_client(sync_client=True) as client:
        return {artifact.key or "": artifact.data for artifact in client.read_artifacts(artifact_filter=mine)}


async def _result(state: State[Any]) -> dict[str, Any]:
    found: dict[str, Any] = await state.aresult()
    return found


def test_an_audit_below_the_gate_completes_with_its_pages(server: None, project: Path) -> None:
    """Summary, link and findings are artifacts; the result has the counts."""
    state = run(project)
    assert state.is_completed(), state.message
    record = asyncio.run(_result(state))
    assert record["findings"]["warning"] >= 1
    assert record["score"] is not None
    pages = shown(state)
    assert {"audit-report", "audit-link", "audit-findings"} <= pages.keys()
    assert Path(record["report"]).as_uri() in pages["audit-link"]
    assert "in order" in pages["audit-report"]
    codes = [row["Rule"] for row in json.loads(pages["audit-findings"])]
    assert "metadata.unknown_brand" in codes


def test_past_the_gate_the_run_fails(server: None, project: Path) -> None:
    """With the headline and what to do next; whoever ran it here gets the audit itself."""
    (project / "configs" / "audit.yaml").write_text("fail_on: note\n", encoding="utf-8")
    state = run(project)
    assert state.is_failed()
    assert state.message is not None
    assert state.message.startswith("audit: done, with findings over the gate, ")
    assert "Next: look at the page" in state.message
    done, where = run_flow(str(project), [], lambda _: None, Stop())
    assert done.exit_code == 3
    assert Path(where).is_file()


def test_the_form_is_flat_and_a_runner_can_take_the_flow_elsewhere() -> None:
    """Every parameter has a plain type, a default and a description."""
    loaded: Any = load_flow_from_entrypoint("flows.audit.audit")
    schema = parameter_schema(loaded).model_dump()
    assert {name: one["type"] for name, one in schema["properties"].items()} == {"config": "array", "project": "string"}
    assert all(one["description"] and "default" in one for one in schema["properties"].values())
    assert cloudpickle.loads(cloudpickle.dumps(audit)).validate_parameters({"project": "x"})["project"] == "x"
