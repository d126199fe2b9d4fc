"""The picture of the README: small enough, and made by the script that is said to make it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flows.workspace import open_workspace

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> Any:
    """`docs/contact_sheet.py`, which is run by its path."""
    spec = importlib.util.spec_from_file_location("contact_sheet", ROOT / "docs" / "contact_sheet.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_draws_what_is_kept(script: Any, stock: Any, tmp_path: Path) -> None:
    """Kept pictures of the campaign, in rows as wide as the sheet; trashed ones are not on it."""
    ws = open_workspace(tmp_path, (), {})
    stock(ws, [{"prompt_id": f"p{number:02}"} for number in range(20)])
    stock(ws, [{"prompt_id": "gone", "trashed": 1}, {"prompt_id": "other", "campaign": "winter"}])
    script.main(str(tmp_path), "summer", str(tmp_path / "sheet.webp"))
    with Image.open(tmp_path / "sheet.webp") as drawn:
        assert drawn.width == script.WIDTH
        # Twenty squares of about 200 pixels: eight in a row, and four more.
        assert 550 < drawn.height < 800


@pytest.mark.parametrize(
    ("ratios", "rows"),
    [([1.0] * 8, [8]), ([1.0] * 9, [8, 1]), ([8.0], [1]), ([0.5, 16.0, 0.5], [1, 1, 1])],
)
def test_rows_are_filled(script: Any, ratios: list[float], rows: list[int]) -> None:
    """As many as fit at about the usual height; none is lost, none is twice."""
    found = script.rows(ratios)
    assert [len(row) for row in found] == rows
    assert [number for row in found for number in row] == list(range(len(ratios)))


def test_the_picture_of_the_readme() -> None:
    """It is a picture, wide enough for a page, and under 300 kB."""
    path = ROOT / "docs" / "images" / "summer-2027.webp"
    assert path.stat().st_size < 300_000
    with Image.open(path) as picture:
        assert picture.width == 1600
        assert picture.height > 400
