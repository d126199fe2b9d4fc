"""What a shell completes: asked as the shells themselves ask, in a project with a history."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main

import flows.cli.app  # noqa: F401  the verbs register themselves
from flows.cli.base import app
from flows.history import current

ROOT = Path(__file__).resolve().parents[2]
Completing = Callable[..., list[str]]


@pytest.fixture
def complete(project: Any, monkeypatch: pytest.MonkeyPatch) -> Completing:
    """The completions of the last of some words, by the option's or argument's own function."""
    monkeypatch.chdir(project.root)

    def ask(*words: str) -> list[str]:
        program: Any = typer.main.get_command(app)
        verb, *before, incomplete = words
        command = program.commands[verb]
        option = before[-1] if before and before[-1].startswith("-") else None
        context = command.make_context(verb, [*before[: -1 if option else None]], resilient_parsing=True)
        (parameter,) = [
            one
            for one in command.params
            if (option in one.opts if option else one.param_type_name == "argument" and one._custom_shell_complete)
        ]
        return [item.value for item in parameter.shell_complete(context, incomplete)]

    return ask


def test_select_knows_the_manifest(complete: Completing) -> None:
    """Prompts, tags and campaigns of what is wanted."""
    assert complete("plan", "--select", "") == ["badge", "campaign:summer", "strasse", "tag:pattern", "tile"]
    assert complete("generate", "--select", "t") == ["tag:pattern", "tile"]
    assert complete("generate", "--select", "campaign:") == ["campaign:summer"]


def test_variants_are_offered_behind_an_at(complete: Completing, project: Any) -> None:
    """There can be thousands: only who asks for one sees them."""
    matrix = "  - {id: sun, prompt: 'a {mood} sun', matrix: {mood: [calm, wild]}}\n"
    manifest = project.root / "prompts.yaml"
    manifest.write_text(manifest.read_text(encoding="utf-8") + matrix, encoding="utf-8")
    assert complete("plan", "--select", "sun") == ["sun"]
    assert complete("plan", "--select", "sun@mood=") == ["sun@mood=calm", "sun@mood=wild"]


def test_another_manifest_and_another_project(complete: Completing, project: Any, tmp_path: Path) -> None:
    """What was typed before counts."""
    other = tmp_path / "elsewhere"
    (other / "configs").mkdir(parents=True)
    (other / "configs" / "mine.yaml").write_text("{}", encoding="utf-8")
    (other / "prompts.yaml").write_text(
        "version: 1\nprompts: [{id: moon, prompt: a moon, model: V_2}]\n", encoding="utf-8"
    )
    assert complete("plan", "--project", str(other), "--select", "") == ["moon"]
    assert complete("plan", "--manifest", str(other / "prompts.yaml"), "--select", "") == ["moon"]
    assert complete("plan", "--project", str(other), "--config", "") == ["mine"]


def test_what_was_bought(complete: Completing, ideoflow: Any, project: Any) -> None:
    """Campaigns, brands, models and ids of the history; the latest ids."""
    assert complete("history", "--campaign", "") == []
    assert ideoflow("generate", "--yes").code == 0
    assert complete("history", "--campaign", "") == ["summer"]
    assert complete("history", "--brand", "h") == ["helio"]
    assert complete("history", "--model", "") == ["V_2", "ideogram-3"]
    ids = sorted(current(project.root).image_id)
    assert complete("restore", "") == ids
    assert complete("decide", "hold", ids[0][:30]) == [one for one in ids if one.startswith(ids[0][:30])]
    assert complete("whois", ids[0][:30]) == complete("decide", ids[0][:30])
    assert complete("whois", "") == []
    offered = complete("export", "--select", "")
    assert {"tile", "tag:pattern", "campaign:summer", "brand:helio", "state:kept", "state:approved"} <= set(offered)


def test_models_of_the_catalogue(complete: Completing) -> None:
    """Those that `import` can take pictures for."""
    assert "V_2_TURBO" in complete("import", "--model", "V_2")


def test_trouble_completes_to_nothing(
    complete: Completing, project: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest with mistakes, settings with mistakes, no project: silence."""
    (project.root / "prompts.yaml").write_text("prompts: [", encoding="utf-8")
    assert complete("plan", "--select", "") == []
    (project.root / "configs" / "base.yaml").write_text("nonsense: 1", encoding="utf-8")
    assert complete("history", "--campaign", "") == []
    monkeypatch.setenv("IDEOFLOW_PROJECT", "/nowhere")
    assert complete("plan", "--config", "") == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("bash", {"COMP_WORDS": "ideoflow plan --select t", "COMP_CWORD": "3"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "ideoflow plan --select t"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "ideoflow plan --select t", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_shells_ask_and_are_answered(shell: str, words: dict[str, str], project: Any) -> None:
    """As the script that `--install-completion` writes does it."""
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli"],
        cwd=project.root,
        env={**os.environ, **words, "_IDEOFLOW_COMPLETE": f"complete_{shell}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "tile" in done.stdout
    assert "tag:pattern" in done.stdout.replace("\\", "")
    assert "badge" not in done.stdout
    assert done.stderr == ""
