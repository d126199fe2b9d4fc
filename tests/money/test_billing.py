"""The bill as the sandbox writes it, against the books that runs left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from flows.campaign.recovery import Verdicts, recover
from flows.campaign.run import generate
from flows.campaign.steps import Ask
from flows.errors import Refused
from flows.money.billing import compare
from flows.pipeline.kit import Stop
from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import IdeogramSandbox, running
from flows.workspace import Workspace


def _later(ws: Workspace, minutes: int = 30) -> Workspace:
    """The same project a little later: what was open is abandoned, and the bill has caught up."""
    return replace(ws, now=lambda: ws.now() + timedelta(minutes=minutes))


def test_the_bill_agrees_to_the_micro_dollar(project: Callable[..., Workspace], sandbox: IdeogramSandbox) -> None:
    """After a plain run the books and the bill are the same, endpoint by endpoint."""
    ws = project()
    asyncio.run(generate(ws, Ask()))
    bill = asyncio.run(compare(ws))
    assert bill.explained
    assert sum(row.theirs for row in bill.rows) * 1_000_000 == sandbox.ledger()["billed_micros"]
    assert sum(row.ours for row in bill.rows) == Decimal("0.26")
    assert {model for row in bill.rows for model in row.models} == {"ideogram-3", "ideogram-4-5", "V_2A_TURBO"}


def test_a_lost_answer_is_explained_also_after_it_was_given_up(
    project: Callable[..., Workspace], sandbox: IdeogramSandbox
) -> None:
    """In doubt it may have run; resubmitted it was billed twice, and the bill says by which decision."""
    ws = project()
    fault = {"match": {"kind": "post", "path": "/v2/image/generate/ideogram-4-5"}, "fault": "lost_ack", "count": 1}
    sandbox.set_faults(fault)
    asyncio.run(generate(ws, Ask()))
    bill = asyncio.run(compare(_later(ws)))
    assert bill.explained
    assert any("in doubt" in reason for row in bill.rows for reason in row.reasons)
    # This very process made the request, so that only time makes it a dead one.
    hidden = ws.settings.project / "data" / "history" / ".journal"
    for claim in hidden.glob("*.claim"):
        record = json.loads(claim.read_text(encoding="utf-8"))
        record["owner"]["started"] = "1"
        claim.write_text(json.dumps(record), encoding="utf-8")
    asyncio.run(recover(ws, Verdicts(resubmit=("all",)), lambda _: None, Stop()))
    asyncio.run(generate(ws, Ask()))
    after = asyncio.run(compare(_later(ws)))
    assert after.explained
    assert any("resubmit" in reason for row in after.rows for reason in row.reasons)
    assert sum(row.difference for row in after.rows) == Decimal("0.03")


def test_somebody_else_with_the_key_is_noticed(project: Callable[..., Workspace], sandbox: IdeogramSandbox) -> None:
    """Of a model that we did not buy it is explained; of one that we did it might be a double payment, and is not."""
    ws = project()
    asyncio.run(generate(ws, Ask()))
    headers = {"Api-Key": sandbox.api_key}
    with httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=30) as other:
        other.post("/generate", json={"image_request": {"prompt": "a hat", "model": "V_2"}}).raise_for_status()
        unexplained = asyncio.run(compare(_later(ws)))
        assert not unexplained.explained
        (row,) = [row for row in unexplained.rows if not row.explained]
        assert row.endpoint == "/generate"


def test_only_an_admin_may_ask(project: Callable[..., Workspace], tmp_path: Path) -> None:
    """404 is told as what it means."""
    with running(SandboxConfig(tmp_path / "other", admin=False)) as sandbox:
        ws = project(api__base_url=sandbox.base_url)
        with pytest.raises(Refused, match="admin"):
            asyncio.run(compare(ws))


def test_more_than_the_vendor_tells_at_once_is_refused(project: Callable[..., Workspace]) -> None:
    """Ninety-two days are the most."""
    ws = project()
    with pytest.raises(Refused, match="--since"):
        asyncio.run(compare(ws, ws.now().date() - timedelta(days=92)))
    assert asyncio.run(compare(ws, ws.now().date() - timedelta(days=91))).rows == ()
