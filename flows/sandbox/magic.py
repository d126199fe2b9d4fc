"""Magic prompt: the final prompt that a response reports, rewritten as the vendor's answers are. Pure.

On the models that take JSON prompts every prompt becomes one: ``off`` keeps the wording inside it, ``auto``
and ``on`` enrich it, and a prompt that is structured already is left alone unless ``on``. The other models
answer with prose: enriched, or with ``off`` the very words of the request.
"""

from __future__ import annotations

import json
import random
from typing import Any

from flows.sandbox.lettering import quoted

_LIGHT = ("low golden light from the left", "soft north light", "clear morning light", "warm dusk light")
_AIR = ("calm and uncluttered", "quietly optimistic", "sunlit and airy", "precise and restrained")
_BACKGROUND = ("a plain ground with a faint gradient", "an open horizon", "softly out of focus shapes")
# None of them names a thing or a mood that the renderer knows: rewriting adds words, not another picture.
_FINISH = (
    "The composition leaves generous empty space around the subject.",
    "Edges are clean and the colours are few and deliberate.",
    "A fine surface and a gentle fall-off towards the corners hold it together.",
)


def final_prompt(prompt: str, mode: str, *, structured: bool, seed: int) -> str:
    """What the response says was drawn. `mode` is auto, on or off in any case."""
    mode = mode.lower()
    rng = random.Random(f"{seed}\x1f{prompt}")
    if not structured:
        return prompt if mode == "off" else f"{prompt.rstrip('. ')}. {rng.choice(_FINISH)}"
    if is_structured(prompt) and mode != "on":
        return prompt
    return json.dumps(_structure(prompt, rng, rewrite=mode != "off"), ensure_ascii=False)


def is_structured(prompt: str) -> bool:
    """Whether a prompt is the vendor's JSON prompt."""
    return _parsed(prompt) is not None


def words_of(prompt: str) -> str:
    """The words a picture is about: of a structured prompt, its descriptions only."""
    data = _parsed(prompt)
    if data is None:
        return prompt
    elements = data["compositional_deconstruction"].get("elements", [])
    parts = [data.get("high_level_description", "")]
    parts += [item.get("desc", "") for item in elements if isinstance(item, dict)]
    return " ".join(str(part) for part in parts)


def texts_of(prompt: str) -> tuple[str, ...]:
    """What must be readable: the text elements of a structured prompt, else everything in quotation marks."""
    data = _parsed(prompt)
    if data is None:
        return quoted(prompt)
    elements = data["compositional_deconstruction"].get("elements", [])
    texts = [item.get("text") for item in elements if isinstance(item, dict) and item.get("type") == "text"]
    return tuple(text for text in texts if isinstance(text, str) and text.strip())


def _parsed(prompt: str) -> dict[str, Any] | None:
    if not prompt.lstrip().startswith("{"):
        return None
    try:
        data = json.loads(prompt)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("high_level_description"), str):
        return None
    composition = data.get("compositional_deconstruction")
    if not isinstance(composition, dict) or not isinstance(composition.get("elements", []), list):
        return None
    return data


def _structure(prompt: str, rng: random.Random, *, rewrite: bool) -> dict[str, Any]:
    words = words_of(prompt).strip()
    elements: list[dict[str, Any]] = [{"type": "obj", "desc": words}]
    elements += [
        {"type": "text", "text": text, "desc": "lettering, large and clearly legible"} for text in texts_of(prompt)
    ]
    if not rewrite:
        return {
            "high_level_description": words,
            "compositional_deconstruction": {"background": "", "elements": elements},
        }
    return {
        "high_level_description": f"{words.rstrip('. ')}. {rng.choice(_FINISH)}",
        "style_description": {"aesthetics": rng.choice(_AIR), "lighting": rng.choice(_LIGHT)},
        "compositional_deconstruction": {"background": rng.choice(_BACKGROUND), "elements": elements},
    }
