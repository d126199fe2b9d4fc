"""The files of a new project, as texts by path. Pure, but for the templates, which come with the program."""

from __future__ import annotations

import functools
import json
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from flows.documents import parse, validate
from flows.errors import InvalidInput, UserError
from flows.manifest.load import load
from flows.manifest.schema import schema_text
from flows.settings import Sections
from flows.starter.answers import Answers, scalar

PROMPTS_SCHEMA = "configs/prompts.schema.json"
SETTINGS_SCHEMA = "configs/settings.schema.json"


class _Text(string.Template):
    """``%name``, since braces and dollars are the files' own."""

    delimiter = "%"


@dataclass(frozen=True)
class Planted:
    """One file to write. `ours` is false where a file that is there already serves as well as this one."""

    text: str
    ours: bool = True


def files(answers: Answers) -> dict[str, Planted]:
    """Every file by its path below the project's root. UserError where the place of the pictures cannot be used."""
    fields = {
        "key": scalar(answers.key),
        "file": answers.key,
        "name": json.dumps(answers.brand, ensure_ascii=False),
        "lettering": json.dumps(answers.brand.upper(), ensure_ascii=False),
        "campaign": scalar(answers.campaign),
        "storage": _storage(answers),
    }

    def text(name: str) -> str:
        template = resources.files("flows.starter") / "templates" / name
        return _Text(template.read_text(encoding="utf-8")).substitute(fields)

    made = {
        "prompts.yaml": Planted(text("prompts.yaml")),
        "configs/base.yaml": Planted(text("base.yaml")),
        "configs/production.yaml": Planted(text("production.yaml")),
        f"configs/brands/{answers.key}.yml": Planted(text("brand.yml")),
        "configs/audit.yaml": Planted(text("audit.yaml"), ours=False),
        "configs/retention.yaml": Planted(text("retention.yaml"), ours=False),
        **{name: Planted(schema, ours=False) for name, schema in schemas().items()},
        ".env.example": Planted(text("env.example"), ours=False),
        ".gitignore": Planted(text("gitignore"), ours=False),
        "data/README.md": Planted(text("data-readme.md"), ours=False),
    }
    _check(made, answers)
    return made


@functools.cache
def schemas() -> Mapping[str, str]:
    """What editors complete manifests and settings by: generated, so that they can be written anew at any time."""
    return {PROMPTS_SCHEMA: schema_text(), SETTINGS_SCHEMA: settings_schema()}


def settings_schema() -> str:
    """The JSON schema of a configuration file, with what each setting means."""
    schema = _untitled(Sections.model_json_schema())
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ideoflow settings"}
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


def _untitled(node: Any) -> Any:
    """Without the titles that pydantic makes of names: editors would show them above what the setting means."""
    if isinstance(node, Mapping):
        return {key: _untitled(value) for key, value in node.items() if key != "title" or not isinstance(value, str)}
    return [_untitled(value) for value in node] if isinstance(node, list) else node


def _storage(answers: Answers) -> str:
    if answers.place == "data":
        return (
            "# Pictures, history and reports are in data/. In a bucket instead, shared by all who buy for this brand:\n"
            "# storage:\n"
            "#   assets: s3://your-bucket/ideoflow/images\n"
            "#   history: s3://your-bucket/ideoflow/history\n"
            "#   reports: s3://your-bucket/ideoflow/reports\n"
        )
    lines = [f"  {name}: {scalar(f'{answers.place}/{folder}')}\n" for name, folder in _FOLDERS.items()]
    hint = ""
    if answers.remote:
        hint = (
            "  # What the file system needs besides, in fsspec's words; credentials come from the environment.\n"
            "  # options: {client_kwargs: {region_name: eu-central-1}}\n"
        )
    return "# These three move together; one history is one ledger.\nstorage:\n" + "".join(lines) + hint


_FOLDERS: Mapping[str, str] = {"assets": "images", "history": "history", "reports": "reports"}


def _check(made: Mapping[str, Planted], answers: Answers) -> None:
    """What is written must be in order; the one thing that may not be is where the pictures go."""
    for name in ("configs/base.yaml", "configs/production.yaml"):
        try:
            validate(parse(made[name].text, name), Sections)
        except InvalidInput as invalid:
            why = invalid.problems[0]
            remedy = f" {why.hint}" if why.hint else ""
            raise UserError(f"{answers.place} cannot be the place of the pictures: it {why.message}.{remedy}") from None
    load([("prompts.yaml", made["prompts.yaml"].text.encode())], datetime.now(tz=UTC), ZoneInfo("UTC"))
