"""A project with a handful of stored pictures of every format, without anybody having been asked to draw them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flows.history.events import Event
from flows.history.schema import event_row
from flows.ids import sha256, uuid7
from flows.workspace import Workspace, open_workspace

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
MEDIA = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


def picture(kind: str, number: int) -> bytes:
    """A small one, different for each number."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").rotate(number * 37).convert("RGB").resize((65, 43)).save(buffer, FORMATS[kind])
    return buffer.getvalue()


@dataclass
class Shop:
    """The project, and what one puts into it."""

    ws: Workspace
    root: Path
    made: int = 0

    def add(self, kind: str = "png", data: bytes | None = None, **labels: Any) -> str:
        """A stored image: its id."""
        self.made += 1
        moment = NOON + timedelta(seconds=self.made)
        request = uuid7(moment, lambda length: sha256(str(self.made).encode())[:length].encode())
        data = picture(kind, self.made) if data is None else data
        path = f"assets-{self.made}.{kind}"
        self.ws.assets.write(path, data)
        row = {
            "image_id": f"{request}-0",
            "request_id": request,
            "fingerprint": sha256(str(self.made).encode()),
            "image_index": 0,
            "origin": "api.example",
            "status": "stored",
            "prompt_id": "hero",
            "variant": "hero@language=de",
            "brand": "helio",
            "campaign": "summer",
            "tags": ["paid", "social"],
            "prompt": "a prompt",
            "final_prompt": "a final prompt",
            "model": "ideogram-3",
            "options": "{}",
            "requested_at": moment,
            "generated_at": moment,
            "stored_at": moment,
            "local_path": path,
            "media_type": MEDIA[kind],
            "bytes": len(data),
            "sha256": sha256(data),
            "cost_usd": 0.06,
            "seed": 7,
            **labels,
        }
        self.ws.parts.write("images", "2026-11", [row])
        return str(row["image_id"])

    def happened(self, event: Event, image: str | None = None, **more: Any) -> None:
        """A lifecycle row."""
        row = event_row(
            event_id=self.ws.new_id(), at=self.ws.now(), event=event, actor="test", run_id="r", image=image, **more
        )
        self.ws.parts.write("lifecycle", "2026-11", [row])

    def relabelled(self, number: int, **labels: Any) -> None:
        """The image that was added as that number is called something else from now on."""
        details = {"prompt_id": "hero", "variant": "hero", "campaign": "summer", "tags": [], **labels}
        self.happened(Event.RELABELLED, fingerprint=sha256(str(number).encode()), details=details)

    def originals(self) -> dict[str, bytes]:
        """Every byte of the assets."""
        return {stat.path: self.ws.assets.read(stat.path) or b"" for stat in self.ws.assets.list()}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """An empty one."""
    return Shop(open_workspace(tmp_path, (), {}), tmp_path)


Files = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def files() -> Files:
    """Every file below a folder that people see, with its bytes."""

    def look(root: Path) -> dict[str, bytes]:
        found = (path for path in root.rglob("*") if path.is_file() and ".tmp" not in path.parts)
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}

    return look
