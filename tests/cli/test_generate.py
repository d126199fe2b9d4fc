"""plan, generate and validate: every option, every exit code, and what each leaves on disk."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

KEY = "sk-very-secret-0123456789"


def test_a_plan_changes_nothing(project: Any, ideoflow: Any) -> None:
    """Not a byte on disk is other than before, whether anything has been bought or not."""
    before = project.files()
    said = ideoflow("plan")
    assert said.code == 0
    assert "4 images to buy for $0.23 from the sandbox" in said.out
    assert project.files() == before
    assert ideoflow("generate", "--yes").code == 0
    before = project.files()
    assert "nothing to buy" in ideoflow("plan").out
    assert project.files() == before


def test_what_is_wanted_is_bought_once(project: Any, ideoflow: Any) -> None:
    """The first run buys, the second finds all of it there; the ledger agrees."""
    said = ideoflow("generate", "--yes")
    assert said.code == 0, said
    assert "generate: done, 4 images bought, $0.23 spent" in said.out
    assert said.out.splitlines()[-1].startswith("next ")
    assert project.billed() == len(project.pictures()) == 4
    again = ideoflow("generate", "--yes")
    assert again.code == 0
    assert "nothing bought" in again.out
    assert project.billed() == 4


def test_without_a_terminal_buying_needs_a_yes(project: Any, ideoflow: Any) -> None:
    """A script that does not say --yes buys nothing and learns what it would have cost."""
    said = ideoflow("generate")
    assert (said.code, said.out) == (2, "")
    assert said.err == "ideoflow: this would buy 4 images for $0.23: say --yes\n"
    assert project.billed() == 0


@pytest.mark.parametrize(
    ("select", "names"),
    [
        (["tile"], {"tile"}),
        (["tag:pattern"], {"tile"}),
        (["campaign:summer"], {"tile", "strasse", "badge"}),
        (["badge", "strasse"], {"badge", "strasse"}),
    ],
)
def test_select_means_only_these(ideoflow: Any, select: list[str], names: set[str]) -> None:
    """--select takes an id, a tag or a campaign, and repeats."""
    said = ideoflow("plan", "--json", *(word for name in select for word in ("--select", name)))
    assert said.code == 0
    assert {item["prompt_id"] for item in json.loads(said.out)["items"]} == names


def test_selecting_nothing_is_a_slip(ideoflow: Any) -> None:
    """A name that nothing bears is refused, not taken for an empty plan."""
    said = ideoflow("plan", "--select", "tiles")
    assert said.code == 2
    assert "nothing in the manifest is called tiles" in said.err


def test_a_limit_is_kept_and_is_no_failure(project: Any, ideoflow: Any) -> None:
    """--limit buys so many, exits 0 since that was asked for, and the next run goes on."""
    said = ideoflow("generate", "--yes", "--limit", "3")
    assert said.code == 0
    assert project.billed() == 3
    assert "1 left out" in said.out
    assert ideoflow("generate", "--yes").code == 0
    assert project.billed() == 4


def test_a_cap_is_unfinished_business(project: Any, ideoflow: Any) -> None:
    """budget.per_run_usd stops before it is passed: exit 4, with what to do."""
    project.settings("budget: {per_run_usd: 0.10}\n")
    said = ideoflow("generate", "--yes")
    assert said.code == 4
    assert "raise budget.per_run_usd" in said.out.splitlines()[-1]
    assert 0 < project.billed() < 4


def test_json_is_all_there_is(project: Any, ideoflow: Any) -> None:
    """With --json standard output is one JSON document and standard error is silent."""
    for argv in (["validate"], ["plan"], ["generate", "--yes"], ["plan"], ["recover"], ["history"]):
        said = ideoflow(*argv, "--json")
        assert said.code == 0
        assert said.err == ""
        assert json.loads(said.out) is not None
    report = json.loads(ideoflow("generate", "--yes", "--json").out)
    assert report["exit_code"] == 0
    assert report["totals"] == {"had": {"images": 4, "cost_usd": "0"}}
    told = json.loads(ideoflow("history", "--json", "--out", "rows.csv").out)
    assert told == {"images": 4, "written": "rows.csv"}


def test_money_in_json_is_exact(ideoflow: Any) -> None:
    """Prices are decimal strings, never floats."""
    plan = json.loads(ideoflow("plan", "--json").out)
    assert plan["cost_usd"] == "0.23"
    assert all(isinstance(item["each_usd"], str) for item in plan["items"])


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["plann"], "plann"),
        (["plan", "--limt", "3"], "--limt"),
        (["plan", "--limit", "many"], "'--limit'"),
        (["plan", "--limit", "0"], "greater than or equal to 1"),
        (["generate", "--yes", "stray"], "stray"),
        (["sandbox", "--port", "x"], "'--port'"),
    ],
)
def test_slips_of_the_command_line_are_one_line(ideoflow: Any, argv: list[str], says: str) -> None:
    """What was typed wrong, and where to read more: exit 2."""
    said = ideoflow(*argv)
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("ideoflow: ")
    assert says in said.err
    assert "--help`" in said.err


def test_no_words_at_all_give_the_help(ideoflow: Any) -> None:
    """Bare `ideoflow` shows what there is."""
    said = ideoflow()
    assert said.code in {0, 2}
    assert "generate" in said.out + said.err


def test_the_version_is_told(ideoflow: Any) -> None:
    """One line, for bug reports."""
    assert re.fullmatch(r"ideoflow \d+\.\d+\.\d+\S*\n", ideoflow("--version").out)


def test_a_broken_manifest_is_told_by_place_and_remedy(project: Any, ideoflow: Any) -> None:
    """Every problem begins with file, line and column; nothing is bought; no traceback."""
    project.manifest("version: 1\nprompts:\n  - {id: a, promt: x}\n  - {id: b, prompt: y, model: ideogram-5}\n")
    for verb in (["validate"], ["plan"], ["generate", "--yes"]):
        said = ideoflow(*verb)
        assert (said.code, said.out) == (2, "")
        assert re.search(r"^prompts\.yaml:3:\d+: .*promt", said.err, re.MULTILINE)
        assert re.search(r"^prompts\.yaml:4:\d+: .*ideogram-5", said.err, re.MULTILINE)
        assert "prompt" in said.err
        assert "Traceback" not in said.err
        assert said.err.splitlines()[-1].endswith("nothing was changed")
    assert project.billed() == 0


def test_a_wrong_setting_is_told_by_place(project: Any, ideoflow: Any) -> None:
    """So are the problems of configs/ and of the environment."""
    project.settings("budget: {per_run_usd: lots}\n")
    said = ideoflow("plan")
    assert said.code == 2
    assert "configs/base.yaml:3:" in said.err


def test_an_unknown_price_is_named(project: Any, ideoflow: Any) -> None:
    """A model without a price is refused, with what to add to the price book: it is never free."""
    (project.root / "configs" / "prices.yaml").write_text(
        "sources: {page: {url: 'https://example.com', checked: 2026-01-01}}\n"
        "models: {V_2: {default: [{usd: '0.08', since: 2024-08-21, source: page}]}}\n",
        encoding="utf-8",
    )
    for verb in (["validate"], ["plan"], ["generate", "--yes"]):
        said = ideoflow(*verb)
        assert said.code == 2, said
        assert "ideogram-3" in said.err
        assert "prices.yaml" in said.err
    assert project.billed() == 0


def test_a_missing_key_is_said_before_anything_else(project: Any, ideoflow: Any) -> None:
    """Buying from the real API without a key: exit 2 with the remedy, and nothing is written."""
    project.settings("api: {base_url: 'https://api.ideogram.ai'}\n", "production")
    before = project.files()
    said = ideoflow("generate", "--yes", "--config", "production")
    assert (said.code, said.out) == (2, "")
    assert "export IDEOGRAM_API_KEY" in said.err
    assert project.files() == before
    assert ideoflow("plan", "--config", "production").code == 0


@pytest.mark.slow
def test_a_key_is_never_printed(project: Any, ideoflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by a failure to reach the API, not by a slip in the key, not into any file."""
    monkeypatch.setenv("IDEOGRAM_API_KEY", KEY)
    # Port 9 of loopback: nobody listens there.
    project.settings("api: {base_url: 'http://127.0.0.1:9'}\n", "away")
    said = ideoflow("generate", "--yes", "--config", "away", "--limit", "1", "--select", "tile")
    assert said.code == 4
    assert KEY not in said.out + said.err
    assert not any(KEY.encode() in data for data in project.files().values())
    monkeypatch.setenv("IDEOGRAM_API_KEY", f"{KEY} and more")
    said = ideoflow("generate", "--yes", "--config", "away")
    assert said.code == 2
    assert KEY not in said.out + said.err


