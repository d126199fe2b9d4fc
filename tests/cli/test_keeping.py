"""The verbs retain, restore and decide, as they are typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

POLICY = """\
version: 1
enabled: true
grace: 0h
classes:
  pattern: {match: {tag: pattern}, keep_last: 1}
"""


@pytest.fixture(scope="session")
def kept_once(new_project: Any) -> Path:
    """A project whose four images have been bought: two of them tiles."""
    project = new_project()
    said = project.spawn("generate", "--yes")
    assert said.code == 0, said
    (project.root / "configs/retention.yaml").write_text(POLICY, encoding="utf-8")
    return Path(project.root)


@pytest.fixture
def kept(project: Any, kept_once: Path) -> Any:
    """A copy of it."""
    shutil.copytree(kept_once, project.root, dirs_exist_ok=True)
    return project


def images(ideoflow: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ideoflow("history", "--json").out)
    return found


def test_shown_then_done_then_undone(kept: Any, ideoflow: Any) -> None:
    """The last line always says what to do next, and doing that works."""
    before = kept.files()
    shown = ideoflow("retain", "--details")
    assert shown.code == 0, shown
    assert kept.files() == before
    assert "Pictures tagged pattern are kept while they are the last of their variant (pattern)" in shown.out
    assert "2nd of tile, the last 1 are kept" in shown.out
    assert shown.out.splitlines()[-1] == "next     `ideoflow retain --apply` does this"
    done = ideoflow("retain", "--apply", "--json")
    report = json.loads(done.out)
    assert (done.code, report["applied"], report["totals"]["trashed"]["images"]) == (0, True, 1)
    undo = report["next_step"].split("`")[1].split()
    assert undo[:2] == ["ideoflow", "restore"]
    back = ideoflow("restore", undo[2])
    assert (back.code, back.out.splitlines()[-1][:27]) == (0, "next     1 picture restored")
    assert ideoflow("retain").out.splitlines()[-1] == "next     nothing has to go today"


def test_apply_is_refused_while_the_policy_is_off(kept: Any, ideoflow: Any) -> None:
    """Exit 2, saying what to do; without a policy as well."""
    path = kept.root / "configs/retention.yaml"
    path.write_text(POLICY.replace("true", "false", 1), encoding="utf-8")
    said = ideoflow("retain", "--apply")
    assert said.code == 2
    assert "configs/retention.yaml is switched off" in said.err
    assert ideoflow("retain").out.splitlines()[-1].startswith("next     set `enabled: true` in configs/retention.yaml")
    path.unlink()
    assert ideoflow("retain", "--apply").code == 2
    assert ideoflow("retain").out.splitlines()[-1] == "next     write configs/retention.yaml to say what may go"


def test_a_refusal_says_what_to_pass_and_passing_it_works(kept: Any, ideoflow: Any) -> None:
    """More than the policy's part of a brand."""
    path = kept.root / "configs/retention.yaml"
    path.write_text(POLICY + "max_fraction: 0.1\n", encoding="utf-8")
    refused = ideoflow("retain", "--apply")
    assert refused.code == 2
    switch = refused.err.strip().rpartition("pass ")[2].split()
    assert switch == ["--max-fraction", "0.25"]
    assert ideoflow("retain", "--apply", *switch).code == 0


def test_rejected_with_replace_one_more_is_bought_and_linked(kept: Any, ideoflow: Any) -> None:
    """Once; and the lifecycle says which stands in for which."""
    import pandas as pd

    old = next(row for row in images(ideoflow) if row["prompt_id"] == "badge")
    said = ideoflow("decide", "reject", old["image_id"][:30], "--replace", "--reason", "too blue")
    assert said.code == 0, said
    assert "`ideoflow plan` shows what it buys" in said.out.splitlines()[-1]
    (item,) = [one for one in json.loads(ideoflow("plan", "--json").out)["items"] if one["buy"]]
    assert (item["buy"], item["reason"]) == (1, "1 wanted, 0 bought, 1 given up")
    assert kept.billed() == 4
    assert ideoflow("generate", "--yes").code == 0
    assert kept.billed() == 5
    assert ideoflow("generate", "--yes").code == 0
    assert kept.billed() == 5, "one place, one picture"
    new = next(row for row in images(ideoflow) if row["prompt_id"] == "badge" and row["image_id"] != old["image_id"])
    events = pd.read_parquet(kept.root / "data/history/lifecycle")
    links = [json.loads(row) for row in events[events["event"] == "replaced"]["details"]]
    assert {"by": new["image_id"]} in links
    rejected = events[events["event"] == "rejected"].iloc[0]
    assert rejected["reason"] == "too blue"
    assert json.loads(rejected["details"]) == {"sha256": old["sha256"]}
    assert rejected["actor"]


