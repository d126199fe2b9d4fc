"""The Prefect glue by itself: states, artifacts, log lines and progress, without a server."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from flows.pipeline.kit import Progress
from flows.report import Item, Outcome, RunReport, Trouble, Validated, campaign
from flows.report.ending import MAX_ROWS, Ending
from flows.runtime import artifacts, ending
from flows.runtime.logs import MAX_CHARS, Bridge
from flows.runtime.progress import MAX_ODD_LINES, Board

BEGAN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DONE = RunReport(
    run_id="01a2057e-6639-7efa-b8f7-ab0ad7525f72",
    started_at=BEGAN,
    finished_at=BEGAN + timedelta(seconds=41),
    origin="sandbox",
    validated=Validated(("prompts.yaml",), prompts=12, variants=25, images=31),
    items=(
        Item("hero", Outcome.BOUGHT, 30, "bought and stored", Decimal("1.98")),
        Item("badge", Outcome.HAD, 1, "in the history already"),
    ),
    exit_code=0,
    next_step="look at the pictures",
    assets="data/images",
    history="data/history",
)
LEFT = Item("wall", Outcome.LEFT_OUT, 2, "the run stopped first")
UNFINISHED = replace(DONE, items=(*DONE.items, LEFT), exit_code=4, next_step="run `ideoflow generate` again")


def ended(report: RunReport) -> Ending:
    """Its ending, as the flow has it."""
    return campaign.ending(report, "data/reports/r.md")


def test_a_complete_run_is_completed_with_its_result() -> None:
    """The message is short, and the result holds nothing but JSON: money as text, no decimals, no paths objects."""
    state = ending.final_state(ended(DONE))
    assert state.is_completed()
    assert state.message == "30 images bought, $1.98"
    result = campaign.record(DONE, "data/reports/r.md")
    assert json.loads(json.dumps(result)) == {
        "run_id": DONE.run_id,
        "exit_code": 0,
        "images": {"bought": 30, "had": 1},
        "spent_usd": "1.98",
        "report": "data/reports/r.md",
        "assets": "data/images",
        "history": "data/history",
    }


def test_an_unfinished_run_is_failed_and_says_what_next() -> None:
    """Whoever watches states is alarmed, and reads the remedy in the state itself."""
    state = ending.final_state(ended(UNFINISHED))
    assert state.is_failed()
    assert state.message == (
        "generate: unfinished, 30 images bought, $1.98 spent, 41 s. Next: run `ideoflow generate` again"
    )


def test_a_run_cancelled_in_prefect_is_cancelled() -> None:
    """The clean stop ends in the one state that a cancelled run can end in."""
    state = ending.final_state(ended(UNFINISHED), cancelled=True)
    assert state.is_cancelled()
    assert state.message is not None
    assert state.message.startswith("stopped as asked: 30 images bought, $1.98, 2 left out")


@pytest.mark.parametrize(
    ("items", "gist"),
    [
        ((), "nothing to buy, 0 images there already"),
        ((Item("a", Outcome.HAD, 31, "had"),), "nothing to buy, 31 images there already"),
        ((Item("a", Outcome.RECOVERED, 2, "paid before", Decimal("0.12")),), "2 recovered"),
        ((Item("a", Outcome.BOUGHT, 1, "bought", Decimal("0.025")),), "1 image bought, $0.025"),
    ],
)
def test_the_gist_says_what_matters(items: tuple[Item, ...], gist: str) -> None:
    """One line, whatever happened."""
    assert campaign.gist(replace(DONE, items=items)) == gist


def test_markdown_has_no_entities_that_prefect_shows_raw() -> None:
    """Its pages print numeric entities as they are written, and honour backslashes."""
    text = artifacts.page(ended(replace(DONE, next_step="run `ideoflow history` | *now*")))
    assert "&#" not in text
    assert r"run \`ideoflow history\` \| \*now\*" in text


def test_a_run_of_ten_thousand_fits_into_prefects_database() -> None:
    """Tables stop early and say so."""
    items = tuple(Item(f"v{n}", Outcome.BOUGHT, 1, "bought", Decimal("0.06")) for n in range(10_000))
    report = replace(DONE, items=items, problems=tuple(Trouble("late", f"v{n}", "wait") for n in range(1000)))
    assert len(artifacts.page(ended(report))) < 20_000
    problems, spent = (table.few for table in ended(report).tables)
    assert len(spent) == len(problems) == MAX_ROWS + 1
    assert spent[-1]["Variant"] == "… and 9,950 more: see the report"
    assert all(isinstance(cell, str | int) for row in [*spent, *problems] for cell in row.values())


def test_a_problem_has_its_row_with_how_often_it_came() -> None:
    """One row a kind of problem."""
    report = replace(DONE, problems=(Trouble("withheld", "sly", "change it", 3), Trouble("late", "a", "wait")))
    assert [(row["To what"], row["Times"]) for row in campaign.problems(report)] == [("sly", 3), ("a", 1)]


def test_what_prefect_does_not_take_is_not_missed(caplog: pytest.LogCaptureFixture) -> None:
    """An error of its server is one line in the log, never an error of the run."""

    async def broken() -> int:
        raise ConnectionError("gone")

    with caplog.at_level(logging.WARNING, "flows"):
        assert asyncio.run(artifacts.attempt(broken())) is None
    assert caplog.messages == ["Prefect did not answer: gone"]


class Ear(logging.Logger):
    """A run's logger that remembers."""

    def __init__(self) -> None:
        super().__init__("ear")
        self.heard: list[tuple[int, str]] = []

    def handle(self, record: logging.LogRecord) -> None:
        self.heard.append((record.levelno, record.getMessage()))


