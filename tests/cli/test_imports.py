"""What a verb loads before it answers: asserted by modules, since clocks of shared machines lie."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPY = """\
import sys
from flows.cli import main
try:
    main(sys.argv[1:])
finally:
    sys.stderr.write("\\nLOADED " + " ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded(project: Any, *argv: str) -> set[str]:
    """The top-level packages that a verb imports."""
    done = subprocess.run(
        [sys.executable, "-c", SPY, *argv],
        cwd=project.root,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize(
    ("argv", "without"),
    [
        (
            ["--help"],
            {"prefect", "pandas", "pyarrow", "numpy", "fsspec", "httpx", "pydantic", "yaml", "PIL", "asyncio"},
        ),
        (
            ["validate"],
            {"prefect", "pandas", "pyarrow", "numpy", "httpx", "PIL", "starlette", "uvicorn", "scipy", "rich"},
        ),
        (["plan"], {"prefect", "pandas", "httpx", "PIL", "starlette", "uvicorn", "s3fs", "scipy", "imagehash"}),
        (["history"], {"prefect", "httpx", "starlette", "uvicorn", "s3fs", "scipy", "PIL"}),
        (["generate", "--yes"], {"prefect", "s3fs"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_verb_loads_what_it_needs(project: Any, argv: list[str], without: set[str]) -> None:
    """Nobody waits for what his command does not use."""
    assert loaded(project, *argv) & without == set()


def test_a_plan_needs_no_pandas_whatever_is_in_the_history(project: Any) -> None:
    """Bought images, events, names that have changed: importing pandas would take longer than all the rest."""
    project.buy()
    project.manifest(
        """\
version: 1
brand: helio
defaults: {campaign: autumn, model: ideogram-3}
prompts:
  - {id: mosaic, prompt: "Seamless citrus pattern, flat colours", count: 2, tags: [pattern]}
"""
    )
    project.buy()
    project.manifest("version: 1\nprompts: [{id: other, prompt: a red circle, model: ideogram-3}]\n")
    assert loaded(project, "plan") & {"prefect", "pandas", "httpx", "PIL", "s3fs"} == set()
