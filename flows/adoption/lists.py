"""Lists of pictures as people's scripts keep them: JSON, JSON Lines or CSV, each row with its line. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flows.adoption.record import Place
from flows.errors import InvalidInput, Problem

LISTS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")
Row = tuple[Place, Mapping[str, Any]]
_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def read_list(name: str, data: bytes) -> tuple[list[Row], tuple[Problem, ...]]:
    """The rows of a list, and what in it is none. Raises InvalidInput when the whole cannot be read."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput([Problem(name, line, 1, "", "is not UTF-8", "Save it as UTF-8.")]) from None
    ending = name.lower().rpartition(".")[2]
    if ending in {"csv", "tsv"}:
        return _csv(name, text, "\t" if ending == "tsv" else None)
    rows = _lines(name, text) if ending in {"jsonl", "ndjson"} else _json(name, text)
    good: list[Row] = []
    problems: list[Problem] = []
    for place, value in rows:
        if isinstance(value, Problem):
            problems.append(value)
        elif isinstance(value, dict):
            good.append((place, value))
        else:
            hint = "Each picture is a map of keys and values."
            problems.append(place.problem("", f"is {_kind(value)}, not a record", hint))
    return good, tuple(problems)


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")


def _csv(name: str, text: str, delimiter: str | None) -> tuple[list[Row], tuple[Problem, ...]]:
    if delimiter is None:
        head = text.partition("\n")[0]
        delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    good: list[Row] = []
    problems: list[Problem] = []
    before = 1
    try:
        columns = len(reader.fieldnames or ())
        for row in reader:
            place, before = Place(name, before + 1), reader.line_num
            if None in row or None in row.values():
                cells = sum(value is not None for key, value in row.items() if key is not None)
                cells += len(row.get(None) or ())  # where DictReader keeps what is too much
                hint = "Put a cell that holds the separator or a line break in double quotes."
                problems.append(place.problem("", f"has {cells} cells where the head has {columns}", hint))
            else:
                good.append((place, row))
    except csv.Error as error:
        raise InvalidInput([Problem(name, reader.line_num, 1, "", f"is no CSV: {error}", "Save it anew.")]) from None
    return good, tuple(problems)


def _lines(name: str, text: str) -> Iterator[tuple[Place, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        place = Place(name, number)
        try:
            yield place, json.loads(line)
        except (ValueError, RecursionError) as error:
            yield place, place.problem("", f"is no JSON: {_said(error)}", "Mend this line, or remove it.")


def _json(name: str, text: str) -> Iterator[tuple[Place, Any]]:
    """The records of a list, of the list inside a map, or the one map itself."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        problem = Problem(name, error.lineno, error.colno, "", f"is no JSON: {error.msg}", "Mend it there.")
        raise InvalidInput([problem]) from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput([Problem(name, 0, 0, "", f"is no JSON: {_said(error)}", "Mend it.")]) from None
    start = _BLANK.match(text).end()  # type: ignore[union-attr]  # it matches nothing at all, too
    if isinstance(whole, list):
        yield from _elements(name, text, start, "")
    elif isinstance(whole, dict):
        inner = [key for key, value in whole.items() if isinstance(value, list) and any(map(_is_map, value))]
        if not inner:
            yield Place(name, text.count("\n", 0, start) + 1), whole
        # What is said once for all of them, such as when an answer came.
        common = {key: value for key, value in whole.items() if not isinstance(value, (list, dict))}
        for key in inner:
            for place, value in _elements(name, text, _value_of(text, start, key), key):
                yield place, {**common, **value} if isinstance(value, dict) else value
    else:
        raise InvalidInput([Problem(name, 1, 1, "", f"is {_kind(whole)}, not a list of pictures", "See the docs.")])


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _said(error: Exception) -> str:
    return str(error) or "nested too deeply"


def _elements(name: str, text: str, at: int, key: str) -> Iterator[tuple[Place, Any]]:
    """The elements of the array that begins `at`, each with its line. The text is known to be sound."""
    at, index, line, counted = _blank(text, at + 1), 0, 1, 0
    while text[at] != "]":
        line, counted = line + text.count("\n", counted, at), at
        value, at = _DECODER.raw_decode(text, at)
        yield Place(name, line, f"{key}[{index}]"), value
        at, index = _blank(text, at), index + 1
        at = _blank(text, at + 1) if text[at] == "," else at


def _value_of(text: str, at: int, wanted: str) -> int:
    """Where the value of a key begins in the map that begins `at`; of several alike the last, which counts."""
    at, found = _blank(text, at + 1), 0
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _blank(text, _blank(text, at) + 1)
        if key == wanted:
            found = at
        _, at = _DECODER.raw_decode(text, at)
        at = _blank(text, at)
        at = _blank(text, at + 1) if text[at] == "," else at
    return found


def _blank(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing at all, too
