"""Records as people write them: every spelling understood, every slip told with its place and remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.adoption.embedded import read_text
from flows.adoption.fields import read_fields
from flows.adoption.lists import read_list
from flows.adoption.record import Place, Record
from flows.errors import InvalidInput

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HERE = Place("list.json", 3, "[0]")


def read(**raw: Any) -> Record:
    record, problems = read_fields(raw, HERE, NOW)
    assert problems == ()
    return record


def test_the_shape_of_a_script_in_camel_and_in_snake() -> None:
    """Both spellings of all keys come to the same record."""
    camel = {
        "id": "1",
        "prompt": " a sun ",
        "negativePrompt": "people",
        "model": "V_3",
        "aspectRatio": "ASPECT_16_9",
        "seed": "12",
        "imageUrl": "https://ideogram.ai/a.png",
        "localPath": "a.png",
        "generatedAt": "2025-03-04T12:00:00+02:00",
        "expiresAt": "2025-03-05T10:00:00Z",
    }
    snake = {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): value for key, value in camel.items()}
    one, other = read(**camel), read(**snake)
    assert one == other
    assert (one.prompt, one.aspect_ratio, one.seed) == ("a sun", "16:9", 12)
    assert one.generated_at == datetime(2025, 3, 4, 10, tzinfo=UTC)
    assert one.missing == ()


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2025-03-04", datetime(2025, 3, 4, tzinfo=UTC)),
        ("2025-03-04 10:11:12.5", datetime(2025, 3, 4, 10, 11, 12, 500_000, tzinfo=UTC)),
        (1_741_082_400, datetime(2025, 3, 4, 10, tzinfo=UTC)),
        ("1741082400000", datetime(2025, 3, 4, 10, tzinfo=UTC)),
    ],
)
def test_times_in_every_shape(value: Any, moment: datetime) -> None:
    """ISO 8601 with and without a zone, seconds, milliseconds."""
    assert read(timestamp=value).generated_at == moment


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("generatedAt", "yesterday", "is no time"),
        ("generated_at", "2031-01-01", "has not come yet"),
        ("date", "1812-01-01", "cannot be right"),
        ("seed", "1.5", "is no seed"),
        ("seed", True, "is no seed"),
        ("aspectRatio", "wide", "is no aspect ratio"),
        ("prompt", ["a"], "must be a text"),
        ("tags", [1], "must be a list of texts"),
    ],
)
def test_what_cannot_be_read_is_told(key: str, value: Any, says: str) -> None:
    """With file, line, key and what to do."""
    _, (problem,) = read_fields({key: value}, HERE, NOW)
    assert (problem.file, problem.line, problem.key) == ("list.json", 3, f"[0].{key}")
    assert says in problem.message
    assert problem.hint


def test_empty_values_and_unknown_keys_are_nothing() -> None:
    """A column that was left empty says nothing; neither does one that nobody knows."""
    assert read(prompt="", seed=None, model="  ", myOwnColumn="x", steps=5) == Record(HERE)


def test_switches_options_and_parts() -> None:
    """`magic_prompt` is a switch or a text by its value; an image is a link or a path; parts are looked into."""
    record = read(magic_prompt="ON", style_type="DESIGN", image="https://x.example/a.png", params={"seed": 4})
    assert dict(record.options) == {"magic_prompt": "ON", "style_type": "DESIGN"}
    assert (record.url, record.path, record.seed) == ("https://x.example/a.png", None, 4)
    assert read(magic_prompt="A sun over hills", image="b/a.png").final_prompt == "A sun over hills"
    assert read(image="b/a.png").path == "b/a.png"


def test_lists_know_their_lines() -> None:
    """In a list, in a map around it, line by line, and in CSV with cells of several lines."""
    for name, text, lines in (
        ("a.json", '[\n {"seed": 1},\n\n {"seed": [1,\n2]}, {"seed": 3}]', [2, 4, 5]),
        ("a.json", '{"v": [1], "created": 5,\n"data": [{"a": "]"},\n{"a": 2}]}', [2, 3]),
        ("a.jsonl", '{"a": 1}\n\n{"a": 2}\n', [1, 3]),
        ("a.csv", 'a;b\n1;2\n"x\ny";3\n4;5\n', [2, 3, 5]),
    ):
        rows, problems = read_list(name, text.encode())
        assert ([place.line for place, _ in rows], problems) == (lines, ())
    rows, _ = read_list("a.json", b'{"created": 5, "data": [{"a": 1}]}')
    assert rows[0][1] == {"created": 5, "a": 1}
    assert len(read_list("a.json", b'\xef\xbb\xbf {"prompt": "one"}')[0]) == 1


def test_rows_that_are_none_are_told_together() -> None:
    """A text among records, a broken line, a row with too many cells: the others are read."""
    rows, problems = read_list("a.json", b'[{"a": 1},\n"x",\n7, null, {"a": 2}]')
    assert (len(rows), [problem.line for problem in problems]) == (2, [2, 3, 3])
    rows, problems = read_list("a.jsonl", b'{"a": 1}\n{"a": \n{"a": 2}')
    assert (len(rows), [problem.line for problem in problems]) == (2, [2])
    rows, problems = read_list("a.csv", b"a,b\n1,2,3\n4,5\n6\n")
    assert len(rows) == 1
    assert [problem.message for problem in problems] == [
        "has 3 cells where the head has 2",
        "has 1 cells where the head has 2",
    ]


@pytest.mark.parametrize(
    ("name", "data"), [("a.json", b"[1"), ("a.json", b"7"), ("a.json", b'"x"'), ("a.csv", b"\xff")]
)
def test_what_is_no_list_at_all_is_refused(name: str, data: bytes) -> None:
    """With its place, and nothing else is read of it."""
    with pytest.raises(InvalidInput):
        read_list(name, data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=5), st.sampled_from([None, 0, 2]))
def test_any_json_gives_rows_or_problems(values: list[Any], indent: int | None) -> None:
    """Every element is a row or a problem, in order, whatever it holds; reading its fields never breaks."""
    rows, problems = read_list("a.json", json.dumps(values, indent=indent).encode())
    assert [row for _, row in rows] == [value for value in values if isinstance(value, dict)]
    assert len(rows) + len(problems) == len(values)
    for place, row in rows:
        read_fields(row, place, NOW)


def test_text_within_a_picture(draw: Callable[..., bytes]) -> None:
    """What web tools write, plain chunks, JSON chunks; nothing in other formats or in rubbish."""
    told = read_text(draw("red", parameters="a sun\nover hills\nNegative prompt: people, cars\nSteps: 4, Seed: 77"))
    assert (told["prompt"], told["negative_prompt"], told["Seed"]) == ("a sun\nover hills", "people, cars", "77")
    assert read_text(draw("red", Description="a sun"))["Description"] == "a sun"
    assert read_text(draw("red", x='{"prompt": "a sun", "seed": 3}')) == {"prompt": "a sun", "seed": 3}
    assert read_text(draw("red", form="JPEG")) == {}
    assert read_text(b"\x89PNG\r\n\x1a\nrubbish") == {}