def test_a_storage_that_cannot_keep_a_journal_is_refused(project: Any, ideoflow: Any) -> None:
    """No exclusive creation, no purchase: unless somebody says that only one run at a time uses it."""
    project.settings("storage: {history: 'memory://cli/history'}\n")
    said = ideoflow("generate", "--yes")
    assert said.code == 2
    assert "set storage.single_writer: true" in said.err
    assert project.billed() == 0


@pytest.mark.parametrize("room", ["history", "images"])
def test_a_disk_that_cannot_be_written_is_words(project: Any, ideoflow: Any, room: str) -> None:
    """Exit 4 and a sentence, never a traceback; put right, the next run buys what is missing, and that once."""
    (project.root / "data").mkdir()
    blocked = project.root / "data" / room
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    said = ideoflow("generate", "--yes")
    assert said.code == 4, said
    assert "Traceback" not in said.err + said.out
    assert f"data/{room}" in said.err + said.out
    blocked.unlink()
    assert ideoflow("generate", "--yes").code == 0
    assert project.billed() == len(project.pictures()) == 4


def test_a_report_that_cannot_be_written_is_told_of_in_the_summary(project: Any, ideoflow: Any) -> None:
    """The pictures and their record are safe, so it is no failure: everything else is printed as ever."""
    (project.root / "data").mkdir()
    (project.root / "data" / "reports").write_text("a file where a folder should be", encoding="utf-8")
    said = ideoflow("generate", "--yes")
    assert said.code == 0, said
    assert "the report could not be written" in " ".join(said.out.split())
    assert "Traceback" not in said.out + said.err
    assert project.billed() == len(project.pictures()) == 4


