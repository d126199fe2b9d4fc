"""JSON Schemas of the vendor's options: the canonical values to offer, and every spelling understood."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flows.ideogram.catalogue import Kind, Option
from flows.manifest.brands import WORD
from flows.manifest.names import parse_ratio, parse_size
from flows.manifest.palette import MAX_WEIGHT, MIN_WEIGHT

Schema = dict[str, Any]

_HEX: Schema = {"type": "string", "pattern": "^\\s*#?(?:[0-9a-fA-F]{3}){1,2}\\s*$"}


def option_schema(option: Option) -> Schema:
    if option.kind is Kind.ENUM:
        schema = enum_schema(option.values, [loosely(value) for value in option.values])
    elif option.kind is Kind.SIZE:
        size = r"\s*(?:[rR][eE][sS][oO][lL][uU][tT][iI][oO][nN]_)?[0-9]{2,5}\s*[:xX\u00d7*_]\s*[0-9]{2,5}\s*"
        schema = enum_schema(option.values, [size, *(loosely(value) for value in option.values)])
    elif option.kind is Kind.TEXT:
        schema = {"type": "string", "minLength": 1}
        if option.max_length is not None:
            schema["maxLength"] = option.max_length
    elif option.kind is Kind.BOOLEAN:
        schema = {"type": "boolean"}
    elif option.kind is Kind.CODES:
        code: Schema = {"type": ["string", "integer"], "pattern": "^\\s*[0-9a-fA-F]{8}\\s*$"}
        schema = {"type": "array", "minItems": 1, "maxItems": option.max_length, "items": code}
    else:
        schema = _palette(option)
    return schema if option.default is None else {**schema, "default": option.default}


def _palette(option: Option) -> Schema:
    weight = {"type": "number", "minimum": MIN_WEIGHT, "maximum": MAX_WEIGHT}
    member: Schema = {
        "type": "object",
        "properties": {"color_hex": _HEX, "color_weight": weight},
        "required": ["color_hex"],
        "additionalProperties": False,
    }
    preset = enum_schema(option.values, [loosely(value) for value in option.values])
    colours: Schema = {
        "type": "array",
        "minItems": 1,
        "maxItems": option.max_length,
        "items": {"anyOf": [_HEX, member]},
    }
    either: Schema = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {"name": preset, "members": colours},
        "additionalProperties": False,
    }
    return {"anyOf": [preset, enum_schema([WORD], [loosely(WORD)]), colours, either]}


def enum_schema(values: Iterable[str], patterns: Iterable[str]) -> Schema:
    """The canonical values, for editors to offer, and every spelling of them that is understood."""
    loose = {"type": "string", "pattern": f"^(?:{'|'.join(patterns)})$"}
    return {"anyOf": [{"enum": list(values)}, loose]}


def loosely(value: str) -> str:
    """A regular expression (of ECMA 262, as JSON Schema wants) for a value in any case and separator."""
    ratio, size = parse_ratio(value), parse_size(value)
    if ratio or size:
        width, height = ratio or size or (0, 0)
        prefix = _any_case("aspect_") if ratio else _any_case("resolution_")
        return rf"\s*(?:{prefix})?{width}\s*[:xX\u00d7*/_]\s*{height}\s*"
    return rf"\s*{_any_case(value)}\s*"


def _any_case(word: str) -> str:
    return "".join(
        f"[{c.lower()}{c.upper()}]" if c.isalpha() else "[ _-]" if c in " _-" else f"\\{c}" if c == "." else c
        for c in word
    )
