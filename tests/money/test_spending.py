"""What `spend` says is what the sandbox's own ledger says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta

from flows.budget import Cap
from flows.campaign.run import generate
from flows.campaign.steps import Ask
from flows.money.spending import spending
from flows.report import RunReport
from flows.sandbox.handle import IdeogramSandbox
from flows.workspace import Workspace


def _run(ws: Workspace) -> RunReport:
    return asyncio.run(generate(ws, Ask()))[0]


def test_spent_is_what_the_ledger_says_to_the_micro_dollar(
    project: Callable[..., Workspace], sandbox: IdeogramSandbox
) -> None:
    """However it is added up, the lines come to the ledger's sum; a withheld image is paid and not kept."""
    ws = project()
    assert _run(ws).exit_code == 0
    billed = sandbox.ledger()["billed_micros"]
    assert billed == 3 * 60_000 + 2 * 25_000 + 30_000
    for by in ("day", "campaign", "model", "brand"):
        found = spending(ws, by)
        assert sum(line.spent for line in found.lines) == found.total.spent == billed
        assert (found.total.images, found.total.kept, found.total.requests) == (6, 6, 6)
    models = {line.key: line.spent for line in spending(ws, "model").lines}
    assert models == {"ideogram-3": 180_000, "V_2A_TURBO": 50_000, "ideogram-4-5": 30_000}
    assert found.total.per_kept == round(billed / 6)


def test_what_failed_and_what_was_refused_is_free_and_what_is_in_doubt_stands_apart(
    project: Callable[..., Workspace], sandbox: IdeogramSandbox
) -> None:
    """A lost answer is in doubt at its price: spent and in doubt together are at least what was billed."""
    ws = project()
    sandbox.set_faults(
        {"match": {"kind": "post", "path": "/v2/image/generate/ideogram-4-5"}, "fault": "lost_ack"},
        {"match": {"kind": "post", "path": "/v2/image/generate/ideogram-3"}, "fault": "429", "count": 1},
    )
    assert _run(ws).exit_code == 4
    # Its owner, this very process, lives: nobody can call the request dead yet, so it is open.
    found = spending(ws)
    assert (found.total.spent, found.total.open + found.total.in_doubt) == (230_000, 30_000)
    assert sandbox.ledger()["billed_micros"] == 260_000


def test_a_campaign_is_called_what_it_is_called_now(project: Callable[..., Workspace]) -> None:
    """Renaming a campaign moves its past spending with it, and costs nothing."""
    _run(project())
    ws = project("autumn")
    assert _run(ws).spent_usd == 0
    assert [line.key for line in spending(ws, "campaign").lines] == ["autumn"]


def test_since_and_caps(project: Callable[..., Workspace]) -> None:
    """Days before `since` are left out; caps say what is used and what is left of them."""
    ws = project(budget__per_day_usd="0.50", budget__per_run_usd="2")
    _run(ws)
    today: date = ws.now().date()
    assert spending(ws, "day", today - timedelta(days=1)).total.spent == 260_000
    assert spending(ws, "day", today + timedelta(days=1)).total.spent == 0
    states = {state.cap: (state.used, state.left) for state in spending(ws).caps}
    assert states == {Cap.RUN: (None, None), Cap.DAY: (260_000, 240_000)}


def test_nothing_spent_is_no_error(project: Callable[..., Workspace]) -> None:
    """An empty history gives empty sums."""
    found = spending(project())
    assert (found.lines, found.total.spent, found.total.per_kept) == ((), 0, None)


def test_an_ended_request_that_is_not_sealed_is_counted_once(project: Callable[..., Workspace]) -> None:
    """Between end and seal the journal says what a request cost and whether it gave a picture."""
    ws = project()
    _run(ws)
    before = spending(ws).total
    # As if the sealer had died between the images part and the requests part.
    rows = ws.parts.listing("requests")
    assert rows
    copy = ws.parts.read(rows, "requests").to_pylist()
    ws.parts.write("requests", copy[0]["requested_at"].strftime("%Y-%m"), copy)
    images = ws.parts.read(ws.parts.listing("images"), "images").to_pylist()
    ws.parts.write("images", copy[0]["requested_at"].strftime("%Y-%m"), images)
    assert spending(ws).total == before
