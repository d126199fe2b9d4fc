"""The validate verb: every file that people edit, all problems at once."""

from __future__ import annotations

import json
from typing import Any


def test_all_files_are_checked_and_told_of_at_once(project: Any, ideoflow: Any) -> None:
    """The manifest, the retention policy, the audit policy and a brand, each with its place."""
    project.manifest('version: 1\nprompts:\n  - {id: tile, prompt: "A tile", modell: ideogram-3}\n')
    project.settings("version: 1\nclases: {}\n", "retention")
    project.settings("version: 1\nfail_onn: error\n", "audit")
    (project.root / "configs" / "brands").mkdir()
    project.settings("color: {primary: red}\n", "brands/nova")
    (project.root / "configs" / "brands" / "nova.yaml").rename(project.root / "configs" / "brands" / "nova.yml")
    said = ideoflow("validate")
    assert said.code == 2
    for place in (
        "prompts.yaml:3:34: prompts[0].modell: unknown key",
        "configs/retention.yaml:2:1: clases: unknown key",
        "configs/audit.yaml:2:1: fail_onn: unknown key",
        "configs/brands/nova.yml:1:",
    ):
        assert place in said.err, said.err


def test_names_of_other_files_are_compared(project: Any, ideoflow: Any) -> None:
    """A class that the policy lacks is refused with the nearest; generate is not held up by it."""
    project.manifest(
        'version: 1\nbrand: nova\nprompts:\n  - {id: tile, prompt: "A tile", model: ideogram-3, retention: master}\n'
    )
    assert ideoflow("validate").code == 0, "without a policy there is nothing to compare with"
    project.settings("version: 1\nclasses: {masters: {match: {tag: master}, forever: true}}\n", "retention")
    said = ideoflow("validate")
    assert said.code == 2
    assert "prompts.yaml:4:" in said.err
    assert "prompts[0].retention: `master` is no class of configs/retention.yaml" in said.err
    assert "Did you mean `masters`?" in said.err
    assert ideoflow("generate", "--yes").code == 0


def test_a_brand_without_a_file_is_a_warning(project: Any, ideoflow: Any) -> None:
    """Where others have one; the manifest is in order all the same."""
    (project.root / "configs" / "brands").mkdir()
    (project.root / "configs" / "brands" / "helio.yml").write_text("meta: {name: Helio}\n", encoding="utf-8")
    project.manifest('version: 1\nbrand: hellio\nprompts:\n  - {id: tile, prompt: "A tile", model: ideogram-3}\n')
    said = ideoflow("validate", "--json")
    assert said.code == 0
    [warning] = json.loads(said.out)["warnings"]
    assert (warning["line"], warning["key"], warning["hint"]) == (2, "brand", "Did you mean `helio`?")
