"""The house rules that a machine can keep: who may import whom, how large a room is, what no file may say.

Imports are read from the syntax tree, those inside functions and type-checking blocks included. Every rule is
a function from a source tree to complaints, so that the tests below can show each one catching a planted
violation. A new room has to be entered in the tables here: that is the moment to think about its place.
"""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import itertools
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the top: a room may import from any layer below its own, and beside itself only what BESIDE lists.
LAYERS: dict[str, frozenset[str]] = {
    "entry": frozenset({"generate", "retain", "audit", "maintain", "cli", "demo", "generated"}),
    "composition": frozenset(
        {
            "workspace",
            "settings",
            "runtime",
            "orchestrator",
            "signals",
            "campaign",
            "reproduction",
            "adoption",
            "export",
            "stepping",
            "keeping",
            "labels",
            "money",
            "library",
            "measuring",
            "auditing",
            "upkeep",
            "starter",
            "doctor",
        }
    ),
    "use cases": frozenset({"planner", "pipeline", "retention", "recognition"}),
    "nouns": frozenset(
        {
            "manifest",
            "ideogram",
            "sandbox",
            "assets",
            "history",
            "budget",
            "brand",
            "checks",
            "report",
            "provenance",
        }
    ),
    "base": frozenset({"storage", "errors", "ids", "documents", "spreadsheet", "heaps"}),
}
# (room, what it may import of its own layer): a whole room, or single modules of one.
BESIDE: dict[str, frozenset[str]] = {
    "cli": frozenset({"flows.generate", "flows.retain", "flows.audit", "flows.demo", "flows.generated"}),
    "demo": frozenset({"flows.generate", "flows.cli.printing", "flows.cli.watching"}),
    "workspace": frozenset({"flows.settings"}),
    "runtime": frozenset(
        {
            "flows.settings",
            "flows.workspace",
            "flows.stepping",
            "flows.signals",
            "flows.doctor.deployments",
        }
    ),
    "measuring": frozenset({"flows.workspace"}),
    "auditing": frozenset({"flows.workspace", "flows.measuring", "flows.money", "flows.stepping"}),
    "upkeep": frozenset({"flows.workspace", "flows.measuring", "flows.campaign.recovery", "flows.stepping"}),
    "campaign": frozenset(
        {"flows.workspace", "flows.money", "flows.measuring", "flows.labels", "flows.stepping", "flows.keeping.outlook"}
    ),
    "labels": frozenset({"flows.workspace"}),
    "keeping": frozenset({"flows.workspace", "flows.labels", "flows.measuring", "flows.stepping"}),
    "library": frozenset({"flows.workspace"}),
    "money": frozenset({"flows.workspace"}),
    "starter": frozenset({"flows.settings"}),
    "doctor": frozenset({"flows.workspace", "flows.starter.files"}),
    "adoption": frozenset({"flows.workspace", "flows.campaign.steps"}),
    "pipeline": frozenset({"flows.planner"}),
    "manifest": frozenset({"flows.ideogram.catalogue", "flows.ideogram.presets", "flows.brand.model"}),
    "checks": frozenset({"flows.brand"}),
    "report": frozenset({"flows.brand.model", "flows.checks"}),
    "sandbox": frozenset({"flows.ideogram.catalogue", "flows.ideogram.presets"}),
    "history": frozenset({"flows.manifest.variant"}),
    "budget": frozenset({"flows.ideogram.catalogue"}),
    "storage": frozenset({"flows.errors", "flows.ids"}),
    "documents": frozenset({"flows.errors"}),
    "reproduction": frozenset({"flows.workspace", "flows.money", "flows.campaign"}),
    "export": frozenset({"flows.workspace"}),
    "orchestrator": frozenset({"flows.settings"}),
}
# A room's front for people's own programs: its ``__init__`` may hand on, lazily, the names of one module above it.
FRONTS: dict[str, str] = {"flows.history": "flows.library"}
# What only these rooms (or modules) may import.
RESERVED: dict[str, frozenset[str]] = {
    "fsspec": frozenset({"storage"}),
    "s3fs": frozenset({"storage"}),
    "httpx": frozenset({"ideogram"}),
    "yaml": frozenset({"documents"}),
    "prefect": frozenset({"generate", "retain", "audit", "maintain", "runtime"}),
}
MAX_LINES = 400


@dataclass(frozen=True)
class Import:
    """One imported dotted name, and whether importing the module is enough to import it too."""

    name: str
    line: int
    eager: bool


