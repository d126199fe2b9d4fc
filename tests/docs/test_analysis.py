"""The notebook of docs/: every cell runs, its answers are right, and what is stored in the file is what they print.

``WRITE_DOCS=1 pytest -m slow tests/docs/test_analysis.py`` stores the outputs anew.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.sandbox.state import read_ledger
from flows.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "analysis.ipynb"
# What the test wants to know of a run, as one line of JSON after all cells.
PROBE = """
import json
frames = {"spend": spend, "weeks": weeks.set_index(["week", "campaign"]), "per_kept": per_kept, "by_week": by_week,
          "errors": errors, "slow": slow.set_index(["week", "model"])}
print(json.dumps({name: json.loads(frame.to_json(orient="split")) for name, frame in frames.items()}))
"""
nbformat: Any = pytest.importorskip("nbformat")  # it has types for half of itself
nbclient: Any = pytest.importorskip("nbclient")
Frames = dict[str, Any]
Run = Callable[[Path], tuple[Any, Frames]]


def stored() -> Any:
    """The notebook as it is committed."""
    return nbformat.read(NOTEBOOK, as_version=4)


def code_of(notebook: Any) -> list[Any]:
    """Its cells of code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def digest(notebook: Any) -> str:
    """What the stored outputs belong to."""
    return hashlib.sha256("\x00".join(cell.source for cell in code_of(notebook)).encode()).hexdigest()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Execute a copy in a project's folder: the notebook with its outputs, and its frames by name."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # A kernel of this interpreter, whatever kernels the machine knows.
    kernel = tmp_path / "JUPYTER_DATA_DIR" / "kernels" / "python3"
    shutil.copytree(Path(os.path.realpath(nbkernel())), kernel)

    def execute(project: Path) -> tuple[Any, Frames]:
        notebook = copy.deepcopy(stored())
        notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
        nbclient.NotebookClient(
            notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(project)}}
        ).execute()
        probe = notebook.cells.pop()
        frames = json.loads(probe.outputs[0].text)
        return notebook, {
            name: pd.DataFrame(one["data"], index=[_key(key) for key in one["index"]], columns=one["columns"])
            for name, one in frames.items()
        }

    return execute


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key


def nbkernel() -> Path:
    """The kernel's description that ipykernel brings."""
    return Path(sys.prefix) / "share" / "jupyter" / "kernels" / "python3"


def test_what_is_stored_is_of_this_code() -> None:
    """Whoever changes a cell stores its outputs anew."""
    said = stored().metadata.get("ideoflow", {}).get("code")
    assert said == digest(stored()), "docs/analysis.ipynb is stale: WRITE_DOCS=1 pytest -m slow tests/docs"


def test_it_reads_without_being_run() -> None:
    """Every cell of code has been run in order, says or shows something, and names nothing of a machine."""
    cells = code_of(stored())
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert cell.outputs, cell.source
        assert {output.output_type for output in cell.outputs} <= {"stream", "execute_result", "display_data"}
        assert all(output.get("name") != "stderr" for output in cell.outputs), cell.source
    pictures = [data for cell in cells for output in cell.outputs if (data := output.get("data", {}).get("image/png"))]
    assert len(pictures) == 2
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 300_000
    for picture in pictures:
        text = text.replace(json.dumps(picture)[1:-1], "")
    assert not re.search(r"/(home|root|tmp|work|Users|var|private)/|[A-Z]:\\\\", text)
    assert "ipykernel" not in text


@pytest.mark.slow
@pytest.mark.filterwarnings("default::DeprecationWarning", "default::FutureWarning")  # of the notebook's machinery
def test_it_answers_what_it_asks(bought_season: Workspace, run: Run) -> None:
    """On a season whose truth is known: by the sandbox's own ledger, and by what was planted."""
    notebook, frames = run(bought_season.settings.project)
    for cell in code_of(notebook):
        assert cell.outputs, cell.source
        assert all(output.get("name") != "stderr" for output in cell.outputs), cell.outputs
    billed: list[Any] = [entry for entry in read_ledger(bought_season.sandbox_state)["requests"] if entry["billed"]]
    _money(billed, frames)
    _colours(frames["by_week"])
    _words(frames["errors"])
    _times(billed, frames["slow"])
    if os.environ.get("WRITE_DOCS"):
        store(notebook)


