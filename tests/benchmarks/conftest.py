"""A large history on a disk, made by DuckDB in minutes: as sealing and compaction would have left it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from flows.history.contract import HISTORY, SCHEMA_VERSION
from flows.history.duck import kind_of
from flows.history.schema import KEYS_KEY, VERSION_KEY

MONTHS = 24
# Ids as ours: UUIDv7 of a moment in the month, with a random end; two requests of each fingerprint.
_BASE = """
    SELECT i, md5(i::VARCHAR) AS m, epoch_ms(ts) AS ms, ts::TIMESTAMPTZ AS moment FROM (
        SELECT i, TIMESTAMP '{first}' + to_milliseconds(((i - {start}) * 2400000 // {count} * 1000)::BIGINT) AS ts
        FROM range({start}, {start} + {count}) t(i))
"""
_REQUEST = (
    "printf('%s-%s-7%s-8%s-%s', substr(hex_ms, 1, 8), substr(hex_ms, 9, 4), "
    "substr(m, 1, 3), substr(m, 4, 3), substr(m, 7, 12))"
)
_WORDS = "['neon','sunset','retro','citrus','wave','sand','poster','bottle','morning','grain','flat','enamel']"
_PROMPT = (
    f"'A picture of ' || {_WORDS}[1 + i % 12] || ' and ' || {_WORDS}[1 + (i // 12) % 12] || ' in the style of ' "
    f"|| {_WORDS}[1 + (i // 144) % 12] || ', 35 mm, much empty space, number ' || (i % 20000)"
)
_FINGERPRINT = "sha256('print ' || (i // 2))"
_IMAGES = {
    "image_id": f"{_REQUEST} || '-0'",
    "request_id": _REQUEST,
    "fingerprint": _FINGERPRINT,
    "n": "i % 2",
    "image_index": "0",
    "generation_id": "substr(m, 1, 20)",
    "run_id": "'run-' || (i // 1000)",
    "origin": "'sandbox'",
    "status": "'stored'",
    "prompt_id": "'prompt-' || (i % 500)",
    "variant": "'prompt-' || (i % 500) || '@format=story'",
    "brand": "'helio'",
    "campaign": "'campaign-' || (i % 40)",
    "tags": "['hero', 'paid-social']",
    "prompt": _PROMPT,
    "final_prompt": _PROMPT,
    "endpoint": "'/v2/image/generate/ideogram-3'",
    "model": "['ideogram-3', 'ideogram-4-5', 'V_2'][1 + i % 3]",
    "options": "'{}'",
    "aspect_ratio": "'1:1'",
    "width": "1024",
    "height": "1024",
    "seed": "hash(i) % 2147483647",
    "is_image_safe": "true",
    "image_url": "'https://images.example/' || m",
    "requested_at": "moment",
    "generated_at": "moment",
    "stored_at": "moment",
    "local_path": "'helio/' || (i % 500) || '/' || m || '.png'",
    "media_type": "'image/png'",
    "bytes": "1000000 + i % 100000",
    "sha256": "sha256('bytes ' || i)",
    "cost_usd": "0.06",
    "price_source": "'api'",
}
_REQUESTS = {
    "request_id": _REQUEST,
    "fingerprint": _FINGERPRINT,
    "n": "i % 2",
    "revision": "0",
    "outcome": "'completed'",
    "answered": "true",
    "images": "1",
    "counted": "1",
    "cost_micros": "60000",
    "cost_usd": "0.06",
    "price_source": "'api'",
    "origin": "'sandbox'",
    "status": "200",
    "run_id": "'run-' || (i // 1000)",
    "model": "['ideogram-3', 'ideogram-4-5', 'V_2'][1 + i % 3]",
    "prompt_id": "'prompt-' || (i % 500)",
    "brand": "'helio'",
    "campaign": "'campaign-' || (i % 40)",
    "requested_at": "moment",
    "answered_at": "moment",
    "ended_at": "moment",
    "latency_s": "3.5",
    "request": f"'{{\"prompt\": \"' || {_PROMPT} || '\"}}'",
}


def make(root: Path, rows: int) -> None:
    """`rows` images and as many requests below `root`, over `MONTHS` months of 2024 and 2025."""
    with duckdb.connect(":memory:") as con:
        con.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        each = rows // MONTHS
        for month in range(MONTHS):
            name = f"{2024 + month // 12}-{month % 12 + 1:02d}"
            base = _BASE.format(first=f"{name}-01", start=month * each, count=each)
            for dataset, filled in (("images", _IMAGES), ("requests", _REQUESTS)):
                columns = ", ".join(
                    f"CAST({filled.get(column.name, 'NULL')} AS {kind_of(column.type)}) AS {column.name}"
                    for column in HISTORY[dataset].columns
                )
                folder = root / dataset / f"month={name}"
                folder.mkdir(parents=True)
                con.execute(
                    f"COPY (SELECT {columns} FROM (SELECT *, printf('%012x', ms) AS hex_ms FROM ({base}))) "
                    f"TO '{folder}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, "
                    f"KV_METADATA {{'{VERSION_KEY}': '{SCHEMA_VERSION}', '{KEYS_KEY}': '{each}'}})"
                )


@pytest.fixture(scope="session")
def make_history() -> Callable[[Path, int], None]:
    """Makes so many images and requests below a folder."""
    return make
