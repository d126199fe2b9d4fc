"""The doctor as it is typed: in a healthy project, in broken ones, and what --fix sets right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flows.history.lock import lock
from flows.history.owners import this_process
from flows.history.records import Owner
from flows.storage import LocalStorage

KEY = "wrong-but-easy-to-find"


@pytest.fixture
def examined(ideoflow: Any) -> Any:
    """The checks of `doctor --json` by name (the worst of a name), and how it ended."""

    def run(*argv: str) -> tuple[dict[str, dict[str, str]], Any]:
        said = ideoflow("doctor", "--json", *argv)
        told = json.loads(said.out)
        order = ["ok", "skipped", "odd", "bad"]
        ranked = sorted(told["checks"], key=lambda check: order.index(check["verdict"]))
        assert told["exit_code"] == said.code == (4 if ranked[-1]["verdict"] == "bad" else 0)
        return {check["name"]: check for check in ranked}, told["fixed"]

    return run


def verdict(checks: dict[str, dict[str, str]], name: str) -> str:
    return checks[name]["verdict"]


def test_a_healthy_project(project: Any, examined: Any) -> None:
    """Everything a run needs was tried, on the sandbox; nothing was bought, nothing of the probes stays."""
    checks, _ = examined()
    fine = {"python", "settings", "manifest", "schemas", "key", "clock (API)", "journal", "leftovers"}
    fine |= {"storage (pictures)", "storage (history)", "storage (reports)", "clock (storage)"}
    assert {name for name in fine if verdict(checks, name) != "ok"} == set()
    assert verdict(checks, "prefect") == verdict(checks, "deployments") == "skipped"
    assert "sandbox" in checks["key"]["said"]
    assert project.billed() == 0
    assert not list((project.root / "data").rglob("*doctor*"))


def test_words_for_people(project: Any, ideoflow: Any) -> None:
    """A line for each check, and at the end what it comes to."""
    said = ideoflow("doctor")
    assert said.code == 0
    assert any(line.split()[:2] == ["ok", "settings"] for line in said.out.splitlines())
    assert "ideoflow plan" in said.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("break_", "name"),
    [
        (lambda project: project.settings("api: {max_in_flihgt: 3}\n", "local"), "settings"),
        (lambda project: project.manifest("version: 1\nprompts: [{id: x, promt: y}]\n"), "manifest"),
        (lambda project: (project.root / "data").write_bytes(b""), "storage (pictures)"),
        (lambda project: project.settings("storage: {reserve_mb: 2000000000}\n", "local"), "disk (pictures)"),
        (lambda project: project.settings("storage: {history: 'memory://h'}\n", "local"), "journal"),
    ],
    ids=["settings", "manifest", "storage", "disk", "ledger"],
)
def test_what_is_broken_is_found_and_the_rest_is_still_looked_at(
    project: Any, examined: Any, break_: Any, name: str
) -> None:
    """Exit 4, with a remedy; one failure hides no other check."""
    break_(project)
    local = ["--config", "local"] if (project.root / "configs" / "local.yaml").exists() else []
    checks, _ = examined(*local)
    assert verdict(checks, name) == "bad", checks
    assert verdict(checks, "python") == "ok"
    assert len(checks) > 5


def test_a_wrong_key_is_refused_and_never_shown(
    project: Any, ideoflow: Any, ideogram_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked of an API that checks it, by the free dry run: nothing is billed, and nobody reads the key here."""
    monkeypatch.setenv("IDEOFLOW_API__BASE_URL", ideogram_sandbox.base_url)
    monkeypatch.setenv("IDEOGRAM_API_KEY", KEY)
    for argv in (["doctor"], ["doctor", "--json"]):
        said = ideoflow(*argv)
        assert said.code == 4
        assert "refuses it" in said.out
        assert KEY not in said.out + said.err
    monkeypatch.setenv("IDEOGRAM_API_KEY", ideogram_sandbox.api_key)
    assert "takes it (asked with a free dry run)" in ideoflow("doctor").out
    assert ideogram_sandbox.ledger()["requests"] == []


