"""The audit verb, as it is typed: what it says, what it writes, how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import pytest

BRAND = "color: {palette: {black: '#000000'}}\n"


@pytest.fixture
def bought(project: Any, ideoflow: Any) -> Any:
    """The project with its four pictures, and a brand that no picture is like."""
    (project.root / "configs" / "brands").mkdir()
    (project.root / "configs" / "brands" / "helio.yml").write_text(BRAND, encoding="utf-8")
    assert ideoflow("generate", "--yes").code == 0
    return project


def test_it_says_where_the_page_is_and_passes_below_the_gate(bought: Any, ideoflow: Any) -> None:
    """Warnings alone do not fail; the last line says what next, and the page is there."""
    said = ideoflow("audit")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("audit: done, ")
    assert any(line.startswith("! ") for line in lines)
    (report,) = [line.split()[1] for line in lines if line.startswith("report")]
    assert "pictures" in Path(report).read_text(encoding="utf-8")
    assert (bought.root / "data" / "reports" / "latest.html").is_file()
    assert lines[-1].startswith("next     look at the page")


def test_past_the_gate_it_ends_with_three(bought: Any, ideoflow: Any, tmp_path: Path) -> None:
    """As JSON for programs, and as JUnit XML for a build server; both say the same."""
    (bought.root / "configs" / "audit.yaml").write_text("fail_on: warning\n", encoding="utf-8")
    xml = tmp_path / "made" / "audit.xml"
    said = ideoflow("audit", "--json", "--junit", str(xml))
    assert said.code == 3
    told = json.loads(said.out)
    assert told["exit_code"] == 3
    assert told["gate"] == "warning"
    failing = [one for one in told["findings"] if one["severity"] in {"warning", "error"}]
    assert failing
    assert sorted(one["finding_id"] for one in failing) == told["failing"]
    assert parse(xml).getroot().get("failures") == str(len(failing))  # noqa: S314  our own


def test_a_policy_with_a_mistake_is_the_users_to_mend(bought: Any, ideoflow: Any) -> None:
    """With its place; nothing is measured and nothing written."""
    (bought.root / "configs" / "audit.yaml").write_text("fail_on: eror\n", encoding="utf-8")
    said = ideoflow("audit")
    assert said.code == 2
    assert "audit.yaml:1" in said.err
    assert not (bought.root / "data" / "reports" / "latest.html").exists()
