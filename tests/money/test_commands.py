"""The verbs about money, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from flows.cli.base import app
from flows.errors import UserError
from flows.sandbox.handle import IdeogramSandbox
from flows.workspace import Workspace

Typed = Callable[..., tuple[int, str]]


@pytest.fixture
def typed(
    project: Callable[..., Workspace],
    sandbox: IdeogramSandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Typed:
    """Types a command in the project: its exit code, and what it printed."""
    monkeypatch.chdir(project().settings.project)
    monkeypatch.setenv("IDEOFLOW_API__BASE_URL", sandbox.base_url)
    monkeypatch.setenv("IDEOGRAM_API_KEY", sandbox.api_key)
    monkeypatch.setenv("IDEOFLOW_API__POLL_INTERVAL_S", "0.02")
    monkeypatch.setenv("IDEOFLOW_STORAGE__RESERVE_MB", "0")

    def run(*words: str) -> tuple[int, str]:
        code = app([*words], standalone_mode=False, prog_name="ideoflow")
        return int(code or 0), capsys.readouterr().out

    return run


def _json(typed: Typed, *words: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(typed(*words, "--json")[1])
    return told


def test_from_plan_to_bill(typed: Typed, sandbox: IdeogramSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quoted, bought, added up and compared: all four verbs name the same amount."""
    code, out = typed("plan", "--quote")
    assert (code, "6 images to buy for $0.26" in out, "V_2A_TURBO" in out) == (0, True, True)
    assert typed("generate", "--yes", "--no-prefect")[0] == 0
    code, out = typed("spend", "--by", "model")
    assert (code, "$0.26 spent" in out) == (0, True)
    monkeypatch.setenv("IDEOFLOW_BUDGET__PER_DAY_USD", "0.30")
    assert "$0.04 left" in typed("spend")[1]
    code, out = typed("spend", "--reconcile")
    assert (code, "$0.26 in our books, $0.26 billed" in out) == (0, True)
    assert _json(typed, "spend")["total"]["spent_micros"] == sandbox.ledger()["billed_micros"]
    assert _json(typed, "spend", "--reconcile")["explained"] is True
    assert _json(typed, "plan", "--quote")["quotes"]["known"] == 2


def test_at_the_cap_plan_and_report_name_it(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out, by which setting, and what to do: in words and in JSON."""
    monkeypatch.setenv("IDEOFLOW_BUDGET__PER_MONTH_USD", "0.12")
    out = typed("plan")[1]
    assert "left out by budget.per_month_usd" in out
    assert {item["cap"] for item in _json(typed, "plan")["items"]} == {"per_month_usd"}
    code, out = typed("generate", "--yes", "--no-prefect")
    assert code == 4
    assert "raise budget.per_month_usd, or run again next month" in out
    assert "raise budget.per_month_usd" in typed("plan")[1]


def test_nothing_spent_and_nothing_billed(typed: Typed) -> None:
    """An empty project has empty answers, not errors."""
    assert "nothing has been spent" in typed("spend")[1]
    assert typed("spend", "--reconcile")[0] == 0


def test_a_slip_in_retry_is_refused(typed: Typed) -> None:
    """Only withheld and lost can be bought again."""
    with pytest.raises(UserError, match="withheld and lost"):
        typed("generate", "--yes", "--no-prefect", "--retry", "refused")