def test_labels_are_renamed_once(project: Any, ideoflow: Any) -> None:
    """A new id, campaign or tag buys nothing and moves no file; the history shows it, and says so only once."""
    ideoflow("generate", "--yes")
    before = project.pictures()
    text = (project.root / "prompts.yaml").read_text(encoding="utf-8")
    project.manifest(text.replace("id: tile", "id: azulejo").replace("campaign: summer", "campaign: autumn"))
    for _ in range(2):
        said = ideoflow("generate", "--yes")
        assert said.code == 0
        assert "nothing bought" in said.out
    assert project.billed() == 4
    assert project.pictures() == before
    rows = json.loads(ideoflow("history", "--json").out)
    assert {row["prompt_id"] for row in rows} == {"azulejo", "strasse", "badge"}
    assert {row["campaign"] for row in rows} == {"autumn"}
    assert len(list((project.root / "data" / "history" / "lifecycle").rglob("*.parquet"))) == 1


def test_less_in_the_manifest_deletes_nothing(project: Any, ideoflow: Any) -> None:
    """A lower count or a removed prompt leaves all files; the plan says how many images left the manifest."""
    ideoflow("generate", "--yes")
    before = project.pictures()
    text = (project.root / "prompts.yaml").read_text(encoding="utf-8")
    text = re.sub(r"  - \{id: badge.*\n", "", text).replace("count: 2", "count: 1")
    project.manifest(text)
    said = ideoflow("plan")
    assert said.code == 0
    assert "left the manifest, kept: badge (1)" in said.out
    assert ideoflow("generate", "--yes").code == 0
    assert project.pictures() == before
    assert project.billed() == 4
    assert "left the manifest" not in ideoflow("plan", "--manifest", "prompts.yaml").out, "one file is not all of them"


def test_a_refused_prompt_stays_blocked(project: Any, ideoflow: Any) -> None:
    """What the safety check refused is not asked for again, and every run says so: exit 4."""
    project.manifest('version: 1\ndefaults: {model: ideogram-3}\nprompts:\n  - {id: bad, prompt: "an unsafe-prompt"}\n')
    assert ideoflow("generate", "--yes").code == 4
    again = ideoflow("generate", "--yes")
    assert again.code == 4
    assert "change the prompt" in again.out
    assert "blocked" in ideoflow("plan").out
    assert project.billed() == 0


def test_the_report_says_where_it_is(project: Any, ideoflow: Any) -> None:
    """Each run leaves a JSON and a Markdown report, and names the latter relative to where one stands."""
    said = ideoflow("generate", "--yes")
    line = next(line for line in said.out.splitlines() if line.startswith("report"))
    where = Path(line.split()[1])
    assert not where.is_absolute()
    assert (project.root / where).read_text(encoding="utf-8").startswith("# generate: done")
    assert json.loads((project.root / where).with_suffix(".json").read_text(encoding="utf-8"))["exit_code"] == 0


def test_a_named_manifest_wins(project: Any, ideoflow: Any) -> None:
    """--manifest takes globs and repeats; one that is not there is refused."""
    folder = project.root / "campaigns"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.yaml").write_text(
            f'version: 1\ndefaults: {{model: ideogram-3}}\nprompts:\n  - {{id: {name}, prompt: "{name} sea"}}\n',
            encoding="utf-8",
        )
    said = ideoflow("plan", "--json", "--manifest", "campaigns/*.yaml")
    assert [item["variant"] for item in json.loads(said.out)["items"]] == ["a", "b"]
    said = ideoflow("validate", "campaigns/a.yaml", "--json")
    assert json.loads(said.out)["variants"] == 1
    said = ideoflow("plan", "--manifest", "campaigns/c.yaml")
    assert said.code == 2
    assert "there is no such manifest" in said.err
