"""Conditions on text columns say what pyarrow's own say, and do not make it look for pandas."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.history.conditions import among, texts

WORDS = st.lists(st.text(max_size=8), max_size=6)


@settings(deadline=None)
@given(WORDS)
def test_texts_are_an_ordinary_array(words: Sequence[str]) -> None:
    """Whatever is in them: nothing, other scripts, line breaks."""
    made = texts(words)
    made.validate(full=True)
    assert made.equals(pa.array(words, pa.string()))


@settings(deadline=None)
@given(rows=WORDS, wanted=WORDS)
def test_conditions_choose_what_pyarrow_would(rows: Sequence[str], wanted: Sequence[str]) -> None:
    """Row by row, alone and negated."""
    table = pa.table({"name": pa.array(rows, pa.string())})
    theirs = ~pc.field("name").isin(pa.array(list(wanted), pa.string()))
    assert table.filter(~among("name", wanted)).equals(table.filter(theirs))
    assert table.filter(among("name", wanted))["name"].to_pylist() == [row for row in rows if row in wanted]


def test_pandas_is_not_looked_for() -> None:
    """Which is what these are for."""
    program = (
        "import sys; from flows.history.conditions import among, texts; among('a', ['x']); texts(['y'])[0]; "
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
