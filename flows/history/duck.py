"""The history inside DuckDB: each dataset as a relation of its parts, on a disk or behind any file system.

Parts on this machine are read by DuckDB itself, which is fastest; any others through Arrow and the storage's own
file system. Knows how a dataset becomes SQL; runs nobody's queries (`flows.history.sql` and `flows.history.queries`
do).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.history.contract import SCHEMA_VERSION
from flows.history.parts import Parts
from flows.history.schema import DATASETS, version_of

if TYPE_CHECKING:
    import duckdb

_KINDS = {
    "string": "VARCHAR",
    "bool": "BOOLEAN",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "binary": "BLOB",
    "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE",
}


@contextmanager
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that sees no variable of ours; what does not fit goes to a folder that is then removed."""
    import duckdb  # noqa: PLC0415  a tenth of a second that only who asks should pay

    with tempfile.TemporaryDirectory(prefix="ideoflow-sql-") as scratch, duckdb.connect(":memory:") as con:
        con.execute("SET python_enable_replacements = false")
        con.execute("SET autoinstall_known_extensions = false")
        con.execute("SET autoload_known_extensions = false")
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"SET temp_directory = {text(scratch)}")
        yield con


def relation(con: duckdb.DuckDBPyConnection, parts: Parts, dataset: str, listing: Sequence[str]) -> str:
    """A subquery with the rows of these parts in the dataset's full schema, whatever age each part has."""
    schema = DATASETS[dataset]
    if not listing:
        columns = ", ".join(f"NULL::{kind_of(field.type)} AS {quoted(field.name)}" for field in schema)
        return f"(SELECT {columns} WHERE false)"
    filesystem, root = parts.storage.arrow()
    files = [f"{root}/{part}" for part in listing]
    if _on_this_machine(filesystem):
        return _native(files, schema)
    from flows.history.far import FarDataset  # noqa: PLC0415  slow, and not for files on this machine

    con.register(f"arrow_{dataset}", FarDataset.of(files, schema, filesystem))
    return f"(SELECT * FROM arrow_{dataset})"


def files_of(parts: Parts, listing: Sequence[str]) -> list[str]:
    """The paths that DuckDB opens itself; none where Arrow does it."""
    filesystem, root = parts.storage.arrow()
    return [f"{root}/{part}" for part in listing] if _on_this_machine(filesystem) else []


def _on_this_machine(filesystem: Any) -> bool:
    return bool(filesystem.type_name == "local")


def _native(files: Sequence[str], schema: pa.Schema) -> str:
    """Parts of the present version are read as they are; of older ones the columns that they lack are null."""
    olden: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        found = pq.read_schema(file)
        olden.setdefault(() if version_of(found) == SCHEMA_VERSION else tuple(found.names), []).append(file)
    selects = []
    for names, group in olden.items():
        known = names or tuple(schema.names)
        columns = ", ".join(
            quoted(field.name) if field.name in known else f"NULL::{kind_of(field.type)} AS {quoted(field.name)}"
            for field in schema
        )
        paths = ", ".join(text(file) for file in group)
        selects.append(f"SELECT {columns} FROM read_parquet([{paths}], hive_partitioning = false)")
    return f"({' UNION ALL '.join(selects)})"


def kind_of(kind: pa.DataType) -> str:
    """A type as SQL calls it."""
    return "VARCHAR[]" if pa.types.is_list(kind) else _KINDS[str(kind)]


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"
