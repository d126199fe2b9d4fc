"""The composition root: what stands where, and what is refused before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import InvalidInput, Refused
from flows.workspace import Workspace, open_workspace

MANIFEST = 'version: 1\ndefaults: {model: ideogram-3}\nprompts:\n  - {id: sea, prompt: "a calm sea"}\n'


def opened(root: Path, **environ: str) -> Workspace:
    """The workspace of that folder, with this environment and no other."""
    return open_workspace(root, (), environ)


def test_opening_changes_nothing(tmp_path: Path) -> None:
    """A workspace can be opened anywhere, with built-in defaults, and leaves no trace."""
    ws = opened(tmp_path)
    assert ws.settings.origin == "sandbox"
    assert ws.assets.url == str(tmp_path / "data" / "images")
    assert list(tmp_path.iterdir()) == []


def test_manifests_are_named_as_people_know_them(tmp_path: Path) -> None:
    """Relative to the project inside it, whole outside; the argument wins over the settings."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "prompts.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "other.yaml").write_text(MANIFEST.replace("sea", "hill"), encoding="utf-8")
    ws = opened(tmp_path / "project")
    assert ws.manifests(()).files == ("prompts.yaml",)
    other = str(tmp_path / "other.yaml")
    assert ws.manifests((other,)).files == (other,)
    assert [variant.name for variant in ws.manifests((other,)).variants] == ["hill"]


def test_every_missing_manifest_is_named(tmp_path: Path) -> None:
    """All at once, not one a run."""
    with pytest.raises(InvalidInput) as error:
        opened(tmp_path).manifests(("a.yaml", "b/*.yaml"))
    assert [problem.file for problem in error.value.problems] == ["a.yaml", "b/*.yaml"]


def test_prices_come_with_the_program(tmp_path: Path) -> None:
    """A project without a price book uses the built-in one; one that names a missing book is refused."""
    assert opened(tmp_path).prices()("V_2", "default").usd > 0
    ws = opened(tmp_path, IDEOFLOW_GENERATE__PRICES="mine.yaml")
    with pytest.raises(Refused, match=r"mine\.yaml"):
        ws.prices()


def test_a_name_template_with_a_slip_is_refused(tmp_path: Path) -> None:
    """A field that does not exist is found before anything is bought under such a name."""
    with pytest.raises(InvalidInput, match=r"storage\.name_template"):
        opened(tmp_path, IDEOFLOW_STORAGE__NAME_TEMPLATE="{promt_id}/{image_id}.{ext}")


def test_the_sandbox_keeps_its_books_beside_the_journal(tmp_path: Path) -> None:
    """So that a killed run can be finished; on this machine, where the history is in a bucket; or where told."""
    assert opened(tmp_path).sandbox_state == tmp_path / "data" / "history" / ".sandbox"
    bucket = opened(tmp_path, IDEOFLOW_STORAGE__HISTORY="memory://history")
    assert bucket.sandbox_state == tmp_path / "data" / "history" / ".sandbox"
    assert opened(tmp_path, IDEOFLOW_SANDBOX__STATE="till").sandbox_state == tmp_path / "till"


def test_a_journal_needs_exclusive_creation(tmp_path: Path) -> None:
    """Refused on storages without it, unless one writer only is promised."""
    with pytest.raises(Refused, match="single_writer"):
        _ = opened(tmp_path, IDEOFLOW_STORAGE__HISTORY="memory://history").journal
    promised = opened(tmp_path, IDEOFLOW_STORAGE__HISTORY="memory://history", IDEOFLOW_STORAGE__SINGLE_WRITER="true")
    assert promised.journal.names() == []


def test_ids_sort_by_time(tmp_path: Path) -> None:
    """Fresh ids are distinct and none sorts before one made a millisecond earlier."""
    ws = opened(tmp_path)
    made = [ws.new_id() for _ in range(100)]
    assert len(set(made)) == 100
    assert [name[:13] for name in made] == sorted(name[:13] for name in made)
