"""A project on the sandbox, and collections as people keep them."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from flows.adoption.decide import Survey
from flows.adoption.run import Ask, Done, carry_out, survey
from flows.campaign.steps import Ask as Wanted
from flows.campaign.steps import prepare
from flows.pipeline.kit import Stop
from flows.workspace import Workspace, open_workspace

MANIFEST = """\
version: 1
brand: helio
defaults: {campaign: summer, model: ideogram-3}
prompts:
  - {id: tile, prompt: "Seamless citrus pattern", count: 2, tags: [pattern]}
  - id: sea
    prompt: "A calm sea"
    matrix: {format: {square: {aspect_ratio: 1:1}, story: {aspect_ratio: 9:16}}}
"""


def picture(colour: str, size: tuple[int, int] = (48, 48), form: str = "PNG", **text: str) -> bytes:
    """A small picture; `text` become PNG chunks."""
    chunks = PngImagePlugin.PngInfo()
    for key, value in text.items():
        chunks.add_itxt(key, value)
    buffer = io.BytesIO()
    extra: dict[str, Any] = {"pnginfo": chunks} if form == "PNG" else {}
    Image.new("RGB", size, colour).save(buffer, form, **extra)
    return buffer.getvalue()


@dataclass(frozen=True)
class Place:
    """A project's folder, and a collection beside it."""

    root: Path
    old: Path
    env: Mapping[str, str]

    @property
    def ws(self) -> Workspace:
        """The project, opened anew."""
        return open_workspace(self.root, (), dict(self.env))

    def keep(self, name: str, data: bytes | str) -> Path:
        """A file of the collection."""
        path = self.old / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def listed(self, records: Sequence[Any], name: str = "list.json") -> str:
        """A list of records."""
        return str(self.keep(name, json.dumps(records, indent=2)))

    def survey(self, source: str | None = None, **ask: Any) -> Survey:
        """The dry run."""
        return survey(self.ws, Ask(source or str(self.old), **ask))

    def apply(self, source: str | None = None, **ask: Any) -> Done:
        """The whole import."""
        return asyncio.run(carry_out(self.ws, self.survey(source, **ask), lambda _: None, Stop()))

    def missing(self) -> dict[str, int]:
        """What a plan would buy, by variant."""
        return {item.variant.name: item.buy for item in prepare(self.ws, Wanted()).plan.items if item.buy}

    def rows(self, dataset: str = "images") -> list[dict[str, Any]]:
        """The history, raw."""
        parts = self.ws.parts
        found: list[dict[str, Any]] = parts.read(parts.listing(dataset), dataset).to_pylist()
        return found

    def files(self) -> dict[str, bytes]:
        """The collection, byte for byte."""
        return {str(path): path.read_bytes() for path in sorted(self.old.rglob("*")) if path.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty collection, and a project that wants four images."""
    root = tmp_path / "project"
    (root / "configs").mkdir(parents=True)
    (root / "prompts.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "old").mkdir()
    return Place(root, tmp_path / "old", {"IDEOFLOW_STORAGE__RESERVE_MB": "0"})


@pytest.fixture
def draw() -> Callable[..., bytes]:
    """Makes pictures."""
    return picture
