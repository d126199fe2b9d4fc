"""Reference pages of what people may write: the fields of a model as rows of a Markdown table. Pure.

A page made from the models themselves cannot say anything else than the reader takes.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

# Types with a name of their own, and what people are told of them.
Words = Sequence[tuple[Any, str]]

_NULL = " or `null`"
_PLAIN = {str: "text", int: "whole number", float: "number", Decimal: "amount", bool: "`true` or `false`"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table. Cells are Markdown themselves; what would end one is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n" for cells in lines)


def fields(
    model: type[BaseModel], words: Words = (), *, leave_out: Sequence[str] = (), nulls: bool = True
) -> Iterator[tuple[str, str, str, str]]:
    """(key, what it takes, its default, what it means) of every field.

    Without `nulls` a key is either left out or has a value, and null is neither taken nor a default.
    """
    for name, info in model.model_fields.items():
        if name not in leave_out:
            kind = _kind(Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation, words)
            default = _default(info)
            if not nulls:
                kind, default = kind.removesuffix(_NULL), default.replace("`null`", "")
            yield f"`{info.alias or name}`", kind, default, info.description or ""


def _kind(annotation: Any, words: Words) -> str:
    for known, said in words:
        if annotation == known:
            return said
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        plain = _kind(inside[0], words)
        bounds = [one for piece in inside[1:] for one in (piece.metadata if isinstance(piece, FieldInfo) else [piece])]
        # Bounds are of what may be written besides null.
        return _bounded(plain.removesuffix(_NULL), bounds) + (_NULL if plain.endswith(_NULL) else "")
    if origin in (Union, types.UnionType):
        kinds = [_kind(one, words) for one in inside if one is not type(None)]
        return " or ".join(dict.fromkeys(kinds)) + (_NULL if type(None) in inside else "")
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin in (tuple, list):
        return f"list of {_kind(inside[0], words)}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "map"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"map of {', '.join(f'`{key}`' for key in annotation.model_fields)}"
    return _PLAIN.get(annotation, "anything")


def _bounded(kind: str, pieces: Sequence[Any]) -> str:
    """A kind with its bounds in words: `whole number, 1 to 8`, `text of up to 200 characters`."""
    low = next((_number(one.ge) for one in pieces if isinstance(one, Ge)), "")
    over = next((_number(one.gt) for one in pieces if isinstance(one, Gt)), "")
    high = next((_number(one.le) for one in pieces if isinstance(one, Le)), "")
    longest = next((f"{one.max_length:,}" for one in pieces if isinstance(one, MaxLen)), "")
    if longest and kind.startswith("list of"):
        kind = f"list of up to {longest}: {kind.removeprefix('list of ')}"
    elif longest:
        kind = f"{kind} of up to {longest} characters"
    if low and high:
        return f"{kind}, {low} to {high}"
    least = f", at least {low}" if low else f", over {over}" if over else ""
    return kind + least + (f", up to {high}" if high else "")


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    return "" if isinstance(value, BaseModel) and not value.model_fields_set else f"`{_scalar(value)}`"


def _scalar(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "{" + ", ".join(f"{key}: {_scalar(inner)}" for key, inner in value) + "}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=list)
