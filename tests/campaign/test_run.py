"""A run from manifest to report, in the order of its steps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.campaign.run import generate
from flows.campaign.steps import Ask
from flows.errors import Refused
from flows.pipeline.kit import Progress, Stop
from flows.report import Outcome, RunReport
from flows.sandbox.config import SandboxConfig
from flows.sandbox.server import embedded
from flows.sandbox.state import read_ledger
from flows.stepping import plainly
from flows.workspace import Workspace, open_workspace

MANIFEST = """\
version: 1
defaults: {model: ideogram-3}
prompts:
  - {id: sea, prompt: "a calm sea", count: 2}
  - {id: hill, prompt: "a green hill", tags: [land]}
"""


def run(ws: Workspace, ask: Ask, **how: Any) -> tuple[RunReport, str]:
    """A run, to its end."""
    return asyncio.run(generate(ws, ask, **how))


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A project on the sandbox at full speed that wants three images."""
    (tmp_path / "prompts.yaml").write_text(MANIFEST, encoding="utf-8")
    quick = {
        "IDEOFLOW_SANDBOX__LATENCY_S": "0",
        "IDEOFLOW_SANDBOX__PICTURES": "plain",
        "IDEOFLOW_API__POLL_INTERVAL_S": "0.02",
    }
    return open_workspace(tmp_path, (), quick)


def test_steps_come_in_their_order(ws: Workspace) -> None:
    """Whoever runs the steps sees each once, by a name for people; the report is where it is said to be."""
    seen = []

    async def step(name: str, function: Callable[..., Any], *args: Any) -> Any:
        seen.append(name)
        return await plainly(name, function, *args)

    told: list[Progress] = []
    report, where = run(ws, Ask(), step=step, tell=told.append)
    assert seen == ["read and plan", "buy, fetch and record", "measure the pictures", "write the report"]
    assert report.exit_code == 0
    assert report.images(Outcome.BOUGHT) == 3
    assert json.loads(Path(where).with_suffix(".json").read_text(encoding="utf-8"))["run_id"] == report.run_id
    assert sum(event.images for event in told if event.what == "stored") == 3
    assert next(event.images for event in told if event.what == "planned") == 3


def test_a_stop_that_was_given_is_heard(ws: Workspace) -> None:
    """A stop asked for before the first claim buys nothing: the one that was handed in counts."""
    stop = Stop()

    def tell(event: Progress) -> None:
        if event.what == "planned":
            stop.ask("stopped by a test", "go on")

    report, _ = run(ws, Ask(), tell=tell, stop=stop)
    assert (report.exit_code, report.next_step) == (4, "go on")
    assert report.images(Outcome.LEFT_OUT) == 3
    assert report.images(Outcome.BOUGHT) == 0


def test_only_what_was_asked_for_is_bought(ws: Workspace) -> None:
    """Ask narrows by name and by number; the next run finds it there and buys the rest."""
    report, _ = run(ws, Ask(select=("tag:land",)))
    assert [(item.variant, item.outcome) for item in report.items] == [("hill", Outcome.BOUGHT)]
    report, _ = run(ws, Ask(limit=1))
    assert report.images(Outcome.BOUGHT) == 1
    assert report.exit_code == 0
    report, _ = run(ws, Ask())
    assert {outcome: report.images(outcome) for outcome in (Outcome.BOUGHT, Outcome.HAD)} == {
        Outcome.BOUGHT: 1,
        Outcome.HAD: 2,
    }
    with pytest.raises(Refused, match="nothing in the manifest"):
        run(ws, Ask(select=("nowhere",)))


def test_pictures_are_measured_once(ws: Workspace) -> None:
    """Every stored picture has its features; a second run adds none."""
    run(ws, Ask())
    features = ws.parts.read(ws.parts.listing("features"), "features")
    assert features.num_rows == 3
    assert all(features.column("phash").to_pylist())
    run(ws, Ask())
    assert ws.parts.read(ws.parts.listing("features"), "features").num_rows == 3


def test_a_stop_after_the_last_picture_is_no_failure(ws: Workspace) -> None:
    """Everything was kept when the signal came: nothing wanted is undone, so the exit code is 0."""
    stop = Stop()

    async def step(name: str, function: Callable[..., Any], *args: Any) -> Any:
        result = await plainly(name, function, *args)
        if name == "buy, fetch and record":
            stop.ask("stopped by SIGINT", "run again")
        return result

    report, _ = run(ws, Ask(), step=step, stop=stop)
    assert report.exit_code == 0
    assert report.images(Outcome.BOUGHT) == 3
    assert ws.parts.read(ws.parts.listing("features"), "features").num_rows == 3


def test_a_report_that_cannot_be_written_hides_nothing(ws: Workspace) -> None:
    """The summary is there, says what is missing, and the run is judged by its pictures."""
    Path(ws.reports.url).parent.mkdir(parents=True, exist_ok=True)
    Path(ws.reports.url).write_bytes(b"a file where the folder should be")
    report, where = run(ws, Ask())
    assert (report.exit_code, where) == (0, "")
    assert report.images(Outcome.BOUGHT) == 3
    [trouble] = report.problems
    assert trouble.happened.startswith("the report could not be written")
    assert "storage.reports" in trouble.remedy


def test_pictures_that_cannot_be_measured_are_told_of(ws: Workspace) -> None:
    """What was bought is on record, so the run reports it: unfinished, with what went wrong."""
    (Path(ws.history.url)).mkdir(parents=True)
    (Path(ws.history.url) / "features").write_bytes(b"a file where the folder should be")
    report, where = run(ws, Ask())
    assert report.exit_code == 4
    assert where
    assert report.images(Outcome.BOUGHT) == 3
    assert any(one.happened.startswith("the pictures could not be measured") for one in report.problems)


def test_a_history_that_is_not_mounted_is_not_an_empty_one(tmp_path: Path) -> None:
    """Pictures that were paid for lie there, so nothing is bought: the history is missing, not the pictures."""
    (tmp_path / "prompts.yaml").write_text(MANIFEST, encoding="utf-8")
    with embedded(SandboxConfig(state_dir=tmp_path / "sandbox", latency_s=(0, 0), pictures="plain")) as base_url:
        environ = {
            "IDEOFLOW_API__BASE_URL": base_url,
            "IDEOFLOW_API__POLL_INTERVAL_S": "0.02",
            "IDEOGRAM_API_KEY": "sandbox",
        }
        ws = open_workspace(tmp_path, (), environ)
        report, _ = run(ws, Ask())
        assert report.exit_code == 0
        billed = [one for one in read_ledger(tmp_path / "sandbox")["requests"] if one["billed"]]
        Path(ws.history.url).rename(tmp_path / "elsewhere")
        with pytest.raises(Refused, match=r"paid for\s+already .* Is its disk mounted"):
            run(ws, Ask())
        assert [one for one in read_ledger(tmp_path / "sandbox")["requests"] if one["billed"]] == billed
        (tmp_path / "prompts.yaml").write_text(MANIFEST.replace("calm", "rough"), encoding="utf-8")
        report, _ = run(ws, Ask(select=("sea",)))
        assert report.images(Outcome.BOUGHT) == 2, "other pictures are nobody's business"
