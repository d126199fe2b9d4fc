"""What to say to people who write a key in a place where it is not known.

Collected from other tools' manifests and from the vendor's own words. Data only.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flows.ideogram.catalogue import CATALOGUE
from flows.manifest.options import RESERVED

_BRAND = "A file has one brand: write `brand` at the top of it."

PROMPT: Mapping[str, str] = MappingProxyType(
    {
        **{
            option.name: "It is the vendor's: write it under `options`."
            for endpoint in CATALOGUE.values()
            for option in endpoint.options
        },
        **{name: hint.replace(" beside `options`", "") for name, hint in RESERVED.items()},
        "seed": "Did you mean `seeds`? It is a list: [11].",
        "num_images": "Did you mean `count`?",
        "text": "Did you mean `prompt` (the whole text) or `lettering` (the words in the picture)?",
        "name": "Did you mean `id`?",
        **dict.fromkeys(
            ("high_level_description", "style_description", "compositional_deconstruction"),
            "Parts of a structured prompt are written under `prompt`, as a map.",
        ),
        "json_prompt": "Write it under `prompt`, as a map.",
        "ratio": "Did you mean `aspect_ratio`?",
        "axes": "Did you mean `matrix`?",
        "variants": "Did you mean `matrix`?",
        "schedule": "Did you mean `refresh`? It takes daily, weekly or monthly.",
    }
)

OVERRIDES: Mapping[str, str] = MappingProxyType(
    {**PROMPT, "prompt": "An axis changes `vars`, which the prompt takes in as {name}."}
)

DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        **PROMPT,
        "vars": "Texts for all prompts are `vars` at the top of the file.",
        "brand": _BRAND,
        "lettering": "Lettering belongs to a prompt, or to a label of an axis.",
        "seeds": "Seeds belong to a prompt, or to a label of an axis.",
        "prompt": "Prompts are listed under `prompts`.",
    }
)

FILE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("campaign", "count", "tags", "aspect_ratio", "options", "options_unchecked", "edition", "refresh"),
            "What holds for all prompts is written under `defaults`.",
        ),
        "model": "Did you mean `defaults: {model: ...}`, or `models` (options for each model)?",
        "prompt": "Did you mean `prompts`? It is a list.",
    }
)
