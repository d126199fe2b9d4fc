"""From `configs/` and the environment to Settings: every problem of every file at once.

The environment and the working directory are arguments; files below the project's root are read. Order, the
last one wins, key by key: defaults, `configs/base.yaml`, overlays as named, variables of the environment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from flows.documents import nearest, parse, validate
from flows.errors import InvalidInput, Problem, UserError
from flows.settings import environment
from flows.settings.loaded import ENVIRONMENT, Loaded, Source
from flows.settings.model import Sections, Settings, conflicts
from flows.settings.rules import SANDBOX

_MAX_BYTES = 1_000_000
# Words people write where the setting is called otherwise, or does not exist on purpose.
_ADVICE = dict.fromkeys(
    ("api_key", "key", "token", "ideogram_api_key", "IDEOGRAM_API_KEY"),
    "The key is never in a file: export IDEOGRAM_API_KEY.",
)


def load_settings(project: Path | None, configs: Sequence[str], environ: Mapping[str, str], cwd: Path) -> Loaded:
    """The settings, or InvalidInput with all problems.

    `project` is what --project said, `configs` what --config said, each a bare name (``s3`` is
    `configs/s3.yaml`) or a path.
    """
    root = find_project(project, environ, cwd)
    problems: list[Problem] = []
    layers: list[tuple[str, dict[str, Any], Mapping[str, Source]]] = []
    for path, name in _files(root, configs or _named(environ), cwd, problems):
        try:
            layers.append((name, *_read(path, name)))
        except InvalidInput as invalid:
            problems += invalid.problems
    values, places, complaints = environment.read(environ)
    problems += complaints
    merged: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for given, given_sources in [*((data, places) for _, data, places in layers), (values, places)]:
        for section, keys in given.items():
            merged.setdefault(section, {}).update(keys)
        sources.update(given_sources)
    key = _key(environ, problems)
    if problems:
        raise InvalidInput(problems)
    settings = _settings(root, Sections.model_validate_json(json.dumps(merged)), key)
    for pair, message, hint in conflicts(settings):
        # Of the two, the one that somebody set is the one to look at.
        name = next((one for one in pair if one in sources), pair[0])
        problems.append(sources.get(name, Source("defaults")).problem(name, message, hint))
    if problems:
        raise InvalidInput(problems)
    return Loaded(settings, tuple(name for name, _, _ in layers), sources)


def _settings(root: Path, sections: Sections, key: SecretStr | None) -> Settings:
    if sections.api.base_url == SANDBOX:
        # A real key has no business with a stand-in.
        key = SecretStr(SANDBOX)
    return Settings(
        project=root,
        api_key=key,
        api=sections.api,
        storage=sections.storage,
        budget=sections.budget,
        generate=sections.generate,
        retain=sections.retain,
        schedules=sections.schedules,
        sandbox=sections.sandbox,
    )


def find_project(project: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The project's root: as told, by IDEOFLOW_PROJECT, the nearest parent with `configs/`, else `cwd`."""
    told = project or (Path(environ["IDEOFLOW_PROJECT"]) if environ.get("IDEOFLOW_PROJECT") else None)
    if told is not None:
        root = (cwd / told).resolve()
        if not root.is_dir():
            who = "--project" if project else "IDEOFLOW_PROJECT"
            raise UserError(f"{who}: there is no folder {root}. Name the folder that holds configs/.")
        return root
    here = cwd.resolve()
    return next((folder for folder in (here, *here.parents) if (folder / "configs").is_dir()), here)


def _named(environ: Mapping[str, str]) -> list[str]:
    """The overlays of IDEOFLOW_CONFIG: parted by commas, or as PATH is."""
    words = environ.get("IDEOFLOW_CONFIG", "").replace(os.pathsep, ",").split(",")
    return [word.strip() for word in words if word.strip()]


def _files(root: Path, configs: Sequence[str], cwd: Path, problems: list[Problem]) -> list[tuple[Path, str]]:
    """The files to read, base first, with the names shown to people."""
    base = root / "configs" / "base.yaml"
    found = [(base, "configs/base.yaml")] if base.is_file() else []
    for given in configs:
        path = _overlay(root, given, cwd)
        if path is not None:
            found.append((path, _shown(path, root)))
            continue
        known = sorted(file.stem for file in (root / "configs").glob("*.yaml") if file.stem != "base")
        guess = nearest(given, known)
        others = f"There is: {', '.join(known)}." if known else "There is none in configs/."
        hint = f"Did you mean `{guess}`?" if guess else others
        problems.append(Problem(given, 0, 0, "", "there is no such configuration", hint))
    return found


def _overlay(root: Path, given: str, cwd: Path) -> Path | None:
    if "/" not in given and os.sep not in given and Path(given).suffix not in {".yaml", ".yml"}:
        candidates = [root / "configs" / f"{given}.yaml", root / "configs" / f"{given}.yml"]
    else:
        # A path is first what the shell completed it to, then what it is for a worker that runs elsewhere.
        candidates = [cwd / given, root / given]
    return next((path for path in candidates if path.is_file()), None)


def _shown(path: Path, root: Path) -> str:
    absolute = path.resolve()
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else str(path)


def _read(path: Path, name: str) -> tuple[dict[str, Any], dict[str, Source]]:
    """What one file sets, by section and key, and where."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise InvalidInput([Problem(name, 0, 0, "", f"cannot be read: {reason}")]) from None
    document = parse(text, name, max_bytes=_MAX_BYTES)
    validate(document, Sections, advice=_ADVICE)
    data: dict[str, Any] = document.data
    sources = {
        f"{section}.{key}": Source(name, *document.place((section, key), key=True))
        for section, keys in data.items()
        for key in keys
    }
    return data, sources


def _key(environ: Mapping[str, str], problems: list[Problem]) -> SecretStr | None:
    text = environ.get("IDEOGRAM_API_KEY", "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isprintable() or " " in text:
        message = "holds blanks or characters that no key has"
        hint = "Copy it once more; it is shown only when it is made."
        problems.append(Problem(ENVIRONMENT, 0, 0, "IDEOGRAM_API_KEY", message, hint))
    return SecretStr(text)
