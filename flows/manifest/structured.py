"""A prompt written as a map: the vendor's structured ("JSON") prompt, checked, with placeholders in its texts.

Sent as one line of JSON whose keys stand in the vendor's own order, however the file orders them: two files
that say the same mean the same picture. Boxes are ``[y_min, x_min, y_max, x_max]`` in thousandths of the
picture. Knows the shape of such a prompt; knows no model.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from flows.documents import Document, salvage, shown
from flows.errors import Problem
from flows.ids import canonical_json
from flows.manifest.models import Text, given, text
from flows.manifest.template import Filled, Template, parse

Path = tuple[str | int, ...]

EDGE = 1000
_BOX = "A box is [y_min, x_min, y_max, x_max], four whole numbers from 0 to 1000, measured from the top left."


def _box(value: Any) -> Any:
    if not isinstance(value, list) or len(value) != 4:
        what = f"{len(value)} numbers" if isinstance(value, list) else shown(value)
        raise PydanticCustomError("box", "a box has four numbers, not {what}", {"what": what, "hint": _BOX})
    for side in value:
        if not isinstance(side, int) or isinstance(side, bool) or not 0 <= side <= EDGE:
            raise PydanticCustomError("box", "{side} cannot be a side of a box", {"side": shown(side), "hint": _BOX})
    for first, second, names in ((value[0], value[2], "y_min and y_max"), (value[1], value[3], "x_min and x_max")):
        if first >= second:
            message = "the box is empty: {first} is not less than {second} ({names})"
            raise PydanticCustomError("box", message, {"first": first, "second": second, "names": names, "hint": _BOX})
    return value


_given = BeforeValidator(given)
_Box = Annotated[
    list[int] | None,
    BeforeValidator(_box),
    WithJsonSchema(
        {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "integer", "minimum": 0, "maximum": EDGE}}
    ),
]
_Background = Annotated[
    str, Field(max_length=20_000), BeforeValidator(text), WithJsonSchema({"type": ["string", "integer"]})
]
_Words = Annotated[Text | None, _given]
# In the format of the open weights, not in the published one of the API: passed through as written.
_Colours = Annotated[Any, _given]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


# The fields below stand in the order in which they are sent.


class Element(_Strict):
    """One thing in the picture, or words that are to be readable in it."""

    type: Literal["obj", "text"] = Field(description="obj for a thing, text for words to be readable.")
    bbox: _Box = Field(None, description="[y_min, x_min, y_max, x_max] in thousandths, from the top left.")
    text: _Words = Field(None, description="The very words, where type is text.")
    desc: Text = Field(description="What it looks like.")
    color_palette: _Colours = Field(None, description="Passed through as written.")


class Style(_Strict):
    """How the whole is made."""

    aesthetics: _Words = Field(None, description="The look and the mood.")
    lighting: _Words = Field(None, description="Where the light comes from, and what it is like.")
    photo: _Words = Field(None, description="Camera, lens, film; for photographs.")
    medium: _Words = Field(None, description="Photograph, oil, linocut, 3D render and so on.")
    art_style: _Words = Field(None, description="The style; for what is no photograph.")
    color_palette: _Colours = Field(None, description="Passed through as written.")


class Composition(_Strict):
    """What is where."""

    background: _Background = Field(description="What is behind the elements.")
    elements: list[Element] = Field(description="What is in the picture, from back to front.")


class JsonPrompt(_Strict):
    """The vendor's structured prompt, for models that take it (4.0 and later)."""

    high_level_description: Text = Field(description="The picture in a sentence or two.")
    style_description: Annotated[Style | None, _given] = Field(None, description="How the whole is made.")
    compositional_deconstruction: Composition = Field(description="What is where.")


@dataclass(frozen=True)
class Structured:
    """A structured prompt with its texts read as templates, each at its path below the prompt."""

    shape: Mapping[str, Any]
    templates: Mapping[Path, Template]

    @property
    def names(self) -> tuple[str, ...]:
        """Every placeholder, as often as it occurs."""
        return tuple(name for template in self.templates.values() for name in template.names)

    def at(self, name: str) -> Path:
        """Where a placeholder first stands."""
        return next((path for path, template in self.templates.items() if name in template.names), ())

    def filled(self, values: Mapping[str, str]) -> Filled:
        """One line of JSON; lettering may be in the text elements only."""
        texts = {path: _clean(template.fill(values)) for path, template in self.templates.items()}
        whole = _put(self.shape, texts, ())
        said = tuple(words for path, words in texts.items() if path[-1] == "text")
        return Filled(json.dumps(whole, ensure_ascii=False, separators=(",", ":")), said, structured=True)


def read_structured(document: Document, data: Mapping[str, Any], at: Path) -> tuple[Structured | None, list[Problem]]:
    """The prompt written at the path `at`, or None and what is wrong with it."""
    read = salvage(document, JsonPrompt, data, at=at)
    problems = [*read.problems, *_mixed_up(document, data, at)]
    if read.model is None or problems:
        return None, problems
    shape = _ordered(read.model)
    templates: dict[Path, Template] = {}
    for path, words in _leaves(shape, ()):
        templates[path], slips = parse(words)
        problems += [document.problem((*at, *path), slip.message, slip.hint) for slip in slips]
    return (None if problems else Structured(shape, templates)), problems


def _mixed_up(document: Document, data: Mapping[str, Any], at: Path) -> Iterator[Problem]:
    """Words on a thing, or an element of words without any."""
    composition = data.get("compositional_deconstruction")
    elements = composition.get("elements") if isinstance(composition, dict) else None
    for index, element in enumerate(elements if isinstance(elements, list) else ()):
        path = (*at, "compositional_deconstruction", "elements", index)
        kind = element.get("type") if isinstance(element, dict) else None
        if kind == "text" and "text" not in element:
            hint = "Write the words under `text`, or make it `type: obj`."
            yield document.problem(path, "an element of text without `text`", hint)
        elif kind == "obj" and "text" in element:
            hint = "Make it `type: text`, or describe it in `desc`."
            yield document.problem((*path, "text"), "an obj has no `text`", hint, key=True)


def _ordered(value: Any) -> Any:
    """As plain data: what was written, in the order of the models; what is passed through, in one spelling."""
    if isinstance(value, BaseModel):
        names = [name for name in type(value).model_fields if name in value.model_fields_set]
        return {
            name: json.loads(canonical_json(getattr(value, name)))
            if name == "color_palette"
            else _ordered(getattr(value, name))
            for name in names
        }
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text to be filled in: all but what is passed through and what names a type."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("color_palette", "type"):
                yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))


def _put(value: Any, texts: Mapping[Path, str], path: Path) -> Any:
    if path in texts:
        return texts[path]
    if isinstance(value, Mapping):
        return {name: _put(inner, texts, (*path, name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_put(inner, texts, (*path, index)) for index, inner in enumerate(value)]
    return value


def _clean(words: str) -> str:
    return unicodedata.normalize("NFC", words).strip()
