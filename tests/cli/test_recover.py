"""The recover verb: what is in doubt, what a person can say about it, and what comes of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.history.owners import this_process
from flows.history.records import Claim, End, Labels, Outcome, Step
from flows.workspace import open_workspace

ONE = """\
version: 1
defaults: {model: ideogram-3}
prompts:
  - {id: sea, prompt: "a calm sea", count: 2}
"""


def doubts(ideoflow: Any) -> list[dict[str, Any]]:
    """What `recover --json` lists as in doubt."""
    said = ideoflow("recover", "--json")
    found: list[dict[str, Any]] = json.loads(said.out)["in_doubt"]
    assert said.code == (4 if found else 0)
    return found


@pytest.fixture(scope="session")
def lost_once(new_project: Any) -> Path:
    """A project one of whose two requests ran without a word, in a process that is gone."""
    project = new_project()
    project.manifest(ONE)
    project.faults({"match": {"kind": "post"}, "fault": "lost_ack", "count": 1})
    said = project.spawn("generate", "--yes")
    assert said.code == 4, said
    assert "in doubt" in said.out
    assert "`ideoflow recover`" in said.out.splitlines()[-1]
    assert project.billed() == 2
    assert len(project.pictures()) == 1
    return Path(project.root)


@pytest.fixture
def lost(project: Any, lost_once: Path) -> Any:
    """A copy of it."""
    shutil.copytree(lost_once, project.root, dirs_exist_ok=True)
    return project


def test_doubt_is_held_and_shown(lost: Any, ideoflow: Any) -> None:
    """Neither plan nor generate buys again: both exit 4 until somebody decides."""
    said = ideoflow("plan")
    assert said.code == 4
    assert "1 request in doubt" in said.out
    assert ideoflow("generate", "--yes").code == 4
    assert lost.billed() == 2
    said = ideoflow("recover")
    assert said.code == 4
    assert "--resubmit ID" in said.out
    (doubt,) = doubts(ideoflow)
    assert doubt["variant"] == "sea"
    assert doubt["usd"] == "0.06"
    assert doubt["request_id"] in said.out
    # Also where another prompt is asked for, or this one has left the manifest.
    lost.manifest(ONE.replace("a calm sea", "a rough sea").replace("count: 2", "count: 1"))
    said = ideoflow("generate", "--yes")
    assert said.code == 4
    assert "in doubt" in said.out


@pytest.mark.parametrize("how", ["whole", "beginning", "all"])
def test_resubmitted_is_bought_again(lost: Any, ideoflow: Any, how: str) -> None:
    """By its id, by the beginning of it, or all: the next run buys what is missing."""
    (doubt,) = doubts(ideoflow)
    name = {"whole": doubt["request_id"], "beginning": doubt["request_id"][:30], "all": "all"}[how]
    said = ideoflow("recover", "--resubmit", name)
    assert said.code == 0, said
    assert "1 request to be bought again" in said.out
    assert "1 image to buy" in ideoflow("plan").out
    assert ideoflow("generate", "--yes").code == 0
    assert lost.billed() == 3
    assert len(lost.pictures()) == 2


def test_written_off_counts_as_bought(lost: Any, ideoflow: Any) -> None:
    """The loss is accepted: nothing is bought in its place, and the history shows it as lost."""
    said = ideoflow("recover", "--write-off", "all")
    assert said.code == 0
    assert "1 request written off" in said.out
    said = ideoflow("generate", "--yes")
    assert said.code == 0
    assert lost.billed() == 2
    rows = json.loads(ideoflow("history", "--json").out)
    assert sorted(row["status"] for row in rows) == ["lost", "stored"]


def test_a_generation_that_was_found_is_fetched(lost: Any, ideoflow: Any) -> None:
    """With the id from one's account the picture is fetched: nothing is bought again."""
    from flows.sandbox.state import read_ledger

    known = {row["generation_id"] for row in json.loads(ideoflow("history", "--json").out)}
    (found,) = (
        entry["generation_id"] for entry in read_ledger(lost.state)["requests"] if entry["generation_id"] not in known
    )
    said = ideoflow("recover", "--generation", found)
    assert said.code == 0, said
    assert "1 image recovered" in said.out
    assert len(lost.pictures()) == 2
    assert ideoflow("generate", "--yes").code == 0
    assert lost.billed() == 2


