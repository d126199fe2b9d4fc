"""The shape of a manifest, as pydantic models: what may be written where, and nothing about what it means.

All keys that are not here are refused. Options are the vendor's: here they are only a map, the catalogue
decides the rest (see `options`). A matrix is read by `matrix`, which tells lists from maps.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from flows.ideogram.catalogue import SEED_MAX
from flows.manifest.names import LABEL, LABEL_WORDS, MAX_LABEL, Refresh, is_label, parse_ratio

MAX_COUNT = 10_000
MAX_SEEDS = 1_000
MAX_TEXT = 20_000


def text(value: Any) -> Any:
    """`2027` is a number to YAML and a text to people: whole numbers are taken as written."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _said(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("empty", "must not be empty")
    return value


def _line(value: str) -> str:
    if len(value.splitlines()) > 1 or value != value.strip():
        raise PydanticCustomError("line", "must be one line, without spaces around it")
    return _said(value)


def _label(value: str) -> str:
    if not is_label(value):
        hint = f"Use {LABEL_WORDS}; at most {MAX_LABEL} of them."
        raise PydanticCustomError("label", "is not a name that can be used here", {"hint": hint})
    return value


def _tag(value: str) -> str:
    if re.search(r"[\s,]", _said(value)):
        hint = "Write it like paid-social, one item of the list for each tag."
        raise PydanticCustomError("tag", "a tag has no spaces and no commas", {"hint": hint})
    return value


def _ratio(value: str) -> str:
    ratio = parse_ratio(value)
    if ratio is None:
        raise PydanticCustomError("ratio", "is not a ratio of width to height", {"hint": "Write it like 16:9."})
    return f"{ratio[0]}:{ratio[1]}"


def _distinct(value: tuple[int, ...]) -> tuple[int, ...]:
    twice = [seed for seed, times in Counter(value).items() if times > 1]
    if twice:
        message = "the seed {seed} is listed twice"
        hint = "The same seed makes the same picture: list each once."
        raise PydanticCustomError("distinct", message, {"seed": twice[0], "hint": hint})
    return value


def _version(value: Any) -> Any:
    if value != 1 or isinstance(value, bool):
        hint = "This version of ideoflow reads `version: 1`."
        raise PydanticCustomError("version", "is not a version that is understood", {"hint": hint})
    return value


def given(value: Any) -> Any:
    """A key without a value is a slip, not a wish: leaving the key out says that."""
    if value is None:
        raise PydanticCustomError("nothing", "has no value", {})
    return value


_words = BeforeValidator(text)
_given_at_all = BeforeValidator(given)


def _schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema(schema)


_Scalar = _schema(type=["string", "integer"])
Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_said), _words, _Scalar]
Line = Annotated[str, Field(max_length=200), AfterValidator(_line), _words, _Scalar]
Label = Annotated[str, AfterValidator(_label), _schema(type="string", pattern=LABEL, maxLength=MAX_LABEL)]
Tag = Annotated[str, Field(max_length=100), AfterValidator(_tag), _words, _Scalar]
Ratio = Annotated[str, AfterValidator(_ratio), _schema(type="string")]
Model = Annotated[str, AfterValidator(_line), _schema(type="string")]
Count = Annotated[int, Field(ge=1, le=MAX_COUNT)]
Seed = Annotated[int, Field(ge=0, le=SEED_MAX)]
# Behind a BeforeValidator pydantic no longer sees JSON but a Python list, which a strict tuple refuses.
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1, max_length=MAX_SEEDS, strict=False), AfterValidator(_distinct)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=50, strict=False)]
Options = dict[str, Any]
Variables = dict[Label, Text]
Version = Annotated[Literal[1], BeforeValidator(_version), _schema(const=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())


class Defaults(_Strict):
    """What holds for every prompt of the file that does not say otherwise."""

    model: Annotated[Model | None, _given_at_all] = Field(None, description="The model, as ideogram-4-5.")
    aspect_ratio: Annotated[Ratio | None, _given_at_all] = Field(
        None, description="Width to height, as 16:9; the plan shows the size this means on the model."
    )
    count: Annotated[Count | None, _given_at_all] = Field(
        None, description="How many images are wanted of each variant (1 if nothing says otherwise)."
    )
    options: Annotated[Options | None, _given_at_all] = Field(
        None, description="The vendor's own options; checked against the model before anything is spent."
    )
    options_unchecked: Annotated[Options | None, _given_at_all] = Field(
        None, description="Fields of the vendor's that are not known here yet: sent as they are, with a warning."
    )
    tags: Annotated[Tags | None, _given_at_all] = Field(
        None, description="Words to select and report by. Tags of defaults, prompt and axes add up."
    )
    campaign: Annotated[Line | None, _given_at_all] = Field(
        None, description="The campaign this belongs to: a label; changing it buys nothing."
    )
    retention: Annotated[Label | None, _given_at_all] = Field(
        None, description="A class of configs/retention.yaml, which says how long its pictures stay: a label."
    )
    edition: Annotated[Line | None, _given_at_all] = Field(
        None, description="Any text: changing it buys the same picture once more, on purpose."
    )
    refresh: Annotated[Refresh | None, _given_at_all] = Field(
        None, description="New ones each day, ISO week or month, by the clock of the configured timezone."
    )


class Overrides(Defaults):
    """What one label of an axis changes."""

    brand: Annotated[Label | None, _given_at_all] = Field(None, description="The brand's short name.")
    seeds: Annotated[Seeds | None, _given_at_all] = Field(
        None, description="One image for each seed; takes the place of count."
    )
    lettering: Annotated[Text | None, _given_at_all] = Field(
        None, description="The words that must be readable in the picture; fills {lettering}."
    )
    vars: Annotated[Variables | None, _given_at_all] = Field(None, description="Texts that fill {name} in the prompt.")


class Prompt(Overrides):
    """One prompt, and the variants of it that are wanted."""

    id: Label = Field(description="The prompt's name, unique over all files: hero.")
    prompt: Text | dict[str, Any] = Field(
        description="The text, or the vendor's structured prompt as a map. {name} is filled in; {{ and }} are braces."
    )
    matrix: Annotated[dict[str, Any] | None, _given_at_all] = Field(
        None, description="Axes to vary: a list that fills {axis}, or a map from label to overrides."
    )
    notes: Annotated[Text | None, _given_at_all] = Field(None, description="For people; ignored.")


class File(_Strict):
    """A whole manifest. Its parts are validated one by one, so that each can be wrong for itself."""

    version: Version = Field(description="The version of this format.")
    brand: Annotated[Label | None, _given_at_all] = Field(None, description="The brand's short name.")
    defaults: Annotated[dict[str, Any] | None, _given_at_all] = Field(
        None, description="What holds for every prompt that does not say otherwise."
    )
    models: Annotated[dict[str, Any] | None, _given_at_all] = Field(
        None, description="Options for each model, in the vendor's own words."
    )
    vars: Annotated[dict[str, Any] | None, _given_at_all] = Field(
        None, description="Texts that fill {name} in any prompt of this file."
    )
    prompts: Annotated[list[Any], Field(min_length=1)] = Field(description="The prompts.")


def written(model: BaseModel) -> dict[str, Any]:
    """The fields that were written in the file, by name."""
    return {name: getattr(model, name) for name in type(model).model_fields if name in model.model_fields_set}
