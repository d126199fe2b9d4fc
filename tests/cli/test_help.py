"""The help texts, read as a stranger reads them: every verb ends with an example, and the examples work."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import flows.cli.app  # noqa: F401  the verbs register themselves
from flows.cli.base import app

ROOT = Path(__file__).resolve().parents[2]
VERBS = sorted(
    str(command.name or command.callback.__name__) for command in app.registered_commands if command.callback
)
# What an example ends in where that is not 0, and why.
ENDS = {
    "ideoflow generate --config production --limit 1": (2, "export IDEOGRAM_API_KEY"),
    "ideoflow doctor --config production --fix": (4, "export IDEOGRAM_API_KEY"),
    # There are no pictures in a new project, and nothing of these names.
    "ideoflow whois 01a2b3c4": (2, 'called "01a2b3c4"'),
    "ideoflow whois found.jpg": (2, "found.jpg"),
    "ideoflow reproduce 01a2b3c4 --exact --dry-run": (2, 'called "01a2b3c4"'),
    "ideoflow restore 01a2b3c4": (2, 'called "01a2b3c4"'),
    "ideoflow decide hold 01a2b3c4 --reason 'print run'": (2, 'called "01a2b3c4"'),
    "ideoflow decide --from review.csv": (2, "review.csv"),
    "ideoflow retain --apply": (2, "configs/retention.yaml"),
    "ideoflow import old/generated-images.json": (2, "old/generated-images.json"),
}
# What a test of this kind cannot wait for; tests/sandbox and tests/demo run them.
ENDLESS = {"sandbox", "demo", "serve"}


@pytest.fixture
def started(ideoflow: Any, project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line in the project that `init` writes, at full speed."""
    monkeypatch.chdir(tmp_path)
    assert ideoflow("init", "lake", "--yes").code == 0
    monkeypatch.chdir(tmp_path / "lake")
    for name, value in {"LATENCY_S": "0", "PICTURES": "plain"}.items():
        monkeypatch.setenv(f"IDEOFLOW_SANDBOX__{name}", value)
    monkeypatch.setenv("IDEOFLOW_API__POLL_INTERVAL_S", "0.02")
    return ideoflow


def examples(help_text: str) -> list[str]:
    """The commands that a help text gives, from its last lines."""
    lines = [line.strip() for line in help_text.splitlines() if line.strip()]
    start = lines.index("Example")
    assert all(line.startswith("$ ideoflow ") for line in lines[start + 1 :]), lines[start:]
    return [line.removeprefix("$ ") for line in lines[start + 1 :]]


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_options_say_what_they_take_in_words(verb: str, ideoflow: Any) -> None:
    """A flag takes nothing; no option takes a `list[str]` or a `bool`."""
    said = ideoflow(*([verb] if verb else []), "--help").out
    options = [line for line in said.splitlines() if re.match(r"\W*--\w", line)]
    assert options
    assert not [line for line in options if re.search(r"<[a-z%]", line)]
    assert not [line for line in options if re.search(r"--(json|help)\b.*\b(TEXT|NUMBER)\b", line)]


@pytest.mark.parametrize("verb", VERBS)
def test_the_examples_of_a_verb_work(started: Any, verb: str) -> None:
    """They are at the end of its --help, they are of this verb, and they do what they say in a new project."""
    said = started(verb, "--help")
    assert said.code == 0
    found = examples(said.out)
    assert found, said.out
    for line in found:
        argv = shlex.split(line)[1:]
        assert argv[0] == verb
        if verb in ENDLESS:
            assert all(word in said.out for word in argv[1:] if word.startswith("--"))
            continue
        code, words = ENDS.get(line, (0, ""))
        done = started(*argv)
        assert (done.code, words in done.out + done.err) == (code, True), (line, done)
        if "--json" in argv:
            json.loads(done.out)


def complete(shell: str, **environ: str) -> str:
    """What the program answers to a shell that completes."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "_IDEOFLOW_COMPLETE": f"complete_{shell}", **environ}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli"], env=env, capture_output=True, text=True, check=False, cwd=ROOT
    )
    return done.stdout


def test_a_shell_completes_verbs_options_and_configurations() -> None:
    """As bash asks for them."""
    assert complete("bash", COMP_WORDS="ideoflow pl", COMP_CWORD="1").split() == ["plan"]
    assert "--select" in complete("bash", COMP_WORDS="ideoflow plan --se", COMP_CWORD="2").split()
    assert complete("bash", COMP_WORDS="ideoflow plan --config prod", COMP_CWORD="3").split() == ["production"]


def test_the_completion_script_can_be_shown_and_installed(tmp_path: Path) -> None:
    """For the shell that one is in, without touching anything but that shell's own files."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}

    def typed(option: str) -> subprocess.CompletedProcess[str]:
        # `true` keeps the shell there, which is what is looked for.
        command = f"{shlex.quote(sys.executable)} -m flows.cli {option}; code=$?; true; exit $code"
        shell = ["/bin/bash", "-c", command]
        return subprocess.run(shell, env=env, capture_output=True, text=True, check=False)

    shown = typed("--show-completion")
    assert (shown.returncode, "_IDEOFLOW_COMPLETE" in shown.stdout) == (0, True), shown
    assert list(tmp_path.iterdir()) == []
    installed = typed("--install-completion")
    assert installed.returncode == 0, installed
    assert "ideoflow" in (tmp_path / ".bashrc").read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {".bashrc", ".bash_completions"}


def on_a_terminal(cwd: Path, *argv: str, **environ: str) -> str:
    """What a person sees, escape codes and all."""
    controller, terminal = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": "truecolor", **environ}
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *argv], cwd=cwd, env=env, stdin=terminal, stdout=terminal, stderr=terminal
    ):
        os.close(terminal)
        seen = b""
        while True:
            try:
                piece = os.read(controller, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
            if not piece:
                break
            seen += piece
    os.close(controller)
    return seen.decode(errors="replace")


def colours(text: str) -> set[str]:
    """The escape codes in a text that set a colour; bold and dim are none."""
    found = re.findall(r"\x1b\[([0-9;]*)m", text)
    return {code for code in found if re.search(r"(?:^|;)(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;|$)", code)}


@pytest.mark.parametrize(
    "argv",
    [
        ["--help"],
        ["plan"],
        ["plan", "--nonsense"],
        *(pytest.param(one, marks=pytest.mark.slow) for one in (["plan", "--help"], ["generate", "--yes"], ["doctor"])),
    ],
    ids=" ".join,
)
def test_no_color_is_respected(project: Any, argv: list[str]) -> None:
    """On a terminal too: with NO_COLOR not one colour, in help, tables, progress and errors."""
    plain = on_a_terminal(project.root, *argv, NO_COLOR="1")
    assert plain.strip()
    assert colours(plain) == set()


def test_without_it_there_are_colours(project: Any) -> None:
    """So that the test above can fail."""
    assert colours(on_a_terminal(project.root, "plan"))
