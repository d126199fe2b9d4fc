"""What the pages promise holds: links lead somewhere, commands are commands, settings are settings, Python runs."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer.main

from flows.brand.load import load_brand
from flows.checks.policy import AuditPolicy
from flows.cli.base import app
from flows.documents import parse, validate
from flows.errors import InvalidInput
from flows.manifest.load import load
from flows.retention.policy import load_policy
from flows.settings import Sections
from flows.settings.model import Settings
from flows.workspace import open_workspace

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "data" / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SETTING = re.compile(r"`((?:api|storage|budget|generate|retain|sandbox|schedules)\.[a-z_.]+)`")


YAML = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, (language, code) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
    if language == "yaml"
]
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
            words = list(itertools.takewhile(lambda word: word not in {"||", "&&", "|", ">"}, words))
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
    assert len(YAML) >= 10


def read_as_what_it_is(code: str) -> str:
    """Read a piece of YAML as the program does; what kind it was taken for. InvalidInput where it is wrong."""
    document = parse(code.encode(), "snippet")
    if code.startswith("- id:"):
        code = f"version: 1\nvars: {{look: calm}}\nprompts:\n{textwrap.indent(code, '  ')}"
    if code.startswith(("- id:", "version: 1")) or "\nversion: 1" in code:
        ws = open_workspace(ROOT, (), {})
        if "classes" in document.data:
            load_policy(code, "snippet")
            return "retention"
        load([("snippet", code.encode())], datetime(2026, 11, 22, tzinfo=UTC), ZoneInfo("UTC"), ws.brand)
        return "manifest"
    if code.startswith("# configs/brands/"):
        load_brand("helio", document)
        return "brand"
    if code.startswith("# configs/audit.yaml"):
        AuditPolicy.load(document)
        return "audit"
    if code.startswith("# configs/"):
        validate(document, Sections)
        return "settings"
    return "other"


@pytest.mark.parametrize("code", YAML)
def test_yaml_is_what_it_claims(code: str) -> None:
    """A manifest, settings, a policy or a brand is one that the program takes; what is for others is YAML."""
    kind = read_as_what_it_is(code)
    ours = ("prompt:", "storage:", "color:", "palette:", "classes:", "budget:")
    assert kind != "other" or not any(line.lstrip("- ").startswith(ours) for line in code.splitlines())


def test_messages_of_the_faq_are_messages() -> None:
    """What a heading quotes is said somewhere in the program: its longest piece without numbers and names."""
    source = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "flows").rglob("*.py")).lower()
    page = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
    quoted = [words for line in page.splitlines() if line.startswith("## ") for words in re.findall("`([^`]+)`", line)]
    assert len(quoted) >= 8
    for words in quoted:
        piece = max(re.split(r"\.\.\.|\d+%?|api\.ideogram\.ai|helio|MB|min", words), key=len).strip().lower()
        assert piece in source, words


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("version: 1\nprompts: [{id: a, prompt: b, model: V_2, sise: 1}]", "sise"),
        ("# configs/mine.yaml\nbudget: {per_run_eur: 5}", "per_run_eur"),
        ("# configs/audit.yaml\nseverities: {palette.odd: error}", "palette.odd"),
        ("# configs/brands/helio.yml\ncolor: {primary: nowhere}", "nowhere"),
        ("- id: a\n  prompt: '{look} {nobody}'\n  model: V_2", "nobody"),
    ],
)
def test_a_wrong_snippet_is_told_of(code: str, kind: str) -> None:
    """What a reader would copy in vain fails here first."""
    with pytest.raises(InvalidInput, match=kind):
        read_as_what_it_is(code)


@pytest.mark.parametrize("code", SNIPPETS)
def test_a_snippet_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a project with a history, from its folder, without warnings."""
    shutil.copytree(ROOT / "tests" / "history" / "released" / "0.1.0", tmp_path / "data" / "history")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "snippet", "exec"), {})  # noqa: S102  our own documentation