def test_the_answer_to_another_request_is_refused(lost: Any, ideoflow: Any) -> None:
    """A slip of the hand must not make one picture stand for two that were paid for."""
    (row,) = json.loads(ideoflow("history", "--json").out)
    said = ideoflow("recover", "--generation", row["generation_id"])
    assert said.code == 2
    assert f"is the answer to request {row['request_id']}" in said.err
    assert len(lost.pictures()) == 1
    assert len(doubts(ideoflow)) == 1


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--resubmit", "019"], "no request in doubt is called"),
        (["--resubmit", ""], "no request in doubt is called"),
        (["--write-off", "nonsense"], "`ideoflow recover` lists them"),
        (["--resubmit", "all", "--write-off", "all"], "two verdicts"),
        (["--request", "all"], "give both"),
        (["--generation", "no-such-generation"], "does not know"),
    ],
)
def test_what_makes_no_sense_is_refused(lost: Any, ideoflow: Any, argv: list[str], says: str) -> None:
    """Unknown ids and contradictions: exit 2, and the doubt is as it was."""
    said = ideoflow("recover", *argv)
    assert (said.code, said.out) == (2, ""), said
    assert says in said.err
    assert len(doubts(ideoflow)) == 1


def test_two_that_begin_alike_are_told_apart(project: Any, ideoflow: Any) -> None:
    """A beginning that several share is refused; so is a generation without saying whose it is."""
    project.manifest(ONE)
    project.faults({"match": {"kind": "post"}, "fault": "lost_ack"})
    assert project.spawn("generate", "--yes").code == 4
    first, second = (doubt["request_id"] for doubt in doubts(ideoflow))
    # Both were made within this minute or the next: ids begin with the time.
    shared = first[:6]
    assert second.startswith(shared)
    said = ideoflow("recover", "--resubmit", shared)
    assert said.code == 2
    assert "could be 2 requests" in said.err
    said = ideoflow("recover", "--generation", "g1")
    assert said.code == 2
    assert "--request" in said.err


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("500_after", "--resubmit"),
        ("500_after", "--write-off"),
        ("500_after", "--generation"),
        ("html_200", "--resubmit"),
        ("html_200", "--write-off"),
        ("empty_200", "--generation"),
    ],
)
def test_an_answer_that_says_nothing_is_doubt_too(project: Any, ideoflow: Any, fault: str, verdict: str) -> None:
    """An answer on record of which nobody can make anything is settled like a missing one."""
    from flows.sandbox.state import read_ledger

    project.manifest(ONE.replace("count: 2", "count: 1"))
    project.faults({"match": {"kind": "post"}, "fault": fault, "count": 1})
    assert ideoflow("generate", "--yes").code == 4
    (doubt,) = doubts(ideoflow)
    (billed,) = read_ledger(project.state)["requests"]
    name = billed["generation_id"] if verdict == "--generation" else doubt["request_id"]
    said = ideoflow("recover", verdict, name)
    assert said.code == 0, said
    assert ideoflow("generate", "--yes").code == 0
    assert project.billed() == (2 if verdict == "--resubmit" else 1)
    assert len(project.pictures()) == (0 if verdict == "--write-off" else 1)


def killed_after_its_answer(project: Any, until: Any, answers: int = 1) -> None:
    """Start a run whose generation never ends, and kill it when the answer is on record."""
    project.faults({"match": {"kind": "poll"}, "fault": "500_poll"})
    with project.start("generate", "--yes") as victim:
        until(lambda: len(list(project.journal.glob("*.ack"))) == answers)
        os.kill(victim.pid, signal.SIGKILL)
    project.faults()


def test_what_the_dead_left_is_finished(project: Any, ideoflow: Any, until: Any) -> None:
    """An answered request of a run that was killed is fetched, and nothing is bought for it."""
    project.manifest(ONE.replace("count: 2", "count: 1"))
    killed_after_its_answer(project, until)
    said = ideoflow("plan")
    assert "1 image paid for by an earlier run, still to be fetched" in said.out
    said = ideoflow("recover")
    assert said.code == 0
    assert "1 image recovered" in said.out
    assert project.billed() == len(project.pictures()) == 1
    assert "nothing open" in ideoflow("recover").out


def test_where_nothing_is_open_nothing_is_started(project: Any, ideoflow: Any) -> None:
    """No sandbox, no key, no file: also of the real API, whose key is missing here."""
    for settings in ("", "api: {base_url: 'https://api.ideogram.ai'}\n"):
        if settings:
            (project.root / "configs" / "base.yaml").write_text(settings, encoding="utf-8")
        before = project.files()
        said = ideoflow("recover")
        assert (said.code, "nothing open" in said.out) == (0, True), said
        assert project.files() == before
        assert not project.state.exists()