def test_log_lines_pass_without_secrets() -> None:
    """Keys and signatures are asterisks, in messages, arguments and tracebacks; the rest passes as it is."""
    ear, logger = Ear(), logging.Logger("flows.test")  # noqa: LOG001  one that is gone afterwards
    bridge = Bridge(ear)
    bridge.hide(["not-a-real-key", ""])
    logger.addHandler(bridge)
    logger.debug("not worth it")
    logger.warning("%s of 3 with not-a-real-key", 2)
    logger.info("from https://images.example.com/a.png?exp=1800000000&sig=abcdef and sig=012345")
    logger.error("a bug", exc_info=RuntimeError("not-a-real-key"))
    said = [text for _, text in ear.heard]
    assert ear.heard[0] == (logging.WARNING, "2 of 3 with ***")
    assert said[1] == "from https://images.example.com/a.png?exp=1800000000&sig=*** and sig=***"
    assert said[2].startswith("a bug\nRuntimeError: ***")
    assert "not-a-real-key" not in "".join(said)
    assert len(ear.heard) == 3


def test_a_log_line_has_a_bearable_length() -> None:
    """A page of JSON in a message does not fill Prefect's database."""
    assert len(Bridge(Ear()).clean("x" * 100_000)) == MAX_CHARS


def test_progress_counts_every_image_once(caplog: pytest.LogCaptureFixture) -> None:
    """Recovered images are stored as well; what is out of the ordinary is named, but not without end."""
    board = Board("generate")
    assert [board.state] == [None]
    board.tell(Progress("planned", "", 4))
    board.tell(Progress("stored", "a", 1))
    board.tell(Progress("recovered", "a", 1))
    assert board.state == (25.0, "1 of 4 images settled")
    with caplog.at_level(logging.WARNING, "flows"):
        board.tell(Progress("withheld", "b", 1))
        for _ in range(100):
            board.tell(Progress("void", "c", 1))
    assert board.state == (100.0, "102 of 102 images settled, 1 withheld, 100 not made")
    assert caplog.messages[:2] == ["withheld: b", "not made: c"]
    assert len(caplog.messages) == MAX_ODD_LINES
