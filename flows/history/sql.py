"""SQL over the history for people: six views, and nothing else that could be read, written or changed.

Four walls: only one SELECT that reads is let in (`flows.history.statement`); DuckDB may open no file but the parts; its
settings are locked before the first word of the query runs; and no variable of this process is a table. The second
does not keep the parts from being written, so the first has to. Knows the rules by which rows become views; knows no
projects and prints nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pyarrow as pa

from flows.errors import HistoryBusy, Refused
from flows.history import standing
from flows.history.contract import HISTORY
from flows.history.duck import connection, files_of, kind_of, quoted, relation, text
from flows.history.events import VERDICT, WITH_FILE, Event, State
from flows.history.parts import READING_TRIES, Parts
from flows.history.schema import DATASETS
from flows.history.statement import only_select
from flows.history.view import RANK

if TYPE_CHECKING:
    import duckdb

CURRENT = "current"
VIEWS = (*HISTORY, CURRENT)
# Which of several rows of one key stands.
_BEST = {
    "images": f"list_position([{', '.join(text(one) for one in RANK)}], status)",
    "requests": "revision DESC",
}


def query(parts: Parts, asked: str) -> pa.Table:
    """The answer to one SELECT over `VIEWS`. Anything else is Refused, with what to write instead."""
    import duckdb  # noqa: PLC0415  a tenth of a second that only who asks should pay

    for attempt in range(READING_TRIES):
        listings = {dataset: parts.listing(dataset) for dataset in HISTORY}
        with connection() as con:
            statement = only_select(con, asked, VIEWS)
            try:
                prepare(con, parts, listings, _named(con, asked))
                found: pa.Table = con.sql(statement).to_arrow_table()
            except FileNotFoundError:
                pass
            except duckdb.Error as error:
                if listings == {dataset: parts.listing(dataset) for dataset in HISTORY}:
                    raise Refused(_words(error)) from error
            else:
                return found
        if attempt + 1 == READING_TRIES:
            break
    raise HistoryBusy("the history changes too fast to be read; run again in a minute")


def _named(con: duckdb.DuckDBPyConnection, asked: str) -> Collection[str]:
    """The views that a query is about; all of them where DuckDB cannot say (DESCRIBE, SHOW)."""
    import duckdb  # noqa: PLC0415  see above

    try:
        names = {name.rpartition(".")[2].strip('"').lower() for name in con.get_table_names(asked)}
    except duckdb.Error:
        return VIEWS
    return VIEWS if not names <= set(VIEWS) else [view for view in VIEWS if view in names] or VIEWS


def prepare(
    con: duckdb.DuckDBPyConnection,
    parts: Parts,
    listings: dict[str, tuple[str, ...]],
    wanted: Collection[str] = VIEWS,
) -> None:
    """Make the views, then shut every other door for good."""
    for dataset in HISTORY:
        columns = ", ".join(quoted(name) for name in DATASETS[dataset].names)
        raw = relation(con, parts, dataset, listings[dataset])
        con.execute(f"CREATE VIEW raw_{dataset} AS SELECT {columns} FROM {raw}")
        once = _once(con, dataset) if dataset in wanted or (dataset == "images" and CURRENT in wanted) else ""
        con.execute(f"CREATE VIEW {dataset} AS {once or f'FROM raw_{dataset}'}")
    _current(con, parts if CURRENT in wanted else None)
    allowed = [file for dataset in HISTORY for file in files_of(parts, listings[dataset])]
    con.execute(f"SET allowed_paths = [{', '.join(text(file) for file in allowed)}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _once(con: duckdb.DuckDBPyConnection, dataset: str) -> str:
    """The rows of a dataset, one of each key. Where there are no doubles, which is nearly always, nothing is sorted."""
    key = ", ".join(quoted(name) for name in HISTORY[dataset].key)
    con.execute(
        f"CREATE TEMP TABLE doubled_{dataset} AS "
        f"SELECT hash({key}) AS h FROM raw_{dataset} GROUP BY h HAVING count(*) > 1"
    )
    if con.execute(f"SELECT count(*) FROM doubled_{dataset}").fetchone() == (0,):
        return ""
    best = _BEST.get(dataset, key)
    con.execute(
        f"CREATE TEMP TABLE best_{dataset} AS SELECT * FROM raw_{dataset} "
        f"WHERE hash({key}) IN (SELECT h FROM doubled_{dataset}) "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {best}) = 1"
    )
    return (
        f"SELECT * FROM raw_{dataset} WHERE hash({key}) NOT IN (SELECT h FROM doubled_{dataset}) "
        f"UNION ALL SELECT * FROM best_{dataset}"
    )


def _current(con: duckdb.DuckDBPyConnection, parts: Parts | None) -> None:
    """`current` from ``images`` and what events say of them, folded where all our readers fold them."""
    said = standing.Said.of(parts) if parts is not None else standing.Said.nothing()
    for name, table in said.tables().items():
        con.register(f"said_{name}", table)
    con.execute(f"CREATE VIEW {CURRENT} AS {current_sql('images', said)}")


def current_sql(images: str, said: standing.Said) -> str:
    """The columns of ``current`` over a relation of images, given that `said` is registered as ``said_<aspect>``.

    What nobody has said anything about is not joined: that would keep filters away from the files.
    """
    joined = {name for name, table in said.tables().items() if table.num_rows}
    renamed = standing.LABELS if "labels" in joined else ()
    own = [
        f"CASE WHEN labels.fingerprint IS NULL THEN i.{name} ELSE labels.{name} END AS {name}"
        if name in renamed
        else f"i.{quoted(name)}"
        for name in DATASETS["images"].names
    ]
    state = f"coalesce({_of('file.state', joined)}, {text(str(State.KEPT))})"
    state = f"CASE WHEN i.status = {text(RANK[0])} THEN {state} ELSE i.status END"
    at, verdict = _of("file.at", joined), _of("verdict.verdict", joined)
    copies = ", ".join(text(str(one)) for one in sorted(WITH_FILE))
    standing_ = {
        "state": state,
        "state_at": f"coalesce({at}, i.stored_at, i.requested_at)",
        "trashed_at": f"CASE WHEN {state} = {text(str(State.TRASHED))} THEN {at} END",
        "purged_at": f"CASE WHEN {state} = {text(str(State.PURGED))} THEN {at} END",
        "has_local_copy": f"{state} IN ({copies})",
        "held": f"coalesce({_of('hold.held', joined)}, false)",
        "verdict": verdict,
        "approved": f"coalesce({verdict} = {text(VERDICT[Event.APPROVED])}, false)",
        "replaced": f"{_of('replaced.image_id', joined)} IS NOT NULL",
    }
    typed = [f"CAST({standing_[field.name]} AS {kind_of(field.type)}) AS {field.name}" for field in standing.STANDING]
    joins = " ".join(
        f"LEFT JOIN said_{name} {name} ON {name}.{key} = i.{key}"
        for name in said.tables()
        if name in joined
        for key in ["fingerprint" if name == "labels" else "image_id"]
    )
    return f"SELECT {', '.join([*own, *typed])} FROM {images} i {joins}"


def _of(column: str, joined: Collection[str]) -> str:
    return column if column.partition(".")[0] in joined else "NULL"


def _words(error: Exception) -> str:
    """DuckDB's complaint as one would say it: without its stack of candidates, with the place kept."""
    said = str(error).strip()
    if "disabled by configuration" in said or "disabled through configuration" in said:
        said += f"\nonly these can be read: {', '.join(VIEWS)}"
    return said
