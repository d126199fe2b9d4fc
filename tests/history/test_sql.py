"""SQL over the history: what it says, and that nothing else can be read, written or changed with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from flows.errors import Refused
from flows.history.parts import Parts
from flows.history.reading import Asked, read
from flows.history.sql import VIEWS, query
from flows.storage import open_storage


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_what_our_readers_say(seaside: Any, view: str) -> None:
    """Every column, every row, one of each key."""
    asked = query(seaside.parts, f"select * from {view}")
    ours = read(seaside.parts, view, Asked())
    assert asked.schema.names == ours.schema.names
    assert sorted(asked.to_pylist(), key=repr) == sorted(ours.to_pylist(), key=repr)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_its_columns_before_there_is_a_row(collection: Any, view: str) -> None:
    """Of the types that full ones have."""
    (count,) = query(collection.parts, f"select count(*) as n from {view}").to_pylist()
    assert count == {"n": 0}
    described = query(collection.parts, f"describe {view}").to_pylist()
    kinds = {row["column_name"]: row["column_type"] for row in described}
    assert kinds.get("cost_usd", "DOUBLE") == "DOUBLE"
    assert kinds.get("tags", "VARCHAR[]") == "VARCHAR[]"


def test_money_and_days_are_added_up(seaside: Any) -> None:
    """Names are the present ones in `current`, and those of the purchase in `images`; times are UTC."""
    asked = query(seaside.parts, "select campaign, sum(cost_usd) as usd from images group by 1 order by 1 nulls last")
    assert [(row["campaign"], round(row["usd"], 2)) for row in asked.to_pylist()] == [
        ("summer", 0.18),
        ("winter", 0.12),
    ]
    asked = query(seaside.parts, "select distinct campaign from current where state = 'kept' order by 1")
    assert asked["campaign"].to_pylist() == ["spring", "summer"]
    months = query(seaside.parts, "select distinct strftime(requested_at, '%Y-%m %H') as m from requests order by 1")
    assert months["m"].to_pylist() == ["2026-11 12", "2026-12 12", "2027-01 12"]


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of somebody's outside the history, in the working directory too."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "secret.csv"
    path.write_text("word\nxyzzy\n", encoding="utf-8")
    os.environ["IDEOGRAM_API_KEY"] = "xyzzy"
    return path


HOSTILE = """
attach '{secret}' as x
attach 'new.db'
detach memory
copy (select 1) to 'out.csv'
copy (select 1) to '{part}'
copy (select 1) to '{folder}/new.parquet'
copy images to 'out.parquet'
copy images from '{secret}'
export database 'out'
import database 'out'
install httpfs
force install httpfs
load httpfs
update extensions
set enable_external_access = true
set allowed_paths = ['/']
set lock_configuration = false
set memory_limit = '1GB'
set temp_directory = '{folder}'
reset enable_external_access
pragma enable_external_access
pragma database_list
pragma disable_optimizer
call pragma_version()
call enable_logging()
checkpoint
vacuum
create table x as select 1
create or replace view images as select 1
create secret (type s3, key_id 'x', secret 'x')
create macro f() as 1
drop view images
alter view images rename to x
comment on view images is 'x'
insert into images select * from images
delete from images
update images set prompt = ''
truncate images
begin
prepare x as select 1
execute x
deallocate x
use memory
explain analyze copy images to 'out.csv'
explain select 1
select 1; copy images to 'out.csv'
select 1; select 2
select * from '{secret}'
select * from 'secret.csv'
select * from "{secret}"
select * from read_csv('{secret}')
select * from read_csv_auto('{secret}')
select * from read_text('{secret}')
select * from read_text('/etc/passwd')
select * from read_blob('{secret}')
select * from read_json('{secret}')
select * from read_parquet('{other}')
select * from parquet_metadata('{other}')
select * from parquet_scan('{other}')
select * from parquet_scan('{folder}/*.parquet')
select * from glob('{secret}')
select * from glob('/etc/*')
select * from sniff_csv('{secret}')
select * from query('copy images to ''out.csv''')
select * from query_table('{secret}')
select * from json_execute_serialized_sql(json_serialize_sql('select * from read_text(''{secret}'')'))
select getenv('IDEOGRAM_API_KEY')
select * from 's3://bucket/x.parquet'
select * from read_csv('https://localhost:1/x.csv')
select * from secret
select * from parts
select * from os
with x as (select * from read_text('{secret}')) select * from x
select (select content from read_text('{secret}'))
from read_text('{secret}')
from images where prompt in (select content from read_text('{secret}'))
describe select * from '{secret}'
summarize '{secret}'
pivot images on model using count(*)
select load_extension('x')
with x as (copy (select 1) to '{part}' (format csv, use_tmp_file false)) select * from x
with x as materialized (copy (select 1) to '{part}' (format parquet, use_tmp_file false)) select 1
with x as (copy images to '{part}') select 1
with x as (copy images to 'out.csv' (use_tmp_file false)) select 1
with x as (with y as (copy (select 1) to '{part}' (use_tmp_file false)) from y) from x
WITH x AS (COPY (SELECT 1) TO '{part}' (USE_TMP_FILE false)) SELECT 1 UNION ALL SELECT 2
(with x as (copy (select 1) to '{part}' (use_tmp_file false)) select 1)
from (with x as (copy (select 1) to '{part}' (use_tmp_file false)) select 1)
describe with x as (copy (select 1) to '{part}' (use_tmp_file false)) select 1
select (with x as (copy (select 1) to '{part}' (use_tmp_file false)) select 1)
from query('with x as (copy (select 1) to ''{part}'' (use_tmp_file false)) select 1')
from query_table('images')
with x as (insert into doubled_images values (1) returning *) select * from x
with x as (delete from doubled_images returning *) select count(*) from images
with x as (update doubled_images set h = 1 returning *) select * from x
with x as (truncate doubled_images) select 1
with x as (merge into doubled_images using images on true when matched then delete returning *) select 1
from json_execute_serialized_sql('{{}}')
from read_blob('{part}')
from read_parquet('{part}')
from read_single_csv_file('{secret}')
from read_single_json_file('{secret}')
from read_ndjson('{secret}')
from read_duckdb('{part}')
from parquet_kv_metadata('{part}')
from parquet_full_metadata('{secret}')
from glob('{part}')
from MAIN."READ_TEXT"('{secret}')
from read_text(['{part}', '{secret}'])
from read_text('file://{secret}')
from read_text('/proc/self/environ')
from read_csv('/dev/stdin')
from read_xlsx('{secret}')
from st_read('{secret}')
from sqlite_scan('{secret}', 'x')
from postgres_scan('', 'x', 'y')
from iceberg_scan('{folder}')
from delta_scan('{folder}')
from 'hf://datasets/x/y.parquet'
from '/etc/passwd'
from "/etc/passwd"
from arrow_scan(1, 2, 3)
from pandas_scan(1)
from python_arrow_scan(1)
from python_map_function(1)
from enable_logging(storage := 'file', storage_path := '{folder}')
from enable_profiling()
from checkpoint()
from duckdb_secrets()
from which_secret('s3://x', 's3')
from duckdb_logs()
from truncate_duckdb_logs()
from register_external_resource('a', 'b')
call query('select 1')
select * from images, lateral (select * from read_text('{secret}'))
summarize from read_text('{secret}')
select system('id')
select 1 into outfile 'out.csv'
execute immediate 'copy images to ''out.csv'''
set variable x = 1
alter database memory set alias to x
copy from database memory to x
merge into images using requests on true when matched then delete
-- nothing
;
selekt 1
"""


@pytest.mark.parametrize("text", [line for line in HOSTILE.splitlines() if line])
def test_hostile_sql_is_refused(seaside: Any, secret: Path, text: str) -> None:
    """In a sentence; nothing is read, no file is made or changed."""
    root = seaside.books.storage.root
    part = seaside.parts.listing("images")[0]
    other = secret.parent / "other.parquet"
    other.write_bytes((root / part).read_bytes())
    before = {path: path.stat().st_mtime_ns for path in secret.parent.rglob("*") if ".tmp" not in path.parts}
    asked = text.format(secret=secret, part=root / part, folder=(root / part).parent, other=other)
    with pytest.raises(Refused) as refused:
        query(seaside.parts, asked)
    assert "xyzzy" not in str(refused.value)
    after = {path: path.stat().st_mtime_ns for path in secret.parent.rglob("*") if ".tmp" not in path.parts}
    assert after == before


READING = """
with cheap as (select * from images where cost_usd < 1) select count(*) from cheap
with recursive n as (select 1 as i union all select i + 1 from n where i < 3) select count(*) from n, images
select 'copy' as "copy", 'with x as (delete from y)' as t from images where prompt ilike '%copy%' or true
from images select image_id union all from current select image_id
select * from range(3), generate_series(1, 2)
select unnest(tags) as tag from images
select * from images, unnest(['a', 'b'])
select * from images i, lateral (select count(*) from current c where c.image_id = i.image_id)
select key from json_each('{"a": 1}')
select * from (pivot images on status in ('stored') using count(*) group by model)
from (describe images)
describe images
show tables
summarize images
table images
values (1)
select column_name from information_schema.columns
select image_id from images qualify row_number() over (order by image_id) = 1
select model, count(*) filter (where seed is null) from images group by all order by all
"""


@pytest.mark.parametrize("text", [line for line in READING.splitlines() if line])
def test_whatever_only_reads_is_answered(seaside: Any, text: str) -> None:
    """The walls are not in the way of those who ask: common tables, recursion, windows, pivots, words in quotes."""
    assert query(seaside.parts, text).num_rows > 0


def test_settings_are_locked_for_good(seaside: Any) -> None:
    """What a SELECT can find out about the settings is that they are shut."""
    locked = ["enable_external_access", "lock_configuration", "python_enable_replacements"]
    rows = query(seaside.parts, "select name, value from duckdb_settings()").to_pylist()
    assert {row["name"]: row["value"] for row in rows if row["name"] in locked} == {
        "enable_external_access": "false",
        "lock_configuration": "true",
        "python_enable_replacements": "false",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select nothing from images", "nothing"),
        ("select * from pictures", "pictures"),
        ("", "no query"),
        ("drop view images", "only SELECT"),
        ("select * from read_text('x')", "only these can be read: images"),
    ],
)
def test_a_refusal_says_what_is_wrong(seaside: Any, text: str, says: str) -> None:
    """With the word that it is about."""
    with pytest.raises(Refused, match=says):
        query(seaside.parts, text)


def test_old_parts_lack_nothing(seaside: Any) -> None:
    """A column that came later is null in the rows of before."""
    import io

    import pyarrow.parquet as pq

    from flows.history.parts import encoded
    from flows.history.schema import VERSION_KEY

    part = seaside.parts.listing("images")[0]
    rows = pq.read_table(io.BytesIO(seaside.books.storage.read(part)))
    old = rows.drop_columns(["flaw"]).replace_schema_metadata({VERSION_KEY: "0"})
    seaside.books.storage.write(part, encoded(old))
    assert query(seaside.parts, "select count(*) as n from images where flaw is null").to_pylist() == [{"n": 5}]


def test_a_part_that_is_merged_away_meanwhile_is_looked_for_again(seaside: Any, meddle: Any) -> None:
    """The answer is the same."""
    from flows.history.compact import compact

    count = [0]

    def merge(op: str, path: str) -> None:
        if op == "list" and path == "findings":
            count[0] += 1
            if count[0] == 2:  # all is listed, nothing is open yet
                compact(seaside.parts, seaside.books.owner, seaside.books.now, token="t")

    before = query(seaside.parts, "select image_id from images order by all")
    assert query(meddle(merge).parts, "select image_id from images order by all") == before
    assert count[0] > 2


@pytest.mark.s3
def test_a_bucket_is_asked_the_same(seaside: Any, s3_bucket: Any) -> None:
    """Through the storage's own file system: views, joins, and what is refused."""
    storage = open_storage(f"s3://{s3_bucket.name}/history", s3_bucket.options)
    for stat in seaside.books.storage.list():
        storage.write(stat.path, seaside.books.storage.read(stat.path))
    far = Parts(storage, seaside.books.new_id)
    for text in ("select * from current order by image_id", "select brand, count(*) from findings group by 1"):
        assert query(far, text).to_pylist() == query(seaside.parts, text).to_pylist()
    with pytest.raises(Refused):
        query(far, f"select * from read_parquet('s3://{s3_bucket.name}/*/*.parquet')")
