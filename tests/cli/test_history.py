"""The history verb: searching, looking whether files are there, and writing rows that pandas reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

FIRST = ["image_id", "prompt", "model", "seed", "generated_at", "has_local_copy"]


@pytest.fixture(scope="session")
def bought_once(new_project: Any) -> Path:
    """A project whose four images have been bought."""
    project = new_project()
    said = project.spawn("generate", "--yes")
    assert said.code == 0, said
    return Path(project.root)


@pytest.fixture
def bought(project: Any, bought_once: Path) -> Any:
    """A copy of it."""
    shutil.copytree(bought_once, project.root, dirs_exist_ok=True)
    return project


def test_nothing_bought_is_said(ideoflow: Any) -> None:
    """An empty history is no error."""
    said = ideoflow("history")
    assert said.code == 0
    assert said.out == "nothing has been bought yet\nnext     `ideoflow plan`\n"


def test_words_are_searched_in_any_case(bought: Any, ideoflow: Any) -> None:
    """All words must be there, in whatever case, beyond ASCII too: ß is SS, ö is Ö."""
    for asked, prompts in (
        (["straße"], {"strasse"}),
        (["ÖL"], {"strasse"}),
        (["CITRUS", "flat"], {"tile"}),
        (["citrus", "meer"], set()),
        (["v_2"], {"badge"}),
        (["PATTERN"], {"tile"}),
        ([], {"tile", "strasse", "badge"}),
    ):
        rows = json.loads(ideoflow("history", "--json", *asked).out)
        assert {row["prompt_id"] for row in rows} == prompts, asked
    said = ideoflow("history", "citrus", "meer")
    assert "no image holds citrus and meer" in said.out


def test_a_local_copy_is_looked_at(bought: Any, ideoflow: Any) -> None:
    """A deleted file and a truncated one are no copies, and the table says that they are missing."""
    gone, short, *_ = bought.pictures()
    gone.unlink()
    short.write_bytes(short.read_bytes()[:-1])
    rows = json.loads(ideoflow("history", "--json").out)
    assert sum(row["has_local_copy"] for row in rows) == 2
    assert {row["status"] for row in rows} == {"stored"}
    assert ideoflow("history").out.count("missing ") == 2
    # Counted all the same: only an explicit word makes room for another purchase.
    assert "nothing to buy" in ideoflow("plan").out


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_rows_read_back_with_pandas(bought: Any, ideoflow: Any, ending: str) -> None:
    """Every format holds every column, the promised ones first."""
    said = ideoflow("history", "--out", f"rows.{ending}")
    assert (said.code, said.out) == (0, f"4 images written to rows.{ending}\n")
    path = bought.root / f"rows.{ending}"
    read: dict[str, Callable[[Path], pd.DataFrame]] = {
        "csv": pd.read_csv,
        "json": pd.read_json,
        "parquet": pd.read_parquet,
    }
    frame = read[ending](path)
    assert list(frame.columns[:6]) == FIRST
    assert len(frame) == 4
    assert frame["has_local_copy"].all()
    assert frame["cost_usd"].sum() == pytest.approx(0.23)
    assert set(frame["model"]) == {"ideogram-3", "V_2"}
    assert frame["image_id"].is_unique
    when = pd.to_datetime(frame["generated_at"], utc=True)
    assert when.notna().all()
    assert "Öl" in " ".join(frame["prompt"])
    assert frame["seed"].notna().sum() >= 3


def test_a_spreadsheet_runs_no_prompt(project: Any, ideoflow: Any) -> None:
    """A prompt that begins like a formula has an apostrophe before it in CSV; JSON and Parquet have it as it is."""
    odd = ['=HYPERLINK("https://evil.example","a")', "+1 bottle", "-1 bottle", "@home"]
    prompts = [{"id": f"p{n}", "prompt": text, "tags": [f"{text[0]}tag", "x"]} for n, text in enumerate(odd)]
    project.manifest(json.dumps({"version": 1, "defaults": {"model": "ideogram-3"}, "prompts": prompts}))
    project.buy()
    for ending in ("csv", "json", "parquet"):
        assert ideoflow("history", "--out", f"odd.{ending}").code == 0
    sheet, table = pd.read_csv(project.root / "odd.csv"), pd.read_parquet(project.root / "odd.parquet")
    assert sorted(table["prompt"]) == sorted(odd)
    assert sheet["prompt"].tolist() == [f"'{text}" for text in table["prompt"]]
    assert sheet["tags"].tolist() == [f"'{text[0]}tag, x" for text in table["prompt"]]
    assert [row["prompt"] for row in json.loads((project.root / "odd.json").read_bytes())] == table["prompt"].tolist()
    assert sheet["cost_usd"].tolist() == table["cost_usd"].tolist()
    assert sheet["seed"].tolist() == table["seed"].tolist()


def test_nothing_found_is_written_with_its_columns(bought: Any, ideoflow: Any) -> None:
    """An empty CSV or Parquet still says what its columns are."""
    for ending, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        assert ideoflow("history", "nowhere", "--out", f"none.{ending}").code == 0
        frame = read(bought.root / f"none.{ending}")
        assert len(frame) == 0
        assert list(frame.columns[:6]) == FIRST


@pytest.mark.parametrize(
    ("out", "says"),
    [("rows.xlsx", ".csv, .json or .parquet"), ("nowhere/rows.csv", "no folder nowhere"), ("folder.csv", "folder.csv")],
)
def test_what_cannot_be_written_is_said(bought: Any, ideoflow: Any, out: str, says: str) -> None:
    """Another format, a folder that is not there, a name that is taken: exit 2 and a sentence."""
    (bought.root / "folder.csv").mkdir()
    said = ideoflow("history", "--out", out)
    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert "Traceback" not in said.err


def test_piped_rows_hold_whole_paths(bought: Any, ideoflow: Any) -> None:
    """Where nobody watches, a line is a row and holds the path of its picture."""
    lines = ideoflow("history").out.splitlines()
    for picture in bought.pictures():
        shown = str(picture.relative_to(bought.root / "data" / "images"))
        assert sum(shown in line for line in lines) == 1
    assert all("\x1b" not in line for line in lines)


def test_history_needs_no_manifest(bought: Any, ideoflow: Any) -> None:
    """What was bought can be listed with the manifest gone, and from a folder below the project."""
    Path("prompts.yaml").unlink()
    assert len(json.loads(ideoflow("history", "--json", "--project", str(bought.root)).out)) == 4


def test_columns_and_words_together(bought: Any, ideoflow: Any) -> None:
    """Exclusions, phrases, options and conditions: all must hold; what nobody has is said as it was asked."""
    for asked, prompts in (
        (["-w", "model=V_2"], {"badge"}),
        (["--model", "ideogram-3", "--", "-citrus"], {"strasse"}),
        (["--state", "kept", "flat -öl"], {"tile"}),
        (["--since", "2999-01"], set()),
        (["--until", "1999-12-31"], set()),
        (["--seed", "-1"], set()),
    ):
        rows = json.loads(ideoflow("history", "--json", *asked).out)
        assert {row["prompt_id"] for row in rows} == prompts, asked
    said = ideoflow("history", "citrus -flat", "--seed", "7", "--since", "2026-10")
    assert said.out.startswith("no image holds citrus, lacks flat, seed = 7, bought since 2026-10-01 00:00\n")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["-w", "promt=x"], "did you mean prompt?"),
        (["--since", "soon"], "a day (2026-10-31)"),
        (["--state", "gone"], "--state"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(bought: Any, ideoflow: Any, argv: list[str], says: str) -> None:
    """Exit 2, and what was meant perhaps."""
    said = ideoflow("history", *argv)
    assert said.code == 2
    assert says in said.err


def test_a_trashed_picture_says_so(bought: Any, ideoflow: Any) -> None:
    """Its state by the record stands beside whether the file is there."""
    rows = json.loads(ideoflow("history", "--json").out)
    assert {row["state"] for row in rows} == {"kept"}
    assert {row["held"] for row in rows} == {False}