def test_what_has_ended_is_sealed_without_the_api(project: Any, ideoflow: Any) -> None:
    """An entry whose run died between its end and sealing it becomes history, and no server is started for it."""
    ws = open_workspace(project.root, (), {})
    request = ws.new_id()
    claim = Claim(
        request_id=request,
        run_id="gone",
        fingerprint="f" * 64,
        n=0,
        images=1,
        origin="sandbox",
        model="ideogram-3",
        path="/v1/ideogram-v3/generate",
        body={},
        labels=Labels("sea", "sea", "a calm sea"),
        name_template="{image_id}.{ext}",
        price_usd=Decimal("0.06"),
        price_source="a page",
        claimed_at=ws.now(),
        owner=this_process("gone"),
    )
    end = End(request, claim, ws.now(), Outcome.VOID, answered=True, reason="turned away")
    assert ws.journal.put(claim.fingerprint, 0, Step.CLAIM, claim)
    assert ws.journal.put(claim.fingerprint, 0, Step.END, end)
    said = ideoflow("recover")
    assert (said.code, "nothing open" in said.out) == (0, True), said
    assert ws.journal.names() == []
    rows = ws.parts.read(ws.parts.listing("requests"), "requests", ["request_id", "outcome"]).to_pylist()
    assert rows == [{"request_id": request, "outcome": "void"}]
    assert not project.state.exists()


def test_generate_tells_of_it_once(project: Any, ideoflow: Any, until: Any) -> None:
    """Recovered images are not also said to have been there: the account adds up to what is wanted."""
    project.manifest(ONE)
    killed_after_its_answer(project, until, answers=2)
    project.manifest(ONE.replace("count: 2", "count: 3"))
    report = json.loads(ideoflow("generate", "--yes", "--json").out)
    assert report["exit_code"] == 0
    totals = {name: total["images"] for name, total in report["totals"].items()}
    assert totals == {"recovered": 2, "bought": 1}
    assert report["spent_usd"] == "0.06"
    assert project.billed() == 3


@pytest.mark.parametrize(
    ("verdict", "finder"),
    [
        ("--resubmit", "generate"),
        pytest.param("--write-off", "recover", marks=pytest.mark.slow),
        pytest.param("--resubmit", "recover", marks=pytest.mark.slow),
        pytest.param("--write-off", "generate", marks=pytest.mark.slow),
    ],
)
def test_a_late_answer_is_kept_and_told(project: Any, ideoflow: Any, until: Any, verdict: str, finder: str) -> None:
    """An answer that turns up after the verdict is fetched and reported: paid twice by that choice, or found."""
    project.manifest(ONE.replace("count: 2", "count: 1"))
    killed_after_its_answer(project, until)
    (ack,) = project.journal.glob("*.ack")
    held = ack.read_bytes()
    ack.unlink()  # the answer is still on its way, as far as anyone can see
    (doubt,) = doubts(ideoflow)
    assert ideoflow("recover", verdict, doubt["request_id"]).code == 0
    if verdict == "--resubmit":
        assert ideoflow("generate", "--yes").code == 0
        assert project.billed() == 2
    ack.parent.mkdir(exist_ok=True)
    ack.write_bytes(held)
    said = ideoflow("generate", "--yes") if finder == "generate" else ideoflow("recover")
    assert said.code == 0, said
    assert ("paid twice" if verdict == "--resubmit" else "found after all") in said.out
    assert len(project.pictures()) == project.billed()
    rows = json.loads(ideoflow("history", "--json").out)
    assert [row["status"] for row in rows] == ["stored"] * project.billed()
    assert "nothing to buy" in ideoflow("plan").out


def test_resubmitting_by_setting_waits_a_quarter_of_an_hour(lost: Any, ideoflow: Any) -> None:
    """generate.in_doubt: resubmit leaves a fresh doubt alone: it may still be answered."""
    lost.settings("generate: {in_doubt: resubmit}\n")
    assert ideoflow("generate", "--yes").code == 4
    assert lost.billed() == 2


def test_resubmitting_by_setting_is_reported(lost: Any, ideoflow: Any) -> None:
    """An old one is bought again, and the report says that this was the setting's doing."""
    lost.settings("generate: {in_doubt: resubmit}\n")
    for record in lost.journal.iterdir():
        os.utime(record, (0, 0))
    said = ideoflow("generate", "--yes")
    assert said.code == 0, said
    assert "as generate.in_doubt says" in said.out
    assert lost.billed() == 3
    assert len(lost.pictures()) == 2
