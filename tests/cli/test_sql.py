"""The sql verb: a table, JSON, or a file; and that it only reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

SPENT = "select model, count(*) as images, sum(cost_usd) as usd from images group by 1 order by 1"


@pytest.fixture(scope="module")
def bought_once(new_project: Any) -> Path:
    """A project whose four images have been bought."""
    project = new_project()
    assert project.spawn("generate", "--yes").code == 0
    return Path(project.root)


@pytest.fixture
def bought(project: Any, bought_once: Path) -> Any:
    """A copy of it."""
    shutil.copytree(bought_once, project.root, dirs_exist_ok=True)
    return project


def test_the_answer_is_a_table(bought: Any, ideoflow: Any) -> None:
    """Without frames or escape codes where nobody watches."""
    said = ideoflow("sql", SPENT)
    assert said.code == 0
    lines = said.out.split("\n")
    assert lines[0].split() == ["model", "images", "usd"]
    assert [line.split()[:2] for line in lines[1:3]] == [["V_2", "1"], ["ideogram-3", "3"]]


def test_programs_get_json(bought: Any, ideoflow: Any) -> None:
    """A list of rows; times as ISO, bytes in hexadecimal, and no column lost that has the name of another."""
    rows = json.loads(ideoflow("sql", SPENT, "--json").out)
    assert sum(row["usd"] for row in rows) == pytest.approx(0.23)
    asked = "select requested_at, 1 as a, 2 as a, '\\xAA'::blob as b from images limit 1"
    (row,) = json.loads(ideoflow("sql", asked, "--json").out)
    assert row.pop("requested_at").endswith("+00:00")
    assert list(row.values()) == [1, 2, "aa"]


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_rows_are_written(bought: Any, ideoflow: Any, ending: str) -> None:
    """As pandas reads them."""
    said = ideoflow("sql", SPENT, "--out", f"spent.{ending}")
    assert (said.code, said.out) == (0, f"2 rows written to spent.{ending}\n")
    frame = getattr(pd, f"read_{ending}")(bought.root / f"spent.{ending}")
    assert list(frame.columns) == ["model", "images", "usd"]
    assert frame["usd"].sum() == pytest.approx(0.23)


FORMULAS = """
select '=HYPERLINK("https://evil.example","a")' as text, -1 as n, -0.5 as share, sum(cost_usd) - 1 as usd from images
union all by name select '+1' as text, -2 as n
union all by name select '-1' as text, -3 as n
union all by name select '@SUM(A1)' as text, -4 as n
union all by name select chr(9) || '=1' as text, -5 as n
union all by name select chr(13) || '=1' as text, -6 as n
"""


def test_a_spreadsheet_runs_nothing(bought: Any, ideoflow: Any) -> None:
    """Texts that would be formulas have an apostrophe in CSV, numbers stay numbers; JSON and Parquet are exact."""
    for ending in ("csv", "json", "parquet"):
        assert ideoflow("sql", FORMULAS, "--out", f"odd.{ending}").code == 0
    sheet, table = pd.read_csv(bought.root / "odd.csv"), pd.read_parquet(bought.root / "odd.parquet")
    assert sheet["text"].tolist() == [f"'{text}" for text in table["text"]]
    assert {text[0] for text in table["text"]} == set("=+-@\t\r")
    assert table["text"].tolist() == [row["text"] for row in json.loads((bought.root / "odd.json").read_bytes())]
    assert sheet["n"].tolist() == table["n"].tolist() == [-1, -2, -3, -4, -5, -6]
    assert sheet["share"][0] == -0.5
    assert sheet["usd"][0] == table["usd"][0]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["drop view images"], "only SELECT is allowed"),
        (["copy images to 'mine.csv'"], "only SELECT is allowed"),
        (["select * from read_text('prompts.yaml')"], "only these can be read"),
        (["select promt from images"], "prompt"),
        ([SPENT, "--out", "x.xlsx"], ".csv, .json or .parquet"),
        ([SPENT, "--out", "nowhere/x.csv"], "no folder nowhere"),
    ],
)
def test_anything_else_is_refused(bought: Any, ideoflow: Any, argv: list[str], says: str) -> None:
    """Exit 2, a sentence, no file, no traceback."""
    before = sorted(bought.root.iterdir())
    said = ideoflow("sql", *argv)
    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert "Traceback" not in said.err
    assert sorted(bought.root.iterdir()) == before


def test_nothing_bought_is_no_rows(ideoflow: Any) -> None:
    """The views are there before the first purchase."""
    assert json.loads(ideoflow("sql", "select count(*) as n from current", "--json").out) == [{"n": 0}]