def _campaign(prompt: str) -> str:
    signs = {"breakfast": "newsletter", "olive": "harvest", "badge": "harvest", "snow": "winter"}
    return next(name for sign, name in signs.items() if sign in prompt)


def _money(billed: list[Any], frames: Frames) -> None:
    paid: Counter[tuple[str, str]] = Counter()
    images: Counter[str] = Counter()
    for entry in billed:
        paid[_campaign(entry["prompt"]), entry["model"]] += entry["micros"]
        images[_campaign(entry["prompt"])] += entry["images"]
    spend = frames["spend"]
    for (campaign, model), micros in paid.items():
        assert spend.loc[campaign, model] == pytest.approx(micros / 1e6)
    assert spend.loc["all", "all"] == pytest.approx(sum(paid.values()) / 1e6)
    assert len(spend) == 4
    assert len(spend.columns) == 4
    per_kept = frames["per_kept"]
    assert per_kept.bought.to_dict() == dict(images)
    # Two posters of the harvest were turned down; one was bought anew.
    assert (per_kept.bought - per_kept.in_use).to_dict() == {"harvest": 2, "newsletter": 0, "winter": 0}
    spent = sum(micros for (campaign, _), micros in paid.items() if campaign == "harvest") / 1e6
    assert per_kept.loc["harvest", "each"] == pytest.approx(spent / (images["harvest"] - 2))
    weeks = frames["weeks"].usd
    by_campaign: defaultdict[str, float] = defaultdict(float)
    for (_, campaign), usd in weeks.items():
        by_campaign[campaign] += usd
    assert by_campaign == {name: pytest.approx(spend.loc[name, "all"]) for name in images}
    assert sorted({week for week, _ in weeks.index}) == [f"2026-W{number}" for number in range(42, 47)]


def _colours(by_week: Any) -> None:
    """Pictures that were asked for in the brand's colours are nearer to them."""
    newsletter = by_week.newsletter
    assert list(newsletter.index) == [f"2026-W{number}" for number in range(42, 47)]
    assert newsletter.iloc[2:].max() < newsletter.iloc[:2].min()
    assert 0 < newsletter.min() < newsletter.max() < 50


def _words(errors: Any) -> None:
    """The two winter posters whose lettering was typed by hand, and no other."""
    assert errors.wrong.to_dict() == {"harvest": 0, "winter": 2}
    assert errors.lettered.to_dict() == {"harvest": 3, "winter": 5}
    assert errors.rate["winter"] == pytest.approx(0.4)


def _times(billed: list[Any], slow: Any) -> None:
    assert slow.requests.sum() == len(billed)
    late = slow[slow.slow > 0]
    assert [week for week, _ in late.index] == ["2026-W45", "2026-W45"]
    assert (late.slow == late.requests).all()
    assert (late.median_s > 1).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("default::DeprecationWarning", "default::FutureWarning")
def test_it_runs_in_a_project_of_another_kind(tmp_path: Path, run: Run) -> None:
    """Where there is no brand, no audit and an older history, the tables say so and nothing raises."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "tests" / "history" / "released" / "0.1.0", project / "data" / "history")
    _, frames = run(project)
    assert frames["spend"].loc["all", "all"] > 0
    assert frames["errors"].wrong.sum() == 0


def store(notebook: Any) -> None:
    """Write the outputs into the file, without what differs between two runs of the same."""
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.metadata = {
        "ideoflow": {"code": digest(notebook)},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.validate(notebook)
    NOTEBOOK.write_text(nbformat.writes(notebook, indent=1) + "\n", encoding="utf-8")