def test_no_key_and_nobody_there(project: Any, examined: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real API without a key; then with one, where nobody listens."""
    monkeypatch.setenv("IDEOFLOW_API__BASE_URL", "http://127.0.0.1:9")
    checks, _ = examined()
    assert "export IDEOGRAM_API_KEY" in checks["key"]["remedy"]


def dead_owner() -> Owner:
    """A process of this very machine that has ended."""
    program = "from flows.history.owners import this_process as t; import json; print(json.dumps(vars(t('r'))))"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env)
    return Owner(**json.loads(done.stdout))


def hold(history: Path, owner: Owner) -> None:
    """Take the history's lock, and never come to letting go."""
    storage = LocalStorage(history)
    with lock(storage, "history", owner, token="t", now=storage.now()) as held:
        assert held
        data = (history / ".locks" / "history.lock").read_bytes()
    (history / ".locks" / "history.lock").write_bytes(data)


def test_what_the_dead_left_is_seen_and_removed(project: Any, examined: Any) -> None:
    """A lock, and half a file an hour old: told of first, removed with --fix, gone afterwards."""
    history = project.root / "data" / "history"
    hold(history, dead_owner())
    half = history / ".journal" / ".tmp" / "half"
    half.parent.mkdir(parents=True)
    for path, age in ((half, 7200), (half.with_name("fresh"), 0)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
    checks, fixed = examined()
    assert verdict(checks, "leftovers") == "odd"
    assert "a dead lock (history) and 1 temporary file" in checks["leftovers"]["said"]
    assert (fixed, half.exists()) == ([], True)
    checks, fixed = examined("--fix")
    assert len(fixed) == 2
    assert verdict(checks, "leftovers") == "ok"
    assert (half.exists(), half.with_name("fresh").exists()) == (False, True)
    assert not (history / ".locks" / "history.lock").exists()


def test_what_the_living_hold_is_left_to_them(project: Any, examined: Any) -> None:
    """A lock of this very process stays, with --fix too."""
    history = project.root / "data" / "history"
    hold(history, this_process("r"))
    checks, fixed = examined("--fix")
    assert fixed == []
    assert verdict(checks, "leftovers") == "ok"
    assert "history is held by a run that is alive" in checks["leftovers"]["said"]
    assert (history / ".locks" / "history.lock").exists()


def test_a_schema_of_another_version_is_written_anew(project: Any, examined: Any) -> None:
    """Only where there is one: a project that has none wants none."""
    schema = project.root / "configs" / "prompts.schema.json"
    schema.write_text("{}", encoding="utf-8")
    checks, _ = examined()
    assert verdict(checks, "schemas") == "odd"
    _, fixed = examined("--fix")
    assert fixed == ["wrote configs/prompts.schema.json anew"]
    assert schema.stat().st_size > 10_000
    assert not (project.root / "configs" / "settings.schema.json").exists()


def test_doubt_is_told(project: Any, examined: Any) -> None:
    """A request that ran without a word, of a run that is gone."""
    project.manifest('version: 1\ndefaults: {model: ideogram-3}\nprompts: [{id: sea, prompt: "a calm sea"}]\n')
    project.faults({"match": {"kind": "post"}, "fault": "lost_ack", "count": 1})
    assert project.spawn("generate", "--yes").code == 4
    checks, _ = examined()
    assert verdict(checks, "journal") == "bad"
    assert "`ideoflow recover`" in checks["journal"]["remedy"]


@pytest.mark.s3
def test_on_a_bucket(project: Any, examined: Any, s3_bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All three storages are tried there, and the bucket's clock is asked."""
    for name in ("assets", "history", "reports"):
        monkeypatch.setenv(f"IDEOFLOW_STORAGE__{name.upper()}", f"s3://{s3_bucket.name}/{name}")
    monkeypatch.setenv("IDEOFLOW_STORAGE__OPTIONS", json.dumps(dict(s3_bucket.options)))
    checks, _ = examined()
    for name in ("storage (pictures)", "storage (history)", "storage (reports)", "clock (storage)", "journal"):
        assert verdict(checks, name) == "ok", checks[name]
    assert "s3://" in checks["storage (history)"]["said"]