@dataclass(frozen=True)
class Module:
    """One source file under ``flows/``: its dotted name, the room it belongs to, and what it imports."""

    name: str
    path: Path
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def room(self) -> str:
        """The name right below ``flows``, empty for ``flows`` itself."""
        return self.name.partition(".")[2].partition(".")[0]


def modules(root: Path) -> list[Module]:
    """Every module of the package under `root`."""
    found = []
    for path in sorted((root / "flows").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        package = parts[:-1]
        name = ".".join(package if parts[-1] == "__init__" else parts)
        tree, imports = _parsed(path, path.read_text(encoding="utf-8"), package)
        found.append(Module(name, path, tree, imports))
    return found


@functools.cache
def _parsed(path: Path, text: str, package: tuple[str, ...]) -> tuple[ast.Module, tuple[Import, ...]]:
    tree = ast.parse(text, str(path))
    return tree, tuple(_imports(tree, package))


def _imports(tree: ast.Module, package: tuple[str, ...]) -> Iterator[Import]:
    lazy = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _type_checking(outer)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        eager = id(node) not in lazy
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, eager) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            yield from (Import(f"{source}.{alias.name}", node.lineno, eager) for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and ast.unparse(node.func) in {"__import__", "importlib.import_module", "import_module"}
        ):
            yield Import(str(node.args[0].value), node.lineno, eager)


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _layer(room: str) -> int | None:
    return next((depth for depth, rooms in enumerate(LAYERS.values()) if room in rooms), None)


def _within(name: str, allowed: frozenset[str]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in allowed)


# --- the rules: each takes the root of a source tree and returns complaints ---------------------------------


def layering(root: Path) -> list[str]:
    """Imports go down the layers; sideways only where BESIDE says so; every room has a place."""
    complaints = []
    for module in modules(root):
        depth = _layer(module.room)
        if module.room and depth is None:
            complaints.append(f"{module.name}: the room {module.room!r} has no layer yet, enter it in LAYERS")
            continue
        for used in module.imports:
            room = used.name.partition(".")[2].partition(".")[0]
            if not used.name.startswith("flows.") or room == module.room:
                continue
            if not used.eager and _within(used.name, frozenset({FRONTS.get(module.name, "nothing")})):
                continue
            below = _layer(room)
            where = f"{module.name}:{used.line} imports {used.name}"
            if depth is None:
                complaints.append(f"{where}, but flows/__init__.py imports nothing of ours")
            elif below is None:
                complaints.append(f"{where}, which has no layer")
            elif below < depth:
                complaints.append(f"{where}, which is upward")
            elif below == depth and not _within(used.name, BESIDE.get(module.room, frozenset())):
                complaints.append(f"{where}, which is beside it and not in BESIDE")
    return complaints


