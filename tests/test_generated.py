"""Generated files are what the code says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.generated import FILES, main

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", FILES)
def test_a_generated_file_is_current(name: str) -> None:
    """A stale one is a page or a schema that tells people something else than the program does."""
    if (ROOT / name).read_text(encoding="utf-8") != FILES[name]():
        pytest.fail(f"{name} is stale: run `make generated`")


def test_they_are_written_where_they_belong(tmp_path: Path) -> None:
    """All of them, folders included."""
    main(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(FILES)
