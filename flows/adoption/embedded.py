"""What a picture says about itself: the text chunks of a PNG, in the shapes that generators leave there. Pure."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any

from PIL.PngImagePlugin import PngImageFile

_TAIL = re.compile(r"^(?:Steps|Seed|Size|Sampler|Model)\s*:", re.MULTILINE)
_PAIR = re.compile(r"\s*([A-Za-z][\w ]*?)\s*:\s*([^,]*)(?:,|$)")


def read_text(data: bytes) -> Mapping[str, Any]:
    """The text chunks of a PNG as keys and values; empty for anything else. Never raises for what the bytes hold."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return {}
    try:
        with PngImageFile(io.BytesIO(data)) as picture:
            chunks = {str(key): str(value) for key, value in picture.text.items()}
    except Exception:  # noqa: BLE001  decoders raise whatever they like at bad bytes, and verifying says so
        return {}
    found: dict[str, Any] = {}
    for key, value in chunks.items():
        inside = _as_json(value)
        if inside is not None:
            found = {**inside, **found}
        elif key.lower() == "parameters":
            found |= _parameters(value)
        elif key.lower() == "comment":
            found.setdefault("description", value)
        else:
            found[key] = value
    return found


def _as_json(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _parameters(text: str) -> dict[str, Any]:
    """``prompt``, then ``Negative prompt: ...``, then ``Key: value, Key: value``: what many web tools write."""
    tail = _TAIL.search(text)
    head, rest = (text[: tail.start()], text[tail.start() :]) if tail else (text, "")
    prompt, _, negative = head.partition("Negative prompt:")
    return {
        "prompt": prompt.strip(),
        "negative_prompt": negative.strip(),
        **{key.strip(): value.strip() for key, value in _PAIR.findall(rest)},
    }
