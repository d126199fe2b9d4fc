"""How long a command takes to answer, beside a Python that does nothing. Printed, never asserted: machines differ.

What is loaded at all is asserted in tests/cli/test_imports.py, by modules. The best of several runs is shown, in
seconds by the clock and by the processor: on a busy machine only the second says something.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNS = 7
# What the issue of the first hour allows each of them, in seconds on top of `python -c pass`.
ALLOWED = {"--help": 0.3, "validate": 0.5, "plan": 1.0}

pytestmark = pytest.mark.bench


def measured(cwd: Path, *argv: str) -> tuple[float, float]:
    """Seconds by the clock and by the processor, each the best of several runs."""
    # Compiled modules are kept, as they are where the program is installed.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(cwd / "compiled")}
    clock = processor = float("inf")
    for _ in range(RUNS):
        before, began = os.times(), time.perf_counter()
        subprocess.run([sys.executable, *argv], cwd=cwd, env=env, check=True, capture_output=True)
        clock = min(clock, time.perf_counter() - began)
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        processor = min(processor, spent)
    return clock, processor


def test_commands_answer_at_once(tmp_path: Path) -> None:
    """Help, validation and the plan of a small manifest, on an empty history and on one with a part in it."""
    shutil.copy(ROOT / "prompts.yaml", tmp_path)
    nothing = measured(tmp_path, "-c", "pass")
    print(f"\npython -c pass: {nothing[0]:.2f} s ({nothing[1]:.2f} s of processor)")

    def show(name: str, *argv: str) -> None:
        clock, processor = measured(tmp_path, "-m", "flows.cli", *argv)
        print(
            f"ideoflow {name}: {clock:.2f} s ({processor:.2f} s of processor), on top {clock - nothing[0]:.2f} s "
            f"({processor - nothing[1]:.2f} s), allowed {ALLOWED[argv[0]]} s"
        )

    for verb in ALLOWED:
        show(verb, verb)
    generate = [sys.executable, "-m", "flows.cli", "generate", "--yes", "--no-prefect", "--limit", "2"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "IDEOFLOW_SANDBOX__PICTURES": "plain"}
    # Limited on purpose, so something is left to plan.
    subprocess.run(generate, cwd=tmp_path, env=env, check=True, capture_output=True)
    show("plan, with a history", "plan")