def cycles(root: Path) -> list[str]:
    """No module reaches itself again through imports, wherever they stand."""
    every = {module.name: module for module in modules(root)}
    graph = {
        name: {target for used in module.imports if (target := _module_of(used.name, every)) and target != name}
        for name, module in every.items()
    }
    # A package's __init__ re-exports its own modules; one of them importing another through the package's
    # name would be a real cycle and is found, since the edge to the package is then in the graph.
    done: set[str] = set()
    complaints: list[str] = []

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            complaints.append("a cycle: " + " -> ".join((*trail[trail.index(name) :], name)))
        elif name not in done:
            for target in sorted(graph[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
    return complaints


def _module_of(name: str, every: dict[str, Module]) -> str | None:
    """The module that an imported dotted name lives in: ``flows.ids.digest`` is in ``flows.ids``."""
    while name and name not in every:
        name = name.rpartition(".")[0]
    return name if name not in {"", "flows"} else None


def reserved(root: Path) -> list[str]:
    """Libraries that stand for one outside thing each are imported in one place each."""
    return [
        f"{module.name}:{used.line} imports {used.name}, which is for {', '.join(sorted(rooms))} alone"
        for module in modules(root)
        for used in module.imports
        if (rooms := RESERVED.get(used.name.partition(".")[0])) and module.room not in rooms
    ]


def light_commands(root: Path) -> list[str]:
    """Importing the command line imports no Prefect: plan, validate and history start at once."""
    every = {module.name: module for module in modules(root)}
    seen: dict[str, str] = {}
    waiting = [("flows.cli", "flows.cli")] if "flows.cli" in every else []
    complaints = []
    while waiting:
        name, trail = waiting.pop()
        if name in seen:
            continue
        seen[name] = trail
        for used in every[name].imports:
            if not used.eager:
                continue
            if used.name.partition(".")[0] == "prefect":
                complaints.append(f"{trail} imports {used.name} (line {used.line}): do it inside the function")
            elif target := _module_of(used.name, every):
                waiting.append((target, f"{trail} -> {target}"))
    return complaints


def shadowing(root: Path) -> list[str]:
    """A path entrypoint puts ``flows/`` first on sys.path: no name there may hide another module."""
    taken = set(importlib.metadata.packages_distributions()) | sys.stdlib_module_names
    names = {path.stem for path in (root / "flows").iterdir() if path.suffix == ".py" or path.is_dir()}
    return [f"flows/{name} hides a module of the same name: rename it" for name in sorted(names & taken - {"__init__"})]


def size(root: Path) -> list[str]:
    """A module that no longer fits into a head is two."""
    return [
        f"{module.name} has {lines} lines, more than {MAX_LINES}: split it"
        for module in modules(root)
        if (lines := len(module.path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    ]


def docstrings(root: Path) -> list[str]:
    """Every module says what it knows."""
    return [f"{module.name} has no docstring" for module in modules(root) if not ast.get_docstring(module.tree)]


_REGISTRY = re.compile(
    r"https?://[^\s\"')>]*(?:pypi\b|pythonhosted|artifactory|nexus|devpi|registry\.|/simple/)"
    r"|--(?:extra-)?index-url[ =]\S*http",
    re.IGNORECASE,
)
_MACHINE = re.compile(r"(?<![\w.:/-])/(?:home|Users)/(?!<)[\w.-]+/|(?<![\w.])/root/\w|[A-Z]:\\Users\\\w")
_CREDENTIAL = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(?:sk|pk|rk)[-_](?:live|proj|test)?[-_]?[A-Za-z0-9]{24,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}"
)
_NAMED_SECRET = re.compile(
    r"""(?i)(?:api[-_]?key|secret|token|passw(?:or)?d)\w*["']?\s*[:=]\s*["']?(?P<value>[A-Za-z0-9+/_=-]{20,})"""
)


def texts(root: Path) -> Iterator[tuple[Path, str]]:
    """Every text file of the project, build and run products left out."""
    skipped = {"data", "build", "dist", "node_modules"}
    for path in sorted(root.rglob("*")):
        inner = path.relative_to(root).parts
        hidden = any(
            part == "__pycache__" or (part.startswith(".") and part not in {".ci", ".gitignore", ".github"})
            for part in inner
        )
        if hidden or inner[0] in skipped or inner[0].endswith(".egg-info") or not path.is_file():
            continue
        raw = path.read_bytes()
        if len(raw) < 2_000_000 and b"\0" not in raw:
            yield path, raw.decode("utf-8", "replace")


def addresses(root: Path) -> list[str]:
    """What is committed works elsewhere: no registry, no path of the machine it was written on."""
    here = re.compile(re.escape(str(ROOT)) + r"(?![\w-])") if len(ROOT.parts) > 2 else None
    patterns = [
        ("a package registry", _REGISTRY),
        ("a path of one machine", _MACHINE),
        *([("this very folder", here)] if here else []),
    ]
    return [
        f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1} names {what}: {match.group()}"
        for path, text in texts(root)
        for what, pattern in patterns
        for match in pattern.finditer(text)
    ]


def secrets(root: Path) -> list[str]:
    """Nothing looks like a real key, not even in a fixture: people and scanners have to be able to tell."""
    complaints = []
    for path, text in texts(root):
        suspects = [match.group() for match in _CREDENTIAL.finditer(text)]
        suspects += [match["value"] for match in _NAMED_SECRET.finditer(text) if _looks_random(match["value"])]
        complaints += [f"{path.relative_to(root)}: {suspect[:6]}… looks like a real key" for suspect in suspects]
    return complaints


def _looks_random(value: str) -> bool:
    """Letters of both cases and digits, thoroughly mixed: ``not-a-real-key`` and identifiers are not."""
    kinds = ["d" if char.isdigit() else "u" if char.isupper() else "l" if char.islower() else "-" for char in value]
    changes = sum(one != other for one, other in itertools.pairwise(kinds))
    return {"d", "u", "l"} <= set(kinds) and changes * 3 >= len(value)


RULES: list[Callable[[Path], list[str]]] = [
    layering,
    cycles,
    reserved,
    light_commands,
    shadowing,
    size,
    docstrings,
    addresses,
    secrets,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    """The project itself gives no rule anything to complain about."""
    assert rule(ROOT) == []


# --- the rules are watched too: each planted violation is caught, and what is fine is left alone ------------

# Put together here, so that this file does not itself hold what it forbids.
_FAKE_AWS = "AK" + "IAIOSFODNN7EXAMPLE"
_FAKE_KEY = "q7Rz2Lm9Xa4Tb6Vc" + "8Yd1Wn3Kp5Hs0Jf"


@pytest.mark.parametrize(
    ("rule", "file", "text", "complaint"),
    [
        (layering, "flows/errors.py", "from flows.settings import Settings", "upward"),
        (layering, "flows/errors.py", "def f():\n    import flows.cli", "upward"),
        (layering, "flows/planner.py", "from flows import workspace", "upward"),
        (layering, "flows/history/__init__.py", "from flows.library import images", "upward"),
        (layering, "flows/history/view.py", "def f():\n    from flows.library import images", "upward"),
        (layering, "flows/manifest/load.py", "from ..history import view", "beside it"),
        (layering, "flows/manifest/load.py", "from flows.ideogram import client", "beside it"),
        (layering, "flows/helpers.py", "", "no layer yet"),
        (layering, "flows/cli.py", "from flows.helpers import x", "no layer"),
        (layering, "flows/__init__.py", "from flows.cli import main", "imports nothing of ours"),
        (layering, "flows/errors.py", "import importlib\nimportlib.import_module('flows.cli')", "upward"),
        (cycles, "flows/assets/a.py", "from flows.assets.b import x", "a -> flows.assets.b"),
        (reserved, "flows/assets/a.py", "import fsspec.implementations.local", "storage alone"),
        (reserved, "flows/pipeline.py", "from httpx import Client", "ideogram alone"),
        (reserved, "flows/settings.py", "import yaml", "documents alone"),
        (reserved, "flows/workspace.py", "def f():\n    from prefect import flow", "retain, runtime alone"),
        (light_commands, "flows/cli.py", "from flows.generate import generate", "inside the function"),
        (shadowing, "flows/types.py", "", "types"),
        (shadowing, "flows/prefect/__init__.py", "", "prefect"),
        (size, "flows/assets/a.py", '"""A."""\n' * 401, "401 lines"),
        (docstrings, "flows/assets/a.py", "x = 1", "flows.assets.a has no docstring"),
        (
            addresses,
            "docs/x.md",
            "see https" + "://pypi.example/simple/x",
            "docs/x.md:1 names a package registry",
        ),
        (addresses, "configs/x.yaml", "a: 1\nb: /ho" + "me/ann/x", "configs/x.yaml:2 names a path"),
        (addresses, "Makefile", f"cd {ROOT}/x", "this very folder"),
        (secrets, "tests/x.py", f'AWS = "{_FAKE_AWS}"', "looks like a real key"),
        (secrets, "tests/x.py", f'api_key = "{_FAKE_KEY}"', "looks like a real key"),
        (secrets, "configs/x.yaml", f"IDEOGRAM_API_KEY: {_FAKE_KEY}", "looks like a real key"),
    ],
)
def test_a_planted_violation_is_caught(
    rule: Callable[[Path], list[str]], file: str, text: str, complaint: str, tmp_path: Path
) -> None:
    """A rule that never fires keeps nothing."""
    plant(tmp_path)
    assert rule(tmp_path) == []
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text, encoding="utf-8")
    found = rule(tmp_path)
    assert any(complaint in line for line in found), found


def test_what_is_allowed_is_left_alone(tmp_path: Path) -> None:
    """Downward imports, listed neighbours, a lazy Prefect and plainly fake keys are fine."""
    plant(tmp_path)
    (tmp_path / "flows/cli.py").write_text(
        '"""C."""\n\ndef run():\n    from flows.generate import generate\n', encoding="utf-8"
    )
    (tmp_path / "flows/history").mkdir()
    (tmp_path / "flows/library.py").write_text('"""L."""', encoding="utf-8")
    (tmp_path / "flows/history/__init__.py").write_text(
        '"""H."""\n\ndef __getattr__(name):\n    from flows import library\n', encoding="utf-8"
    )
    (tmp_path / "flows/manifest/load.py").write_text(
        '"""L."""\nfrom flows.ideogram.catalogue import find\nfrom flows import errors\n', encoding="utf-8"
    )
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/x.py").write_text('api_key = "not-a-real-key-but-long-enough"', encoding="utf-8")
    assert [complaint for rule in RULES for complaint in rule(tmp_path)] == []


def plant(root: Path) -> None:
    """A tiny project that keeps every rule."""
    for file, text in {
        "flows/__init__.py": "",
        "flows/errors.py": "",
        "flows/generate.py": "import prefect",
        "flows/ideogram/catalogue.py": "import httpx",
        "flows/assets/b.py": "from flows.assets import a",
        "flows/manifest/__init__.py": "",
    }.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(f'"""M."""\n{text}\n', encoding="utf-8")
