"""The strict YAML reader, and pydantic's complaints in words."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from flows.documents import Document, nearest, parse, read, salvage, validate
from flows.errors import InvalidInput, Problem

SCALARS = [
    ("off", "off"),
    ("on", "on"),
    ("yes", "yes"),
    ("No", "No"),
    ("y", "y"),
    ("true", True),
    ("FALSE", False),
    ("null", None),
    ("~", None),
    ("16:9", "16:9"),
    ("1:1", "1:1"),
    ("190:20:30", "190:20:30"),
    ("1_000", "1_000"),
    ("2026-11-22", "2026-11-22"),
    ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
    ("2027", 2027),
    ("-3", -3),
    ("+3", 3),
    ("0", 0),
    ("0o17", 15),
    ("0x1F", 31),
    ("0b1", "0b1"),
    ("1.5", 1.5),
    (".5", 0.5),
    ("1e3", 1000.0),
    ("1.", 1.0),
    (".", "."),
    ("", None),
    ("-.", "-."),
    ("'off'", "off"),
    ('"2027"', "2027"),
    ("=", "="),
    ("ASPECT_16_9", "ASPECT_16_9"),
    ("é", "é"),
]

REFUSED = [
    pytest.param(b"", 1, 1, "empty", "", id="empty"),
    pytest.param(b"# only a comment\n", 1, 1, "empty", "", id="only a comment"),
    pytest.param(b"---\n...\n", 1, 1, "empty", "", id="an empty document"),
    pytest.param(b"a: 1\nb: \xff\n", 2, 4, "0xff is not UTF-8", "UTF-8", id="not UTF-8"),
    pytest.param(b"a: 1\r\nb: \xe9\n", 2, 4, "0xe9 is not UTF-8", "UTF-8", id="Latin 1 with CRLF"),
    pytest.param("a: 1".encode("utf-16"), 1, 1, "UTF-16", "UTF-8", id="UTF-16"),
    pytest.param(b"\xef\xbb\xbfa: 1", 1, 1, "byte order mark", "with BOM", id="a byte order mark"),
    pytest.param(b"a: \x07\n", 1, 4, "U+0007", "Delete it", id="a control character"),
    pytest.param("a: x\u2028y\n", 1, 5, "U+2028", "Delete it", id="an invisible line separator"),
    pytest.param("a: \ud800", 1, 4, "U+D800", "Delete it", id="half a character"),
    pytest.param(b'a: "\\x00"\n', 1, 4, "U+0000", "Remove the escape", id="an escaped control character"),
    pytest.param(b"a:\n\tb: 1\n", 2, 1, "tab", "spaces", id="a tab"),
    pytest.param(b"a: 1\nb: 2\na: 3\n", 3, 1, "twice (first on line 1)", "Keep one", id="a key twice"),
    pytest.param(b"a: {b: 1, b: 2}\n", 1, 11, "`b` is given twice", "Keep one", id="a key twice in braces"),
    pytest.param(b"1: a\n", 1, 1, "must be a text, not 1", "quotes", id="a number as key"),
    pytest.param(b"true: a\n", 1, 1, "must be a text, not true", "quotes", id="a truth as key"),
    pytest.param(b"~: a\n", 1, 1, "must be a text, not ~", "quotes", id="nothing as key"),
    pytest.param(b"[a]: b\n", 1, 1, "must be a text, not a map or list", "quotes", id="a list as key"),
    pytest.param(b"<<: {a: 1}\n", 1, 1, "merge key", "YAML 1.2", id="a merge key"),
    pytest.param(b"a: .inf\n", 1, 4, ".inf is not a usable number", "quotes", id="infinity"),
    pytest.param(b"a: .NaN\n", 1, 4, ".NaN is not a usable number", "quotes", id="not a number"),
    pytest.param(b"a: 1e999\n", 1, 4, "too large", "quotes", id="an overflow"),
    pytest.param(b"a: 0123\n", 1, 4, "leading zeros", "quotes", id="leading zeros"),
    pytest.param(b"a: " + b"9" * 30, 1, 4, "too long", "quotes", id="thirty digits"),
    pytest.param(b"a: !!int 3\n", 1, 4, "tag !!int", "quotes", id="a tag"),
    pytest.param(b"a: !x 3\n", 1, 4, "tag !x", "quotes", id="a tag of one's own"),
    pytest.param(b"a: *b\n", 1, 4, "*b refers to nothing", "quotes", id="an alias to nothing"),
    pytest.param(b"a: &a [*a]\n", 1, 8, "contains itself", "", id="an alias to itself"),
    pytest.param(b"a: 1\n---\nb: 2\n", 2, 1, "second document", "one file", id="two documents"),
    pytest.param(b"a: b: c\n", 1, 5, "colon", "quotes", id="a colon in a text"),
    pytest.param(b"a: {b} c\n", 1, 8, "beginning with {", "quotes", id="a brace at the beginning"),
    pytest.param(b"a: @b\n", 1, 4, "begin with @", "quotes", id="an at sign"),
    pytest.param(b"a: [b\n", 2, 1, "do not close", "", id="an open bracket"),
    pytest.param(b"a: 'b\n", 2, 1, "never closed", "", id="an open quote"),
    pytest.param(b"a: 'b' c\n", 1, 8, "after the closing quote", "one pair", id="text after a quote"),
    pytest.param(b"a\nb: 1\n", 2, 2, "", "", id="a line that is no key"),
]


LOADERS = [pytest.param(yaml.CSafeLoader, id="libyaml"), pytest.param(yaml.SafeLoader, id="pure")]


def _refusal(text: bytes | str, loader: Any = yaml.CSafeLoader) -> list[Problem]:
    _, problems = read(text, "f.yaml", loader=loader)
    assert problems
    return problems


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars_mean_what_they_say(text: str, value: object, loader: Any) -> None:
    """Unquoted words follow the core schema of YAML 1.2, not YAML 1.1."""
    document, problems = read(f"a: {text}\n", "f.yaml", loader=loader)
    assert not problems
    assert document is not None
    data = document.data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


@pytest.mark.parametrize(("text", "line", "column", "says", "remedy"), REFUSED)
def test_what_is_refused_says_where_and_why(text: bytes | str, line: int, column: int, says: str, remedy: str) -> None:
    """Each kind of bad YAML is one problem with its place."""
    (problem,) = _refusal(text)
    assert (problem.file, problem.line, problem.column) == ("f.yaml", line, column)
    assert says in problem.message
    assert remedy in problem.hint


@pytest.mark.parametrize(("text", "line", "column", "says", "remedy"), REFUSED)
def test_the_pure_parser_refuses_the_same(text: bytes | str, line: int, column: int, says: str, remedy: str) -> None:
    """Without libyaml the same files are refused, with one problem each."""
    assert len(_refusal(text, yaml.SafeLoader)) == 1


def test_parse_raises_what_read_reports() -> None:
    """`parse` is `read` for those who cannot go on."""
    with pytest.raises(InvalidInput) as refusal:
        parse("a: 1\na: 2\n", "f.yaml")
    assert list(refusal.value.problems) == _refusal("a: 1\na: 2\n")


def test_several_slips_are_reported_at_once() -> None:
    """What does not stop the reading is collected."""
    problems = _refusal("a: 1\na: 2\nb: .nan\n3: x\nc: !t 1\n")
    assert [problem.line for problem in problems] == [2, 3, 4, 5]


def test_what_could_be_read_is_handed_over_beside_the_problems() -> None:
    """`read` lets a caller check on in spite of a duplicate key; the first one stands."""
    document, problems = read("a: 1\na: 2\nb: 3\n", "f.yaml")
    assert document is not None
    assert document.data == {"a": 1, "b": 3}
    assert len(problems) == 1


def test_aliases_repeat_what_they_name() -> None:
    """An alias is the same data again, and its place is where the data was written."""
    document = parse("a: &x {k: [1, 2]}\nb: *x\n", "f.yaml")
    assert document.data == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}}
    assert document.place(("b", "k", 1)) == (1, 15)


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        ((), False, (1, 1)),
        (("a",), False, (1, 4)),
        (("a",), True, (1, 1)),
        (("b",), False, (3, 3)),
        (("b", 0), False, (3, 5)),
        (("b", 1, "c"), False, (4, 8)),
        (("b", 1, "c"), True, (4, 5)),
        (("b", 1, "missing"), False, (4, 5)),
        (("b", 9), False, (3, 3)),
        (("nowhere", "at", "all"), True, (1, 1)),
        (("a", "x"), False, (1, 4)),
    ],
)
def test_places(path: tuple[str | int, ...], key: bool, place: tuple[int, int]) -> None:
    """A path has the place of its value or key; a path that is not there that of its nearest ancestor."""
    document = parse("a: 1\nb:\n  - x\n  - c: y\n", "f.yaml")
    assert document.place(path, key=key) == place


def test_keys_are_shown_as_dotted_paths() -> None:
    """Plain words are joined by dots, numbers and odd keys stand in brackets."""
    document = parse("a: 1\n", "f.yaml")
    assert document.problem(("prompts", 2, "vars", "my word"), "x").key == 'prompts[2].vars["my word"]'


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: {lettering}", "'{lettering}'"),
        ("a: {x, y}", "'{x, y}'"),
        ("a: #hello", "begins a comment"),
        ("a:   # hello\nb: 1", "begins a comment"),
        ("a: {x: 1}", ""),
        ("a:", ""),
        ("a: hello", ""),
    ],
)
def test_values_that_yaml_may_have_misread_get_a_hint(text: str, hint: str) -> None:
    """A value beginning with { or # is a map or nothing to YAML: the remedy is to quote it."""
    problem = parse(text, "f.yaml").problem(("a",), "must be a text")
    assert (hint in problem.hint) if hint else not problem.hint


# --- hostile files ---------------------------------------------------------------------------------------


class _Untouchable(bytes):
    """Bytes that may be measured and not read."""

    def decode(self, *_: Any, **__: Any) -> str:
        raise AssertionError("a file that is too large must not be decoded")

    def startswith(self, *_: Any, **__: Any) -> bool:
        raise AssertionError("a file that is too large must not be looked at")


def test_a_file_of_a_hundred_megabytes_is_not_read() -> None:
    """Size is judged before anything else."""
    (problem,) = _refusal(_Untouchable(100_000_000))
    assert "100.0 MB; at most 4 MB" in problem.message


@pytest.mark.parametrize("loader", LOADERS)
def test_exploding_aliases_are_counted_not_expanded(loader: Any) -> None:
    """A billion laughs is refused at the alias that is one too many, in little memory."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for previous, name in zip("abcdefghi", "bcdefghij", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{previous}'] * 9)}]")
    tracemalloc.start()
    try:
        (problem,) = _refusal("\n".join(lines), loader)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "repeat too much" in problem.message
    assert problem.line == 5
    assert peak < 5_000_000


@pytest.mark.parametrize("loader", LOADERS)
def test_aliases_cannot_nest_their_way_past_the_depth(loader: Any) -> None:
    """Each line nests the one before; what they add up to is what counts."""
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100)]
    (problem,) = _refusal("\n".join(lines), loader)
    assert "nested too deeply" in problem.message
    assert problem.line < 45


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{" * 100_000, "a: " + "{a: " * 10_000, "- " * 100_000, "? " * 50_000, "[{" * 50_000],
    ids=["brackets", "braces", "maps", "dashes", "question marks", "both"],
)
def test_deep_nesting_is_refused_without_recursion(text: str, loader: Any) -> None:
    """Reading stops at the fortieth level; no stack is exhausted."""
    (problem,) = _refusal(text, loader)
    assert "nested too deeply" in problem.message
    assert problem.column < 250


def test_the_number_of_values_is_bounded() -> None:
    """A file of a million tiny values is given up at the limit, not at the end."""
    consumed = 0

    class Counting(yaml.CSafeLoader):
        def get_event(self) -> Any:
            nonlocal consumed
            consumed += 1
            return super().get_event()

    (problem,) = _refusal("- a\n" * 900_000, Counting)
    assert "more than 200,000 values" in problem.message
    assert consumed < 200_010


def test_endless_slips_are_cut_off() -> None:
    """Ten thousand duplicate keys are not ten thousand messages."""
    assert len(_refusal("a: 1\n" * 10_000)) <= 100


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(text: bytes) -> None:
    """Whatever the bytes: a document, or problems."""
    document, problems = read(text, "f.yaml")
    assert document is not None or problems


_SIGNS = "a|b: |- |\n|  |{|}|[|]|,|:|&x |*x|!t |'|\"|#|>-\n|---\n|...\n|%YAML 1.2\n|? |<<: |\t|0x|.nan|@|`|~"
_SNIPPETS = st.sampled_from([*_SIGNS.split("|"), "|\n", "\\U00110000", "\\ud800", "\\x0"])


@pytest.mark.parametrize("loader", LOADERS)
@settings(deadline=None)
@given(text=st.lists(_SNIPPETS, max_size=40).map("".join))
def test_no_mix_of_yaml_raises_anything_else(loader: Any, text: str) -> None:
    """Whatever is put together of YAML's own signs: a document, or problems, from both parsers."""
    document, problems = read(text, "f.yaml", loader=loader)
    assert document is not None or problems


# --- models ----------------------------------------------------------------------------------------------


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    aspect_ratio: str | None = None
    mode: Literal["hold", "resubmit"] = "hold"
    number: int = Field(1, ge=1, le=9)
    cap: Decimal = Decimal(1)
    hosts: tuple[str, ...] = ()
    either: str | list[str] = ""


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    part: Part
    parts: dict[str, Part] = {}
    listed: list[Part] = []


def _complaints(text: str) -> list[tuple[int, int, str, str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        validate(parse(text, "f.yaml"), Whole)
    return [(p.line, p.column, p.key, p.message, p.hint) for p in refusal.value.problems]


def test_a_sound_document_becomes_its_model() -> None:
    """Strict models take YAML as they would take JSON: lists for tuples, decimals exactly."""
    whole = validate(parse("part: {cap: 1.10, hosts: [a], either: [x]}\n", "f.yaml"), Whole)
    assert whole.part == Part(cap=Decimal("1.10"), hosts=("a",), either=["x"])


@pytest.mark.parametrize(
    ("text", "line", "column", "key", "says", "remedy"),
    [
        ("parts: {}", 1, 1, "part", "`part` is missing", ""),
        ("part: {}\nprat: {}", 2, 1, "prat", "unknown key `prat`", "`part`"),
        ("part: {aspect_ration: x}", 1, 8, "part.aspect_ration", "unknown key", "`aspect_ratio`"),
        ("part: {}\nparts: {x: {hsots: []}}", 2, 13, "parts.x.hsots", "unknown key", "`hosts`"),
        ("part: {}\nlisted: [{}, {zzz: 1}]", 2, 15, "listed[1].zzz", "unknown key", "aspect_ratio, mode"),
        ("part: {mode: Hold}", 1, 14, "part.mode", "hold, resubmit", "`hold`"),
        ("part: {mode: xyz}", 1, 14, "part.mode", "is not one of hold, resubmit", ""),
        ("part: {number: 0}", 1, 16, "part.number", "at least 1, not 0", ""),
        ("part: {number: 10}", 1, 16, "part.number", "at most 9, not 10", ""),
        ("part: {number: '3'}", 1, 16, "part.number", "a whole number", "without quotes"),
        ("part: {number: 3.5}", 1, 16, "part.number", "a whole number", ""),
        ("part: {aspect_ratio: 3}", 1, 22, "part.aspect_ratio", "a text, not 3", "quotes"),
        ("part: {aspect_ratio: {x}}", 1, 22, "part.aspect_ratio", "a text, not a map", "'{x}'"),
        ("part: {hosts: a}", 1, 15, "part.hosts", "a list, not", ""),
        ("part: {hosts: [a, 1]}", 1, 19, "part.hosts[1]", "a text, not 1", "quotes"),
        ("part: {either: [1]}", 1, 17, "part.either[0]", "a text, not 1", "quotes"),
        ("part: 3", 1, 7, "part", "a map of keys and values, not 3", ""),
        ("- part", 1, 1, "", "a map of keys and values, not a list", ""),
    ],
)
def test_complaints(text: str, *, line: int, column: int, key: str, says: str, remedy: str) -> None:
    """Each kind of error has its place, plain words and the nearest name."""
    ((at_line, at_column, at_key, message, hint),) = _complaints(text)
    assert (at_line, at_column, at_key) == (line, column, key)
    assert says in message
    assert remedy in hint


def test_all_complaints_come_at_once() -> None:
    """Pydantic's errors are all translated, in the order of the file."""
    found = _complaints("part: {mode: no, number: 0, x: 1}\nparts: {p: {number: a}}\n")
    assert [key for _, _, key, _, _ in found] == ["part.mode", "part.number", "part.x", "parts.p.number"]


def test_a_part_is_placed_by_where_it_was_written() -> None:
    """`at` says where the given data stands in the document."""
    document = parse("a:\n  b: {number: 0}\n", "f.yaml")
    with pytest.raises(InvalidInput) as refusal:
        validate(document, Part, document.data["a"]["b"], at=("a", "b"))
    (problem,) = refusal.value.problems
    assert (problem.line, problem.column, problem.key) == (2, 15, "a.b.number")


def test_advice_for_keys_that_people_write_elsewhere() -> None:
    """A known wrong key gets its own remedy before the nearest name does."""
    document = parse("part: {}\nquality: x\n", "f.yaml")
    with pytest.raises(InvalidInput) as refusal:
        validate(document, Whole, advice={"quality": "Write it under options."})
    assert refusal.value.problems[0].hint == "Write it under options."


def test_salvage_keeps_what_is_right() -> None:
    """One bad key does not hide the others, and is named."""
    document = parse("mode: nonsense\nnumber: 3\n", "f.yaml")
    saved = salvage(document, Part, document.data)
    assert saved.model == Part(number=3)
    assert saved.broken == {"mode"}
    assert len(saved.problems) == 1


def test_salvage_of_what_is_no_map_is_nothing() -> None:
    """There is nothing to keep of a list where a map belongs."""
    document = parse("- 1\n", "f.yaml")
    assert salvage(document, Part, document.data).model is None


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("aspect-ratio", "aspect_ratio"),
        ("Aspect Ratio", "aspect_ratio"),
        ("aspct_ratio", "aspect_ratio"),
        ("seed", "seeds"),
        ("options_unchecked", "options"),
        ("xyz", None),
        ("", None),
        ("x" * 1_000_000, None),
    ],
)
def test_nearest(word: str, found: str | None) -> None:
    """Separators and case are seen through; a word like nothing has no neighbour."""
    assert nearest(word, ("aspect_ratio", "seeds", "options")) == found


def test_a_document_is_a_value() -> None:
    """Two readings of one text are equal."""
    assert parse("a: 1", "f.yaml") == parse("a: 1", "f.yaml")
    assert isinstance(parse("a: 1", "f.yaml"), Document)


def test_a_value_that_begins_with_a_placeholder_and_a_comma_is_told_to_be_quoted() -> None:
    """`prompt: {look}, a bottle` is a map with something behind it: the remedy is a pair of quotes."""
    with pytest.raises(InvalidInput) as caught:
        parse("prompts:\n  - id: a\n    prompt: {look}, a bottle\n    model: x\n", "f.yaml")
    assert "quotes" in caught.value.problems[0].hint
