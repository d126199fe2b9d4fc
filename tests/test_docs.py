"""What the pages promise holds: links lead somewhere, commands are commands, settings are settings, Python runs."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from flows.cli.base import app
from flows.settings.model import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "data" / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SETTING = re.compile(r"`((?:api|storage|budget|generate|sandbox|schedules)\.[a-z_.]+)`")


SNIPPETS = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, (language, code) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
    if language == "python"
]


def commands(text: str) -> Iterator[list[str]]:
    """The words of each `ideoflow` command in the page's console blocks."""
    import flows.cli.app  # noqa: F401  the verbs register themselves

    for language, block in BLOCK.findall(text):
        if language not in {"console", "bash", "sh"}:
            continue
        for line in block.replace("\\\n", " ").splitlines():
            if not line.startswith(("$ ", "ideoflow ")):
                continue  # what the program answers
            words = shlex.split(line.removeprefix("$ "), comments=True)
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words = words[1:]
            if words and words[0] == "ideoflow":
                yield words[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file of the project."""
    links = [link.partition("#")[0] for link in LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))]
    dead = [link for link in links if link and "://" not in link and not (page.parent / link).exists()]
    assert not dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_commands(page: Path) -> None:
    """Every command of a console block is one that the program understands, options and all."""
    program: Any = typer.main.get_command(app)
    for words in commands(page.read_text(encoding="utf-8")):
        name, _, rest = words[0], words, words[1:]
        if name.startswith("-"):
            continue
        assert name in program.commands, f"ideoflow {shlex.join(words)}: no such verb"
        verb = program.commands[name]
        # Raises where an option or an argument is not known; runs nothing.
        verb.make_context(name, rest, resilient_parsing=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_are_settings(page: Path) -> None:
    """Every `section.key` in a page is a key of the settings."""
    for name in SETTING.findall(page.read_text(encoding="utf-8")):
        model: Any = Settings
        for key in name.split("."):
            fields = getattr(model, "model_fields", {})
            assert key in fields, f"{name} is no setting"
            model = fields[key].annotation


def test_the_check_sees_what_is_wrong() -> None:
    """A verb, an option or a link that does not exist would be told."""
    (words,) = commands("```console\n$ KEY=1 ideoflow plan --qoute  # exact\n```\n")
    program: Any = typer.main.get_command(app)
    with pytest.raises(typer.TyperException):
        program.commands["plan"].make_context("plan", words[1:])


def test_there_are_snippets() -> None:
    """The pattern above still finds them."""
    assert len(SNIPPETS) >= 3


@pytest.mark.parametrize("code", SNIPPETS)
def test_a_snippet_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a project with a history, from its folder, without warnings."""
    shutil.copytree(ROOT / "tests" / "history" / "released" / "0.1.0", tmp_path / "data" / "history")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "snippet", "exec"), {})  # noqa: S102  our own documentation
