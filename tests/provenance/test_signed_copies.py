"""A signed picture, handed out with --embed: its very bytes, the packet beside it, and a manifest that still holds."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flows.export.run import Ask, destination, hand_out
from flows.ids import sha256
from flows.provenance.packet import TRAINED_ALGORITHMIC_MEDIA
from flows.workspace import open_workspace


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_a_signed_original_is_copied_byte_for_byte(kind: str, ending: str, sign: Any, tmp_path: Path) -> None:
    """The C2PA library itself finds the copy's manifest valid."""
    c2pa = pytest.importorskip("c2pa")
    buffer = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((80, 60)).save(buffer, kind)
    media = Image.MIME[kind]
    data = sign(buffer.getvalue(), media)
    ws = open_workspace(tmp_path, (), {})
    ws.assets.write(f"a.{ending}", data)
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    row = {
        "image_id": "019a-0",
        "request_id": "019a",
        "fingerprint": "f",
        "status": "stored",
        "variant": "signed",
        "prompt": "a prompt",
        "model": "ideogram-3",
        "requested_at": noon,
        "local_path": f"a.{ending}",
        "sha256": sha256(data),
    }
    ws.parts.write("images", "2026-11", [row])
    done = hand_out(ws, destination(ws, str(tmp_path / "out")), Ask(embed=True))
    assert (done.images, done.embedded, done.beside) == (1, 0, 1)
    [copy] = (tmp_path / "out").rglob(f"*.{ending}")
    assert copy.read_bytes() == data
    packet = copy.with_suffix(".xmp").read_text(encoding="utf-8")
    assert TRAINED_ALGORITHMIC_MEDIA in packet
    with copy.open("rb") as file:
        told = json.loads(c2pa.Reader(media, file).json())
    assert told["validation_state"] == "Valid"
