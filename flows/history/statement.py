"""What may be asked of the history in SQL: one SELECT that only reads, and calls nothing that opens files.

DuckDB calls it a SELECT too when a WITH clause copies, inserts or deletes, and lets such a COPY overwrite any file that
may be read. So what is asked is looked at as DuckDB itself has parsed it: only the kinds of query and the table
functions named here are let in, whatever later releases add. Runs nothing; knows no views and no files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flows.errors import Refused

if TYPE_CHECKING:
    import duckdb

READS = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
"""The kinds of query that change nothing."""

FUNCTIONS = frozenset(
    {
        *("range", "generate_series", "unnest", "json_each", "json_tree"),
        *("duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_settings", "duckdb_tables", "duckdb_views"),
    }
)
"""The functions that may stand where a table does: they make rows of what they are given, or tell what there is."""

_ONLY = "only SELECT is allowed: the history is read here, never changed"


def only_select(con: duckdb.DuckDBPyConnection, asked: str, readable: Sequence[str]) -> duckdb.Statement:
    """The one statement that was asked; anything but a SELECT that only reads is Refused. `readable`: what there is."""
    import duckdb  # noqa: PLC0415  a tenth of a second that only who asks should pay

    try:
        statements = con.extract_statements(asked)
        kinds = [statement.type for statement in statements]
    except duckdb.Error as error:
        raise Refused(str(error).strip()) from error
    except ValueError as error:  # a kind of statement that the Python side has no name for
        raise Refused(_ONLY) from error
    if len(statements) != 1:
        raise Refused("one SELECT at a time" if statements else "there is no query")
    if kinds[0] != duckdb.StatementType.SELECT:
        raise Refused(f"only SELECT is allowed, not {kinds[0].name}: the history is read here, never changed")
    _reads_only(con, asked, readable)
    return statements[0]


def _reads_only(con: duckdb.DuckDBPyConnection, asked: str, readable: Sequence[str]) -> None:
    rows = con.execute("SELECT json_serialize_sql(?)", [asked]).fetchall()
    parsed = json.loads(rows[0][0])
    if parsed.get("error"):  # what cannot be looked at is not let in
        raise Refused(_ONLY)
    for node in _nodes(parsed):
        kind = str(node.get("type"))
        if kind.endswith("_NODE") and kind not in READS:
            raise Refused(f"{_ONLY}, not inside WITH either")
        if kind == "TABLE_FUNCTION":
            name = str(node["function"]["function_name"]).lower()
            if name not in FUNCTIONS:
                there = ", ".join(readable)
                raise Refused(f"{name}(...) could read or change something else\nonly these can be read: {there}")


def _nodes(parsed: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [parsed]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
