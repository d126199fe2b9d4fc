"""What the documentation shows in Python runs as it stands there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
FENCED = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SNIPPETS = [
    pytest.param(code, id=f"{page}-{number}")
    for page in PAGES
    for number, code in enumerate(FENCED.findall((ROOT / page).read_text(encoding="utf-8")))
]


def test_there_are_snippets() -> None:
    """The pattern above still finds them."""
    assert len(SNIPPETS) >= 4


@pytest.mark.parametrize("code", SNIPPETS)
def test_a_snippet_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a project with a history, from its folder, without warnings."""
    shutil.copytree(ROOT / "tests" / "history" / "released" / "0.1.0", tmp_path / "data" / "history")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "snippet", "exec"), {})  # noqa: S102  our own documentation
