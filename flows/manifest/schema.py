"""The JSON Schema of a manifest, for editors: generated from the models and the catalogue.

It helps while typing; the loader decides. What only the loader can know (placeholders, exclusions, which
model a prompt ends up with) is not in it, and nothing that the loader takes is refused by it. Pure.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import models_json_schema

from flows.ideogram.catalogue import CATALOGUE, Endpoint
from flows.manifest.axes import MAX_AXES
from flows.manifest.models import Defaults, File, Overrides, Prompt
from flows.manifest.names import LABEL, MAX_LABEL
from flows.manifest.schema_options import Schema, enum_schema, loosely, option_schema
from flows.manifest.structured import JsonPrompt

_FIELD = "^[A-Za-z_][A-Za-z0-9_]*$"
_TEXT: Schema = {"type": ["string", "integer"]}


def schema_text() -> str:
    """The file `configs/prompts.schema.json`."""
    return json.dumps(build(), indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def build() -> Schema:
    """The schema as plain data."""
    _, top = models_json_schema(
        [(model, "validation") for model in (File, Defaults, Overrides, Prompt, JsonPrompt)],
        ref_template="#/$defs/{model}",
    )
    definitions: Schema = {name: _tidy(definition) for name, definition in top["$defs"].items()}
    file = definitions.pop("File")
    for name in ("Defaults", "Overrides", "Prompt"):
        _fields(definitions[name])
    definitions["Prompt"]["properties"]["matrix"] |= _matrix()
    for endpoint in CATALOGUE.values():
        definitions[_named("options", endpoint)] = _options(endpoint)
        definitions[_named("model", endpoint)] = _model_options(endpoint)
    definitions["options"] = _any_options()
    file["properties"]["defaults"] |= {"$ref": "#/$defs/Defaults"}
    file["properties"]["models"] |= _models()
    file["properties"]["vars"] |= _names(_TEXT)
    file["properties"]["prompts"] |= {"items": {"$ref": "#/$defs/Prompt"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ideoflow manifest (prompts.yaml)",
        **file,
        "$defs": definitions,
    }


def _tidy(schema: Any) -> Any:
    """Without pydantic's titles, and without the null that only stands for "not written"."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _tidy(value) for key, value in schema.items() if not _is_noise(key, value)}
    branches = [branch for branch in kept.get("anyOf", ()) if branch != {"type": "null"}]
    if len(branches) == 1:
        del kept["anyOf"]
        kept = {**branches[0], **kept}
    return kept


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)


def _fields(definition: Schema) -> None:
    """What the catalogue knows of `model`, `aspect_ratio` and `options`."""
    properties = definition["properties"]
    properties["model"] = {**properties["model"], **_model_name()}
    properties["aspect_ratio"] = {**properties["aspect_ratio"], **_ratio()}
    properties["options"] = {"description": properties["options"]["description"], "$ref": "#/$defs/options"}
    properties["options_unchecked"]["propertyNames"] = {"pattern": _FIELD}
    if "prompt" in properties:
        choices = [_TEXT, {"$ref": "#/$defs/JsonPrompt"}]
        properties["prompt"] = {"description": properties["prompt"]["description"], "anyOf": choices}
    if "vars" in properties:
        properties["vars"] = {"description": properties["vars"]["description"], **_names(_TEXT)}
    definition["allOf"] = [
        {
            "if": {"properties": {"model": {"enum": _spelled(endpoint)}}, "required": ["model"]},
            "then": {"properties": {"options": {"$ref": _ref("options", endpoint)}}},
        }
        for endpoint in CATALOGUE.values()
    ]


def _named(what: str, endpoint: Endpoint) -> str:
    """The name of a definition: a slash would mean something in a reference."""
    return f"{what}.{endpoint.model.replace('/', '.')}"


def _ref(what: str, endpoint: Endpoint) -> str:
    return f"#/$defs/{_named(what, endpoint)}"


def _spelled(endpoint: Endpoint) -> list[str]:
    return list(dict.fromkeys((endpoint.model, *endpoint.aliases)))


def _model_name() -> Schema:
    known = {loosely(word) for endpoint in CATALOGUE.values() for word in _spelled(endpoint)}
    return enum_schema(CATALOGUE, sorted(known))


def _ratio() -> Schema:
    ratios = dict.fromkeys(ratio for endpoint in CATALOGUE.values() for ratio in endpoint.ratios)
    pattern = r"\s*(?:[aA][sS][pP][eE][cC][tT]_)?[0-9]{1,3}\s*[:xX\u00d7/_]\s*[0-9]{1,3}\s*"
    return enum_schema(ratios, [pattern])


def _models() -> Schema:
    properties = {
        word: {"$ref": _ref("model", endpoint)} for endpoint in CATALOGUE.values() for word in _spelled(endpoint)
    }
    loose = {
        f"^{loosely(word)}$": {"$ref": _ref("model", endpoint)}
        for endpoint in CATALOGUE.values()
        for word in _spelled(endpoint)
    }
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": loose,
        "additionalProperties": False,
    }


def _matrix() -> Schema:
    label: Schema = {"pattern": LABEL, "maxLength": MAX_LABEL}
    combination = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": label,
        "additionalProperties": _TEXT,
    }
    values = {"description": "Texts that fill {axis}.", "type": "array", "minItems": 1, "items": _TEXT}
    labels = {
        "description": "A map from label to what it changes.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": label,
        "additionalProperties": {"$ref": "#/$defs/Overrides"},
    }
    return {
        "type": "object",
        "propertyNames": label,
        "minProperties": 1,
        "maxProperties": MAX_AXES + 1,
        "properties": {
            "exclude": {
                "description": "Combinations to leave out: {language: de, format: banner}.",
                "type": "array",
                "minItems": 1,
                "items": combination,
            }
        },
        "additionalProperties": {"anyOf": [values, labels]},
    }


def _names(value: Schema) -> Schema:
    names = {"pattern": LABEL, "maxLength": MAX_LABEL}
    return {"type": "object", "propertyNames": names, "additionalProperties": value}


def _options(endpoint: Endpoint) -> Schema:
    return {
        "description": f"Options of {endpoint.model}.",
        "type": "object",
        "properties": {option.name: option_schema(option) for option in endpoint.options},
        "additionalProperties": False,
    }


def _model_options(endpoint: Endpoint) -> Schema:
    """What stands under `models`: the options, and what goes unchecked, side by side."""
    reference = _ref("options", endpoint)
    own = {option.name: {"$ref": f"{reference}/properties/{option.name}"} for option in endpoint.options}
    unchecked = {
        "description": "Fields of the vendor's that are not known here yet: sent as they are, with a warning.",
        "type": "object",
        "propertyNames": {"pattern": _FIELD},
    }
    return {
        "description": f"Options of {endpoint.model} for every prompt that uses it.",
        "type": "object",
        "properties": {**own, "options_unchecked": unchecked},
        "additionalProperties": False,
    }


def _any_options() -> Schema:
    """For prompts whose model is said elsewhere: every option of every model."""
    properties: dict[str, list[Schema]] = {}
    seen: dict[str, list[Schema]] = {}
    for endpoint in CATALOGUE.values():
        for option in endpoint.options:
            schema, known = option_schema(option), seen.setdefault(option.name, [])
            if schema not in known:
                known.append(schema)
                reference = {"$ref": f"{_ref('options', endpoint)}/properties/{option.name}"}
                properties.setdefault(option.name, []).append(reference)
    return {
        "description": "Options of the prompt's model.",
        "type": "object",
        "properties": {name: {"anyOf": choices} for name, choices in properties.items()},
        "additionalProperties": False,
    }
