"""A run with one of everything in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from flows.report import Item, Outcome, RunReport, Trouble, Validated


@pytest.fixture
def eventful() -> RunReport:
    """A run that met every outcome there is, told in no particular order."""
    started = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    return RunReport(
        run_id="019aab3e-0000-7000-8000-000000000001",
        started_at=started,
        finished_at=started + timedelta(minutes=3, seconds=5),
        origin="api.ideogram.ai",
        validated=Validated(("prompts.yaml", "campaigns/winter.yaml"), prompts=8, variants=10, images=18),
        items=(
            Item("pattern@mood=calm", Outcome.HAD, 4, "in the history"),
            Item("hero@language=de,format=story", Outcome.BOUGHT, 4, "nothing bought yet", Decimal("0.24")),
            Item("badge", Outcome.IN_DOUBT, 1, "asked for, but no answer was recorded", Decimal("0.08")),
            Item("hero@language=en,format=story", Outcome.BOUGHT, 2, "2 of 4 were there", Decimal("0.12")),
            Item("newsletter-header", Outcome.RECOVERED, 1, "paid for by an earlier run", Decimal("0.06")),
            Item("storm", Outcome.WITHHELD, 1, "the safety check gave no picture", Decimal("0.06")),
            Item("harbour", Outcome.LOST, 1, "the link died before it was fetched", Decimal("0.025")),
            Item("lighthouse", Outcome.UNFINISHED, 1, "paid for, not fetched yet"),
            Item("riot", Outcome.BLOCKED, 2, "the prompt was refused"),
            Item("sunrise", Outcome.LEFT_OUT, 1, "the cap of $0.55 was reached"),
        ),
        problems=(
            Trouble("the prompt failed the safety check", "riot", "change the prompt"),
            Trouble("no answer was recorded", "badge", "ideoflow recover"),
        ),
        exit_code=4,
        next_step="ideoflow recover shows what is in doubt",
        assets="data/images",
        history="data/history",
        stored_bytes=24_310_882,
        orphaned=3,
    )


@pytest.fixture
def nothing(eventful: RunReport) -> RunReport:
    """A run that was asked for nothing."""
    return RunReport(
        run_id=eventful.run_id,
        started_at=eventful.started_at,
        finished_at=eventful.started_at + timedelta(milliseconds=412),
        origin="sandbox",
        validated=Validated((), prompts=0, variants=0, images=0),
        items=(),
        exit_code=0,
        next_step="write a prompt",
    )
