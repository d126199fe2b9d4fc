"""The export verb: what it says, and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def bought_for_export(new_project: Any) -> Path:
    """A project whose four images have been bought."""
    project = new_project()
    project.buy()
    return Path(project.root)


@pytest.fixture
def bought(project: Any, bought_for_export: Path) -> Any:
    """A copy of it."""
    shutil.copytree(bought_for_export, project.root, dirs_exist_ok=True)
    return project


def test_what_was_copied_is_said(bought: Any, ideoflow: Any) -> None:
    """The first run copies, the second keeps; relative to the folder one is in, whatever the project's is."""
    before = bought.files()
    said = ideoflow("export", "--to", "out", "--embed")
    assert (said.code, said.out.splitlines()[0]) == (0, "4 images at out: 4 copied")
    assert "4 say inside where they come from" in said.out
    assert "4 images at out: 4 kept" in ideoflow("export", "--to", "out", "--embed").out
    assert {name: data for name, data in bought.files().items() if not name.startswith("out/")} == before
    told = json.loads(ideoflow("export", "--to", "out", "--embed", "--select", "tag:pattern", "--json").out)
    assert (told["kept"], told["copied"], told["earlier"]) == (2, 0, 2)
    note = (bought.root / "out" / "LICENCE-AND-PROVENANCE.md").read_text(encoding="utf-8")
    assert "All of them were drawn by the offline sandbox" in note


def test_an_exported_copy_leads_back(bought: Any, ideoflow: Any) -> None:
    """By its own XMP and by its looks."""
    ideoflow("export", "--to", "out", "--embed", "--select", "strasse")
    [copy] = (bought.root / "out").rglob("*.png")
    said = ideoflow("whois", str(copy))
    assert said.code == 0
    assert "its XMP names it" in said.out
    [row] = pd.read_parquet(bought.root / "out" / "index.parquet").to_dict("records")
    assert row["image_id"] in said.out


def test_a_missing_original_ends_with_four(bought: Any, ideoflow: Any) -> None:
    """The rest is there; what is not is named."""
    bought.pictures()[0].unlink()
    said = ideoflow("export", "--to", "out")
    assert said.code == 4
    assert "3 images at out: 3 copied" in said.out
    assert "its file is missing" in said.out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--to", "data/images/x"], "storage.assets"),
        (["--to", "out", "--select", "state:gone"], 'no image can be "gone"'),
        (["--to", "out", "--select", "nobody"], "nothing in the history is called"),
        ([], "--to"),
    ],
)
def test_mistakes_are_refused(bought: Any, ideoflow: Any, argv: list[str], says: str) -> None:
    """Before anything is written."""
    said = ideoflow("export", *argv)
    assert said.code == 2
    assert says in said.err
    assert not (bought.root / "out").exists()
