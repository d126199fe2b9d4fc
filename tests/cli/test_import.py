"""The import verb: what it prints, how it ends, and that its page tells the truth."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

PAGE = Path(__file__).resolve().parents[2] / "docs" / "import.md"
MANIFEST = """\
version: 1
brand: helio
defaults: {campaign: summer, model: ideogram-3}
prompts:
  - {id: tile, prompt: "Seamless citrus pattern"}
  - {id: sea, prompt: "A calm sea", matrix: {format: {square: {aspect_ratio: 1:1}, story: {aspect_ratio: 9:16}}}}
"""


@pytest.fixture
def old(project: Any) -> Path:
    """A script's own list beside three pictures; the fourth is gone, and so is its link."""
    project.manifest(MANIFEST)
    images = project.root / "old" / "images"
    images.mkdir(parents=True)
    for name, size in (("tile", (64, 64)), ("sea", (36, 64)), ("other", (64, 64))):
        Image.new("RGB", size, "navy" if name == "tile" else "teal").save(images / f"{name}.png")
    prompts = {"tile": "Seamless citrus pattern", "sea": "A calm sea", "other": "Something else", "lost": "Lost"}
    records = [
        {
            "id": name,
            "prompt": prompt,
            "model": "V_3",
            "seed": 7,
            "localPath": f"images/{name}.png",
            "generatedAt": "2025-03-04T10:00:00Z",
            "imageUrl": "https://ideogram.ai/api/images/ephemeral/x.png?exp=1700000000&sig=secret",
        }
        for name, prompt in prompts.items()
    ]
    path: Path = project.root / "old" / "generated-images.json"
    path.write_text(json.dumps(records, indent=1), encoding="utf-8")
    return path


def plain(text: str) -> str:
    """Without what differs from machine to machine: lengths of files, lines, blanks at ends of lines."""
    return "\n".join(re.sub(r"\d+ bytes|:\d+:", "#", line).rstrip() for line in text.strip().splitlines())


def test_the_page_shows_what_happens(ideoflow: Any, old: Path) -> None:
    """Every command of docs/import.md is run, in order; what the page shows is what they print."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    commands = 0
    for block in blocks:
        for command, shown in re.findall(r"^\$ ideoflow (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            said = ideoflow(*shlex.split(command))
            commands += 1
            assert said.code in (0, 4), said
            if shown.strip():
                assert plain(said.out) == plain(shown)
    assert commands == 3


def test_json_tells_of_every_picture(ideoflow: Any, old: Path) -> None:
    """Counts, fates, matches and problems, for a dry run and after it."""
    dry = json.loads(ideoflow("import", "old/generated-images.json", "--json").out)
    assert dry["applied"] is False
    assert (dry["counts"]["take"], dry["counts"]["dead"], dry["matched"]) == (3, 1, 2)
    assert [picture["fate"] for picture in dry["pictures"]] == ["take", "take", "take", "dead"]
    done = json.loads(ideoflow("import", "old", "--json", "--apply").out)
    assert (done["applied"], done["taken"], done["stopped"]) == (True, 3, None)
    assert [picture.get("became") for picture in done["pictures"]] == ["take", "take", "take", None]
    assert "secret" not in json.dumps(done)
    again = json.loads(ideoflow("import", "old", "--json", "--apply").out)
    assert (again["taken"], again["counts"]["have"]) == (0, 3)


def test_exit_codes_and_last_lines(ideoflow: Any, old: Path) -> None:
    """0 all, 2 nothing to read, 4 something left out; the last line says what to do."""
    said = ideoflow("import", "old/images", "--match", "none")
    assert (said.code, said.out.splitlines()[-1]) == (
        0,
        "next     `ideoflow import old/images --apply` takes them over",
    )
    said = ideoflow("import", "old/images", "--apply")
    assert (said.code, said.out.splitlines()[-1]) == (0, "next     `ideoflow plan` shows what is still missing")
    assert ideoflow("import", "nowhere").code == 2
    assert ideoflow("import", "old", "--model", "V_99").code == 2
    (old.parent / "bad.json").write_text('[\n{"localPath": "images/tile.png",\n "seed": "x"}]', encoding="utf-8")
    said = ideoflow("import", "old/bad.json")
    assert said.code == 4
    assert 'old/bad.json:2:1: [0].seed: "x" is no seed' in said.err
    assert "mend what is said above" in said.out.splitlines()[-1]


def test_what_was_taken_over_is_known_everywhere(ideoflow: Any, project: Any, old: Path) -> None:
    """In the history, not in the spending; a run buys the rest and pays for nothing that is there."""
    assert ideoflow("import", "old/generated-images.json", "--apply").code == 4
    rows = json.loads(ideoflow("history", "--json").out)
    assert {row["variant"] for row in rows} == {"tile", "sea@format=story", "other"}
    assert all(row["has_local_copy"] for row in rows)
    assert json.loads(ideoflow("spend", "--json").out)["total"]["kept"] == 0
    assert ideoflow("generate", "--yes", "--no-prefect").code == 0
    assert project.billed() == 1
    assert json.loads(ideoflow("spend", "--json").out)["total"]["kept"] == 1
