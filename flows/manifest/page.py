"""The manifest as a page for people: `docs/manifest.md`, made from the models of its shape. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from flows.documents.reference import Words, fields, table
from flows.manifest.axes import FIELD_AXES, MAX_AXES
from flows.manifest.models import Defaults, File, Label, Line, Overrides, Prompt, Ratio, Seeds, Tags, Text, Version
from flows.manifest.names import LABEL_WORDS, MAX_LABEL
from flows.manifest.structured import Composition, Element, JsonPrompt, Style

_WORDS: Words = (
    (Label, "name"),
    (Line, "text of one line"),
    (Ratio, "ratio, as `16:9`"),
    (Seeds, "list of whole numbers"),
    (Tags, "list of tags"),
    (Text, "text"),
    (Version, "`1`"),
    (list[Any], "list of prompts"),
    (list[Element], "list of elements"),
    (list[int], "list of four whole numbers"),
    (Style, "map, see below"),
    (Composition, "map, see below"),
)

_HEAD = """\
# The manifest, key by key

Generated from `flows/manifest/` by `make generated`; a test fails when it is stale.

A manifest says what you want to **have**. `ideoflow plan` compares it with the history and says what is missing,
`ideoflow generate` buys exactly that. Nothing is ever deleted because it left the manifest.

```yaml
# yaml-language-server: $schema=configs/prompts.schema.json
version: 1
brand: helio # configs/brands/helio.yml
defaults: {campaign: summer-2027, model: ideogram-4-5, count: 2}
models: # options by model, in the vendor's own words
  ideogram-4-5: {quality: medium, magic_prompt: off}
vars:
  look: soft morning light, much empty space
prompts:
  - id: hero
    prompt: 'Poster, a glass bottle on wet sand, {look}. Large lettering reads "{lettering}".'
    matrix:
      language:
        en: {lettering: "SUMMER, SLOWLY"}
        de: {lettering: "SOMMER, LANGSAM"}
      format:
        square: {aspect_ratio: 1:1}
        story: {aspect_ratio: 9:16, count: 4}
        banner: {aspect_ratio: 16:9}
      exclude:
        - {language: de, format: banner}
    tags: [hero]
```

That is one prompt and five variants: `hero@language=en,format=square` and so on. The first line lets editors complete
and check while you type; [models.md](models.md) lists every model with its options, shapes and prices.

The file is read strictly: an unknown key is refused, with its line and the nearest one that exists, all mistakes at
once. It is YAML 1.2, so that `off`, `16:9` and `2027` mean what they say. A value that begins with `{` or `#`, or holds
`: `, belongs in quotes. A name is made of {label_words}; at
most {label_most} of them.
"""
_LAYERS = """\
## What wins

`defaults`, then `models.<model>`, then the prompt, then the labels of its axes; options are merged one by one, tags add
up. One key set by two axes of a prompt is an error: nobody could say which counts. `model` itself may be an axis.

## The file
"""
_PROMPTS = """\
## `prompts[]`

The keys of `defaults` and of a label may stand in a prompt too, and:
"""
_LABELS = """\
## `defaults`, and what a label of an axis may change

For every prompt (`defaults`), for one, or for one label of an axis:
"""
_LABELS_ONLY = "For one prompt or one label of an axis:\n"
_MATRIX = """\
## `matrix`

Up to {axes} axes; every combination is a variant. An axis is one of two things:

- **a list** fills the placeholder of its name: `mood: [calm, playful]` fills `{mood}`. Lists called {field_axes}
  set that key instead.
- **a map** from label to what it changes: any key of the tables above.

`exclude` leaves combinations out: `- {language: de, format: banner}` means every variant with both.

## Placeholders

`{name}` is filled in, `{{` and `}}` are braces, and there is nothing else. A name is looked up in this order: the axes,
`vars` of the prompt, `vars` of the file, `lettering`, and the brand: `{brand.name}`, `{brand.palette}`, a colour
(`{brand.sun-orange}`), a duty (`{brand.primary}`). What nothing fills is an error, and so is a text that fills nothing:
it is nearly always a misspelt placeholder, and would be paid for. What is filled in is not filled itself.

`lettering` is what must be readable in the picture: the prompt has to say it (`... reads "{lettering}"`), and the
audit looks for it. A prompt that quotes words and has no `lettering` is pointed out.

## What makes it another picture

The **fingerprint** of a variant decides what is bought: the brand, the model, the final text, every option that
differs from the model's default, the seed, the `edition`, and which API it is for. What is *not* in it can be
changed at any time and buys nothing: `id`, `campaign`, `tags`, `notes`, `retention`, and the names of axes and labels.
Raising `count` buys the difference; lowering it, or taking a prompt out, deletes nothing.

| you want | write |
| --- | --- |
| two more of the same | a larger `count` |
| the same once more, on purpose | another `edition` |
| new ones every week | `refresh: weekly`: the ISO week is the edition, by `generate.timezone` |
| the very picture of a seed | `seeds: [11, 12]`: one image each, instead of `count` |
| an option that ideoflow does not know yet | `options_unchecked:`, passed through with a warning |
"""
_STRUCTURED = """\
## A prompt as a map

The 4.x models take a structured prompt. Every text in it may hold placeholders; `lettering` has to appear in an element
of `type: text`.
"""


def manifest_page() -> str:
    """``docs/manifest.md``."""
    head = _HEAD.replace("{label_words}", LABEL_WORDS).replace("{label_most}", str(MAX_LABEL))
    fields_ = " and ".join((", ".join(f"`{name}`" for name in FIELD_AXES[:-1]), f"`{FIELD_AXES[-1]}`"))
    matrix = _MATRIX.replace("{axes}", str(MAX_AXES)).replace("{field_axes}", fields_)
    shared = list(Defaults.model_fields)
    parts = [
        head,
        _LAYERS,
        _table(File),
        _PROMPTS,
        _table(Prompt, leave_out=list(Overrides.model_fields)),
        _LABELS,
        _table(Defaults),
        _LABELS_ONLY,
        _table(Overrides, leave_out=shared),
        matrix,
        _STRUCTURED,
    ]
    for name, model in (
        ("the map", JsonPrompt),
        ("`style_description`", Style),
        ("`compositional_deconstruction`", Composition),
        ("`elements[]`", Element),
    ):
        parts += [f"### {name[0].upper()}{name[1:]}\n", _table(model)]
    return "\n".join(parts)


def _table(model: type[BaseModel], leave_out: list[str] | None = None) -> str:
    rows = fields(model, _WORDS, leave_out=leave_out or (), nulls=False)
    return table(("key", "takes", "", "meaning"), rows)