def test_decisions_of_a_file_are_made_once(kept: Any, ideoflow: Any) -> None:
    """For a pull request: bound to the pictures that were looked at, and repeated without effect."""
    first, second, third, _ = images(ideoflow)
    (kept.root / "review.csv").write_text(
        "image,verdict,sha256,by,reason\n"
        f"{first['image_id']},approve,{first['sha256'][:12]},ann,the right hue\n"
        f"{second['image_id']},hold,,ann,\n"
        f"{third['image_id']},reject,,bob,lettering\n",
        encoding="utf-8",
    )
    said = ideoflow("decide", "--from", "review.csv", "--json")
    assert [(one["verdict"], one["changed"]) for one in json.loads(said.out)] == [
        ("approve", True),
        ("hold", True),
        ("reject", True),
    ]
    before = kept.files()
    again = ideoflow("decide", "--from", "review.csv")
    assert again.out.splitlines()[-1].startswith("next     nothing new on record")
    assert kept.files() == before


def test_a_review_of_another_picture_changes_nothing(kept: Any, ideoflow: Any) -> None:
    """Nor does one with a slip in its last line: all problems at once, with their places."""
    first, second, *_ = images(ideoflow)
    (kept.root / "review.yaml").write_text(
        "version: 1\ndecisions:\n"
        f"  - {{image: {second['image_id']}, verdict: hold}}\n"
        f'  - {{image: {first["image_id"]}, verdict: approve, sha256: "{second["sha256"]}"}}\n'
        '  - {image: "ffff0000-0", verdict: hold}\n'
        f"  - {{image: {second['image_id']}, verdict: release}}\n",
        encoding="utf-8",
    )
    before = kept.files()
    said = ideoflow("decide", "--from", "review.yaml")
    assert said.code == 2
    assert kept.files() == before
    assert "review.yaml:4:" in said.err
    assert "is not the picture that was looked at" in said.err
    assert "review.yaml:5:" in said.err
    assert "decided twice: hold and release" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say hold, release, approve, reject, accept"),
        (("keep", "0123"), "say hold, release"),
        (("hold",), "hold what?"),
        (("hold", "ffff0000"), 'no image is called "ffff0000"'),
        (("accept", "ffff0000"), 'no finding is called "ffff0000"'),
        (("approve", "0", "--replace"), "goes with reject alone"),
        (("hold", "--from", "x.csv"), "--from takes everything from the file"),
        (("--from", "none.csv"), "there is no file none.csv"),
    ],
)
def test_a_slip_is_told_in_words(kept: Any, ideoflow: Any, words: tuple[str, ...], said: str) -> None:
    """Exit 2, and nothing on record."""
    before = kept.files()
    result = ideoflow("decide", *words)
    assert result.code == 2
    assert said in result.err
    assert kept.files() == before


def test_an_accepted_finding_is_on_record(kept: Any, ideoflow: Any) -> None:
    """As the audit looks it up: by the finding's id."""
    from datetime import UTC, datetime

    from flows.workspace import open_workspace

    ws = open_workspace(kept.root, (), {})
    row = {"finding_id": "0123456789abcdef", "check": "palette", "code": "palette.off_brand", "subject": "s"}
    ws.parts.write(
        "findings", "2026-11", [row | {"message": "too blue", "found_at": datetime(2026, 11, 1, tzinfo=UTC)}]
    )
    said = ideoflow("decide", "accept", "0123", "--reason", "meant so", "--json")
    assert json.loads(said.out) == [
        {"id": "0123456789abcdef", "name": "too blue", "verdict": "accept", "changed": True, "note": ""}
    ]
    (event,) = ws.parts.read(ws.parts.listing("lifecycle"), "lifecycle").to_pylist()
    assert (event["event"], json.loads(event["details"])["finding_id"]) == ("accepted", "0123456789abcdef")
    assert json.loads(ideoflow("decide", "accept", "0123", "--json").out)[0]["changed"] is False
