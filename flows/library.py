"""The history as a library for people's own programs: a project or an address in, a frame out.

Offered as ``from flows.history import images, ...``. Knows how to open what people name; what the rows are is
decided in `flows.history`. Reads only: nothing here takes a lock or writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from flows.errors import Refused
from flows.history import reading, sql
from flows.history.contract import HISTORY
from flows.history.parts import Parts
from flows.history.reading import Asked, When
from flows.storage import open_storage
from flows.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Source = str | os.PathLike[str] | Workspace | Parts


def open_parts(source: Source = ".", *, storage_options: Mapping[str, Any] | None = None) -> Parts:
    """The datasets of a project's folder (with its settings), or of a history's own folder or fsspec URL.

    `storage_options` go to the file system of a URL, as in pandas. Refused where there is neither.
    """
    if isinstance(source, Parts):
        return source
    if isinstance(source, Workspace):
        return source.parts
    address = os.fspath(source)
    if "://" in address:
        return Parts(open_storage(address, storage_options), _no_names)
    folder = Path(address)
    if not folder.is_dir():
        raise Refused(f"there is no folder {address}: name a project, or the address of a history")
    # A history is known by its partitions; anything else is a project, be it an empty one.
    if any(found for dataset in HISTORY for found in folder.glob(f"{dataset}/month=*")):
        return Parts(open_storage(address), _no_names)
    return open_workspace(folder).parts


def _no_names() -> str:
    raise AssertionError("the library only reads")


class Reader:
    """Reads one dataset, one row of each key, as a DataFrame or (`as_table=True`) an Arrow table."""

    def __init__(self, name: str, read: Callable[[Parts, Asked, Sequence[str] | None], pa.Table], doc: str) -> None:
        self.__name__ = name
        self.__doc__ = doc
        self._read = read

    @overload
    def __call__(
        self,
        source: Source = ".",
        *,
        since: When | None = None,
        until: When | None = None,
        brand: str | None = None,
        campaign: str | None = None,
        columns: Sequence[str] | None = None,
        as_table: Literal[False] = False,
        storage_options: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame: ...

    @overload
    def __call__(
        self,
        source: Source = ".",
        *,
        since: When | None = None,
        until: When | None = None,
        brand: str | None = None,
        campaign: str | None = None,
        columns: Sequence[str] | None = None,
        as_table: Literal[True],
        storage_options: Mapping[str, Any] | None = None,
    ) -> pa.Table: ...

    def __call__(
        self,
        source: Source = ".",
        *,
        since: When | None = None,
        until: When | None = None,
        brand: str | None = None,
        campaign: str | None = None,
        columns: Sequence[str] | None = None,
        as_table: bool = False,
        storage_options: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame | pa.Table:
        """The rows. `since` and `until` are a day, a month (``2026-10``) or a moment, in UTC; `until` includes it."""
        asked = reading.asked(since, until, brand, campaign)
        table = self._read(open_parts(source, storage_options=storage_options), asked, columns)
        return table if as_table else table.to_pandas()

    def __repr__(self) -> str:
        return f"<flows.history.{self.__name__}>"


def _reader(dataset: str, doc: str) -> Reader:
    return Reader(dataset, lambda parts, asked, columns: reading.read(parts, dataset, asked, columns), doc)


images = _reader("images", "The billed images as they were bought, one row each.")
requests = _reader("requests", "The calls, void and refused ones too, one row each; filters go by when it was asked.")
lifecycle = _reader("lifecycle", "What happened to images after they were bought, one row an event.")
features = _reader("features", "What was measured in the stored bytes, one row for a digest and extractor version.")
findings = _reader("findings", "What audits found, one row for a finding and audit.")
current = _reader("current", "The images as they stand now: state, holds, verdicts, and under their present names.")


@overload
def as_of(
    source: Source,
    when: When,
    *,
    since: When | None = None,
    brand: str | None = None,
    campaign: str | None = None,
    columns: Sequence[str] | None = None,
    as_table: Literal[False] = False,
    storage_options: Mapping[str, Any] | None = None,
) -> pd.DataFrame: ...


@overload
def as_of(
    source: Source,
    when: When,
    *,
    since: When | None = None,
    brand: str | None = None,
    campaign: str | None = None,
    columns: Sequence[str] | None = None,
    as_table: Literal[True],
    storage_options: Mapping[str, Any] | None = None,
) -> pa.Table: ...


def as_of(
    source: Source,
    when: When,
    *,
    since: When | None = None,
    brand: str | None = None,
    campaign: str | None = None,
    columns: Sequence[str] | None = None,
    as_table: bool = False,
    storage_options: Mapping[str, Any] | None = None,
) -> pd.DataFrame | pa.Table:
    """`current` as it stood at the end of a past day or month, or at a moment: nothing later is known."""
    asked = reading.asked(since, None, brand, campaign)
    table = reading.as_of(open_parts(source, storage_options=storage_options), when, asked, columns)
    return table if as_table else table.to_pandas()


@overload
def query(
    source: Source,
    text: str,
    *,
    as_table: Literal[False] = False,
    storage_options: Mapping[str, Any] | None = None,
) -> pd.DataFrame: ...


@overload
def query(
    source: Source,
    text: str,
    *,
    as_table: Literal[True],
    storage_options: Mapping[str, Any] | None = None,
) -> pa.Table: ...


def query(
    source: Source,
    text: str,
    *,
    as_table: bool = False,
    storage_options: Mapping[str, Any] | None = None,
) -> pd.DataFrame | pa.Table:
    """The answer to one SELECT over images, requests, lifecycle, features, findings and current (DuckDB's SQL)."""
    table = sql.query(open_parts(source, storage_options=storage_options), text)
    return table if as_table else table.to_pandas()
