"""data/README.md tells of every folder that the code makes there, and of none that it does not."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from flows.campaign.run import generate
from flows.campaign.steps import Ask
from flows.history.compact import PLANS
from flows.history.contract import HISTORY
from flows.history.lock import LOCKS
from flows.retention.sweep import NOTES
from flows.settings.model import Storage
from flows.storage.local import SCRATCH
from flows.workspace import Workspace, open_workspace

README = Path(__file__).resolve().parents[1] / "data" / "README.md"
MANIFEST = 'version: 1\nprompts:\n  - {id: sea, prompt: "a calm sea", model: ideogram-3}\n'


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A project with its data where it is by default, that wants one image."""
    (tmp_path / "prompts.yaml").write_text(MANIFEST, encoding="utf-8")
    quick = {"IDEOFLOW_SANDBOX__LATENCY_S": "0", "IDEOFLOW_SANDBOX__PICTURES": "plain"}
    return open_workspace(tmp_path, (), quick)


def told() -> set[str]:
    """The folders that the table of the page tells of, as they are below data/."""
    rows = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {found[1] for row in rows if (found := re.match(r"\| `([\w./-]+)/`", row))}


def made(ws: Workspace) -> set[str]:
    """The folders that the code knows how to make, by the names it has for them."""
    data = ws.settings.project / "data"
    settings = [Storage.model_fields[name].default for name in ("assets", "history", "reports")]
    history = Path(ws.history.url)
    hidden = {Path(ws.journal.storage.url), ws.sandbox_state, history / NOTES, history / PLANS, history / LOCKS}
    folders = hidden | {history / name for name in HISTORY} | {Path(ws.quotes.url)}
    return (
        {str(folder.relative_to(data)) for folder in folders}
        | {one.removeprefix("data/") for one in settings}
        | {SCRATCH}
    )


def test_the_page_tells_of_what_the_code_makes(ws: Workspace) -> None:
    """A new dataset, or a new hidden folder, has to be told of before a test passes."""
    assert told() == made(ws)


def test_a_run_makes_nothing_that_is_not_told_of(ws: Workspace) -> None:
    """What stands below data/ after a run is on the page: the pictures' own folders are the name template's."""
    report, _ = asyncio.run(generate(ws, Ask()))
    assert report.exit_code == 0
    data = ws.settings.project / "data"
    known = told()
    for folder in (*data.iterdir(), *(data / "history").iterdir()):
        assert str(folder.relative_to(data)) in known or folder.name in known, folder
    hidden = {folder.name for folder in data.rglob(".*")}
    assert hidden
    assert hidden <= {Path(one).name for one in known}
