"""Finding images by words and columns: the question as a value, and its answer out of the columns, not row by row.

``neon "wet sand" -retro`` asks for a word, a phrase, and the absence of a word in what was asked for or how it is
called; conditions ask for any column of ``current``. Knows DuckDB's SQL for that, and that of several rows of one
image the best stands. Knows no pictures: whether files are there is looked at by `flows.history.queries`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import HistoryBusy, Refused
from flows.history import standing
from flows.history.contract import HISTORY, Column
from flows.history.duck import connection, quoted, relation
from flows.history.parts import READING_TRIES, Months, Parts
from flows.history.reading import CURRENT, check_columns, column_names, first_of, last_of
from flows.history.sql import current_sql
from flows.history.view import RANK
from flows.ids import month_of

if TYPE_CHECKING:
    import duckdb

SEARCHED = (
    "prompt",
    "final_prompt",
    "negative_prompt",
    "lettering",
    "variant",
    "campaign",
    "brand",
    "model",
    "image_id",
    "tags",
)
# What Python folds and DuckDB's lower() does not: looked for only where a word could mean it.
_FOLDS = {"ss": "ß", "\N{GREEK SMALL LETTER SIGMA}": "\N{GREEK SMALL LETTER FINAL SIGMA}"}
_TOKEN = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]\S*))')
_CONDITION = re.compile(r"(?P<column>\w+)\s*(?P<op>!=|>=|<=|=|>|<|~)\s*(?P<value>.*)", re.DOTALL)
_COLUMNS: Mapping[str, Column] = {
    column.name: column for column in (*HISTORY["images"].columns, *standing.STANDING_COLUMNS)
}


@dataclass(frozen=True)
class Term:
    """A word or phrase that must be there, or (`absent`) must not."""

    text: str
    absent: bool = False


@dataclass(frozen=True)
class Condition:
    """A column, one of ``= != > >= < <= ~`` (holds the text), and a value; an empty one with ``=`` asks for nothing."""

    column: str
    op: str
    value: str


@dataclass(frozen=True)
class Search:
    """All of it must hold. `since` and `until` are moments, in UTC, of when it was asked for."""

    terms: tuple[Term, ...] = ()
    conditions: tuple[Condition, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def terms(words: Sequence[str]) -> tuple[Term, ...]:
    """Words, "phrases" and -exclusions, in one argument or several."""
    found = []
    for given in words:
        for match in _TOKEN.finditer(given):
            text = match["phrase"] if match["phrase"] is not None else match["word"].strip('"')
            if text.strip():
                found.append(Term(text.casefold(), bool(match["minus"])))
    return tuple(found)


def condition(text: str) -> Condition:
    """``seed=123``, ``width>=1024``, ``prompt~citrus``. Refused where that is no condition, or the column unknown."""
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise Refused(f"{text!r} is no condition: write COLUMN=VALUE, or one of != > >= < <= ~ in its place")
    found = Condition(match["column"], match["op"], match["value"].strip())
    _sql(found)  # refuses what makes no sense
    return found


def search(parts: Parts, asked: Search, columns: Sequence[str] | None = None) -> pa.Table:
    """The images that fit, one row each in the order of their ids, with these columns of ``current`` (None is all)."""
    wanted = list(columns if columns is not None else column_names(CURRENT))
    check_columns("the history", wanted, column_names(CURRENT))
    months = Months.between(asked.since, asked.until)
    for _ in range(READING_TRIES):
        listing = [part for part in parts.listing("images") if months.hold(part)]
        try:
            with connection() as con:
                return _found(con, parts, listing, asked, wanted)
        except HistoryBusy:
            continue
        except Exception:
            if [part for part in parts.listing("images") if months.hold(part)] == listing:
                raise
    raise HistoryBusy("the history changes too fast to be searched; try again in a minute")


def newest(parts: Parts, found: pa.Table, number: int) -> pa.Table:
    """All columns of the last of the images that were found (of which `image_id` is known)."""
    ids: list[Any] = found["image_id"].to_pylist()[-number:]
    if not ids:
        return found.select([]).slice(0, 0)
    days = sorted({month_of(one.rpartition("-")[0]) for one in ids})
    ours = pc.field("image_id").isin(ids)
    return standing.current(parts, None, ours, months=Months(days[0], days[-1])).sort_by("image_id")


def _found(
    con: duckdb.DuckDBPyConnection, parts: Parts, listing: Sequence[str], asked: Search, wanted: list[str]
) -> pa.Table:
    said = standing.Said.of(parts)
    for name, table in said.tables().items():
        con.register(f"said_{name}", table)
    raw = relation(con, parts, "images", listing)
    where, values = _where(asked)
    columns = ", ".join(quoted(name) for name in dict.fromkeys([*wanted, "image_id", "status"]))
    rows: pa.Table = con.sql(
        f"SELECT {columns} FROM ({current_sql(raw, said)}) WHERE {where} ORDER BY image_id", params=values
    ).to_arrow_table()
    return _once(con, raw, rows).select(wanted)


def _once(con: duckdb.DuckDBPyConnection, raw: str, rows: pa.Table) -> pa.Table:
    """Of several rows of one image only the best, be it among those found or not.

    A stored one always stands. The others are few, and only for them the history is looked through once more.
    """
    doubtful = rows.filter(pc.not_equal(rows["status"], pa.scalar(RANK[0])))
    if doubtful.num_rows:
        con.register("doubtful", doubtful.select(["image_id"]))
        better = con.sql(f"SELECT image_id, status FROM {raw} WHERE image_id IN (FROM doubtful)").to_arrow_table()
        best: dict[str, str] = {}
        for row in better.to_pylist():
            known = best.get(row["image_id"], RANK[-1])
            best[row["image_id"]] = min(known, row["status"], key=RANK.index)
        stands = [best.get(id_, status) == status for id_, status in _pairs(rows)]
        rows = rows.filter(pa.array(stands, pa.bool_()))
    if rows.num_rows < 2:
        return rows
    ids = rows["image_id"].combine_chunks()
    first = pa.concat_arrays([pa.array([True]), pc.not_equal(ids[1:], ids[:-1])])
    return rows.filter(first)


def _pairs(rows: pa.Table) -> zip[tuple[Any, Any]]:
    return zip(rows["image_id"].to_pylist(), rows["status"].to_pylist(), strict=True)


def _where(asked: Search) -> tuple[str, list[Any]]:
    clauses: list[str] = ["true"]
    values: list[Any] = []
    for term in asked.terms:
        clauses.append(_holds(term))
        values += [term.text] * len(SEARCHED)
    for one in asked.conditions:
        clause, bound = _sql(one)
        clauses.append(clause)
        values += bound
    for moment, op in ((asked.since, ">="), (asked.until, "<=")):
        if moment is not None:
            clauses.append(f"requested_at {op} ?")
            values.append(moment)
    return " AND ".join(clauses), values


def _holds(term: Term) -> str:
    texts = [f"array_to_string({name}, chr(10))" if name == "tags" else quoted(name) for name in SEARCHED]
    tests = " OR ".join(f"coalesce(contains({_folded(text, term.text)}, ?), false)" for text in texts)
    return f"NOT ({tests})" if term.absent else f"({tests})"


def _folded(text: str, word: str) -> str:
    folded = f"lower({text})"
    for to, what in _FOLDS.items():
        if to in word:
            folded = f"replace({folded}, '{what}', '{to}')"
    return folded


def _sql(asked: Condition) -> tuple[str, list[Any]]:
    """A condition as SQL and its values; Refused where column, operator and value do not fit."""
    check_columns("the history", [asked.column], column_names(CURRENT))
    kind, name, op, text = _COLUMNS[asked.column].type, quoted(asked.column), asked.op, asked.value
    if not text:
        if op not in ("=", "!="):
            raise Refused(f"{asked.column}{op} needs a value")
        return f"{name} IS {'NOT ' if op == '!=' else ''}NULL", []
    if pa.types.is_timestamp(kind):
        return _time(name, op, text)
    if pa.types.is_list(kind):
        return _list(name, op, text)
    if pa.types.is_string(kind):
        folded, word = f"lower({name})", text.lower()
        if op == "~":
            return f"coalesce(contains({_folded(name, text.casefold())}, ?), false)", [text.casefold()]
        return (f"{folded} IS DISTINCT FROM ?" if op == "!=" else f"{folded} {op} ?"), [word]
    if op == "~":
        raise Refused(f"{asked.column} holds no text: ~ makes no sense, use = or >")
    return f"{name} {'IS DISTINCT FROM' if op == '!=' else op} ?", [_value(asked, kind)]


def _value(asked: Condition, kind: pa.DataType) -> Any:
    said = asked.value.lower()
    try:
        if pa.types.is_boolean(kind):
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[said]
        return int(said) if pa.types.is_integer(kind) else float(said)
    except (KeyError, ValueError) as error:
        wanted = "yes or no" if pa.types.is_boolean(kind) else "a number"
        raise Refused(f"{asked.column} is {wanted}, not {asked.value!r}") from error


def _time(name: str, op: str, text: str) -> tuple[str, list[Any]]:
    """A day or a month is all of it: > is after its end, < before its beginning."""
    if op == "~":
        raise Refused(f"{name} is a time: ~ makes no sense, use = or >")
    first, last = first_of(text), last_of(text)
    if op == "=":
        return f"{name} BETWEEN ? AND ?", [first, last]
    if op == "!=":
        return f"coalesce({name} NOT BETWEEN ? AND ?, true)", [first, last]
    return f"{name} {op} ?", [last if op in (">", "<=") else first]


def _list(name: str, op: str, text: str) -> tuple[str, list[Any]]:
    if op in ("=", "!="):
        has = f"coalesce(list_contains(list_transform({name}, lambda x: lower(x)), ?), false)"
        return (has if op == "=" else f"NOT {has}"), [text.lower()]
    if op == "~":
        return f"coalesce(contains(lower(array_to_string({name}, chr(10))), ?), false)", [text.lower()]
    raise Refused(f"{name} is a list: use = for one of its texts, or ~")
