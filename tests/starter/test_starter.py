"""A new project: its files are in order whatever was answered, and nothing that is there is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.checks.policy import AuditPolicy
from flows.documents import parse, validate
from flows.errors import UserError
from flows.manifest.load import load
from flows.retention.policy import load_policy
from flows.settings import Sections
from flows.starter.answers import Answers, answers, brand_of
from flows.starter.files import Planted, files, settings_schema
from flows.starter.planting import plant


def said(made: dict[str, Planted], name: str) -> Any:
    """What a YAML file of the project says."""
    return parse(made[name].text, name).data


def texts(root: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn")), min_size=1, max_size=60)


@settings(max_examples=30, deadline=None)
@given(brand=WORDS, campaign=WORDS, place=st.sampled_from(["data", "s3://b/f", "/mnt/brand: #1", "pictures"]))
def test_whatever_is_answered_the_files_are_in_order(brand: str, campaign: str, place: str) -> None:
    """An answer is refused in words, or comes back out of the files exactly as it was given."""
    try:
        found = answers(brand, campaign, place)
    except UserError:
        return
    made = files(found)
    manifest = said(made, "prompts.yaml")
    assert (manifest["brand"], manifest["defaults"]["campaign"]) == (found.key, campaign.strip())
    assert said(made, f"configs/brands/{found.key}.yml")["meta"]["name"] == brand.strip()
    loaded = load([("prompts.yaml", made["prompts.yaml"].text.encode())], datetime.now(tz=UTC), ZoneInfo("UTC"))
    assert not loaded.warnings
    audit = AuditPolicy.load(parse(made["configs/audit.yaml"].text, "configs/audit.yaml"))
    assert list(audit.brands) == [found.key]
    assert audit.model_copy(update={"brands": {}}) == AuditPolicy()


def test_the_example_shows_what_a_manifest_can() -> None:
    """Texts of its own, an axis that is a map, one that is a list, and lettering."""
    text = files(Answers())["prompts.yaml"].text
    manifest = parse(text, "prompts.yaml").data
    axes = [axis for prompt in manifest["prompts"] for axis in prompt.get("matrix", {}).values()]
    assert {type(axis) for axis in axes} == {dict, list}
    assert "look" in manifest["vars"]
    assert any("lettering" in prompt for prompt in manifest["prompts"])


def test_nothing_is_cleaned_up_until_somebody_says_so() -> None:
    """The policy is off as it is written, and means what its comments say once it is on."""
    policy = load_policy(files(Answers())["configs/retention.yaml"].text.encode(), "configs/retention.yaml")
    assert not policy.enabled
    assert [one.name for one in policy.classes] == ["masters", "trials", "everything"]


@pytest.mark.parametrize(
    ("place", "roots"),
    [
        ("s3://bucket/lake", [f"s3://bucket/lake/{name}" for name in ("images", "history", "reports")]),
        ("/mnt/brand", [f"/mnt/brand/{name}" for name in ("images", "history", "reports")]),
        ("data", ["data/images", "data/history", "data/reports"]),
    ],
)
def test_pictures_go_where_was_said(place: str, roots: list[str]) -> None:
    """All three roots move together."""
    made = files(answers("lake", "launch", place))
    storage = validate(parse(made["configs/base.yaml"].text, "base"), Sections).storage
    assert [storage.assets, storage.history, storage.reports] == roots


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("", "x", "data"), "the brand"),
        (("lake", "a\nb", "data"), "the campaign"),
        (("☃", "x", "data"), "the brand"),
        (("lake", "x", "~/pictures"), "for a shell to fill in"),
        (("lake", "x", "sftp://me:secret@host/x"), "holds a password"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(given: tuple[str, str, str], words: str) -> None:
    """In words that say which, before anything is written."""
    with pytest.raises(UserError, match=words):
        files(answers(*given))


@pytest.mark.parametrize(("folder", "brand"), [("Lac Bleu", "Lac Bleu"), ("☃", "my-brand"), ("", "my-brand")])
def test_the_folder_gives_the_brand_its_name(folder: str, brand: str) -> None:
    """Where it has letters; else there is a name to begin with."""
    assert brand_of(Path("/", folder)) == brand


def test_the_settings_schema_knows_what_the_program_knows() -> None:
    """It takes what is written here, with every setting explained, and refuses a key nobody reads."""
    schema = json.loads(settings_schema())
    checker = jsonschema.Draft202012Validator(schema)
    for name in ("configs/base.yaml", "configs/production.yaml"):
        assert not list(checker.iter_errors(said(files(Answers()), name)))
    assert list(checker.iter_errors({"api": {"base_ulr": "sandbox"}}))
    sections = [one for one in schema["$defs"].values() if one.get("type") == "object"]
    assert all("description" in setting for one in sections for setting in one["properties"].values())


# --- planting -----------------------------------------------------------------------------------------------


def test_nothing_of_yours_is_overwritten(tmp_path: Path) -> None:
    """One of the project's own files is there and says something else: nothing at all is written."""
    (tmp_path / "prompts.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"prompts\.yaml"):
        plant(tmp_path, files(Answers()))
    assert texts(tmp_path) == {"prompts.yaml": b"mine"}


def test_a_folder_with_files_that_do_no_harm_is_completed(tmp_path: Path) -> None:
    """A repository has its own .gitignore: that one stays, and is named."""
    (tmp_path / ".gitignore").write_text("mine", encoding="utf-8")
    done = plant(tmp_path, files(Answers()))
    assert done.kept == (".gitignore",)
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == "mine"
    assert len(texts(tmp_path)) == len(files(Answers()))


def test_what_was_cut_off_is_completed(tmp_path: Path) -> None:
    """Any part of a project that was written is taken for what it is by the next init."""
    made = files(Answers())
    plant(tmp_path, dict(list(made.items())[:4]))
    done = plant(tmp_path, made)
    assert (done.same, done.written) == (tuple(made)[:4], tuple(made)[4:])
    assert plant(tmp_path, made).written == ()


@pytest.mark.parametrize("at", ["configs", "configs/brands"])
def test_a_file_where_a_folder_has_to_be_is_said(tmp_path: Path, at: str) -> None:
    """Before anything is written."""
    (tmp_path / at).parent.mkdir(exist_ok=True)
    (tmp_path / at).write_text("a file", encoding="utf-8")
    with pytest.raises(UserError, match="is a file where a folder has to be"):
        plant(tmp_path, files(Answers()))
    assert list(texts(tmp_path)) == [at]


def test_a_link_to_nowhere_is_there(tmp_path: Path) -> None:
    """Writing through it would land somewhere else."""
    (tmp_path / "prompts.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"prompts\.yaml"):
        plant(tmp_path, files(Answers()))
    assert list(tmp_path.iterdir()) == [tmp_path / "prompts.yaml"]


def test_trouble_halfway_leaves_nothing(tmp_path: Path) -> None:
    """A name too long for the disk, met last: what was written before it goes, and the folder too."""
    made = files(Answers()) | {"x" * 300: Planted("")}
    with pytest.raises(UserError, match="Nothing was changed"):
        plant(tmp_path / "new" / "project", made)
    assert list(tmp_path.iterdir()) == []
