"""Generated files are what the code says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.generated import FILES, main

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", FILES)
def test_no_generated_file_is_stale(name: str) -> None:
    """`make generated` would change nothing."""
    committed = (ROOT / name).read_text(encoding="utf-8")
    assert committed == FILES[name](), f"{name} is stale: run `make generated`"


def test_all_of_them_are_written(tmp_path: Path) -> None:
    """The command writes each file, byte for byte, into a tree that has its folders."""
    (tmp_path / "configs").mkdir()
    main(tmp_path)
    for name, text in FILES.items():
        assert (tmp_path / name).read_bytes() == text().encode()
