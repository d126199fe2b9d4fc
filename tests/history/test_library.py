"""The history as a library: frames of the months and columns that were asked for, from a project or an address."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import flows.history
from flows.errors import Refused
from flows.history import as_of, current, features, findings, images, lifecycle, query, requests
from flows.history.parts import Parts
from flows.history.standing import STANDING
from flows.library import open_parts


def digests(frame: pd.DataFrame) -> list[str]:
    return sorted(str(digest) for digest in frame["sha256"].dropna())


def test_a_frame_has_one_row_of_each_image(seaside: Any) -> None:
    """Though there are more in the files; the best of an image stands."""
    frame = images(seaside.parts)
    assert len(frame) == frame["image_id"].nunique() == 5
    assert len(pd.read_parquet(seaside.books.storage.root / "images")) == 8
    assert frame["status"].value_counts().to_dict() == {"stored": 4, "lost": 1}
    assert frame["cost_usd"].sum() == pytest.approx(0.3)
    assert str(frame["requested_at"].dtype) == "datetime64[us, UTC]"


def test_every_dataset_is_there(seaside: Any) -> None:
    """With its own columns, each row once."""
    assert len(requests(seaside.parts)) == 5
    assert len(lifecycle(seaside.parts)) == 4
    assert len(features(seaside.parts)) == 1
    assert len(findings(seaside.parts)) == 2
    frame: Any = current(seaside.parts)
    assert set(STANDING.names) <= set(frame.columns)
    wave = frame[frame["sha256"] == "wave"].iloc[0]
    assert (wave["campaign"], wave["state"]) == ("spring", "kept")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"since": "2026-12"}, ["dune", "gull", "wave"]),
        ({"until": date(2026, 11, 22)}, ["retro", "sunset"]),
        ({"since": datetime(2026, 12, 1, tzinfo=UTC), "until": "2026-12"}, ["gull", "wave"]),
        ({"brand": "helio"}, ["retro", "sunset"]),
        ({"campaign": "winter"}, ["gull", "wave"]),
        ({"campaign": "summer", "brand": "other"}, ["dune"]),
        ({"campaign": "nowhere"}, []),
    ],
)
def test_filters_leave_out_the_rest(seaside: Any, filters: dict[str, Any], found: list[str]) -> None:
    """By the day of the purchase and the names it was bought under."""
    assert digests(images(seaside.parts, **filters)) == found


def test_present_names_are_what_current_goes_by(seaside: Any) -> None:
    """And what events and measures are found by, which have no names themselves."""
    assert digests(current(seaside.parts, campaign="spring")) == ["wave"]
    assert digests(current(seaside.parts, campaign="winter")) == ["gull"]
    assert lifecycle(seaside.parts, campaign="spring")["event"].tolist() == ["relabelled"]
    assert sorted(lifecycle(seaside.parts, brand="helio")["event"]) == ["approved", "held", "trashed"]
    assert features(seaside.parts, campaign="summer")["sha256"].tolist() == ["sunset"]
    assert len(features(seaside.parts, campaign="spring")) == 0
    assert len(findings(seaside.parts, campaign="summer")) == 2


def test_columns_are_those_asked_for_in_that_order(seaside: Any) -> None:
    """Without those that the work needed beside them."""
    table = images(seaside.parts, columns=["seed", "prompt"], campaign="summer", as_table=True)
    assert isinstance(table, pa.Table)
    assert table.schema.names == ["seed", "prompt"]
    assert list(current(seaside.parts, columns=["state"]).columns) == ["state"]
    with pytest.raises(Refused, match="did you mean prompt"):
        images(seaside.parts, columns=["promt"])
    with pytest.raises(Refused, match="no column 'state'"):
        images(seaside.parts, columns=["state"])


def test_a_past_day_knows_nothing_of_later(seaside: Any) -> None:
    """Neither purchases nor events nor names; its own are known to its last moment."""
    before = as_of(seaside.parts, "2026-12-12").set_index("sha256")
    assert set(before.index.dropna()) == {"sunset", "retro", "wave", "gull"}
    assert before.loc["retro", "state"] == "kept"
    assert before.loc["wave", "campaign"] == "winter"
    assert len(as_of(seaside.parts, "2026-10")) == 0
    assert as_of(seaside.parts, "2027-01").shape == current(seaside.parts).shape
    assert len(as_of(seaside.parts, datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC))) == 0


def test_other_months_are_not_opened(seaside: Any) -> None:
    """What cannot be read in them is not even noticed."""
    for month in ("2026-11", "2027-01"):
        seaside.books.storage.write(f"images/month={month}/broken.parquet", b"PAR1 no")
    assert digests(images(seaside.parts, since="2026-12", until="2026-12")) == ["gull", "wave"]
    assert digests(current(seaside.parts, since="2026-12", until="2026-12")) == ["gull", "wave"]


@pytest.mark.parametrize("when", ["soon", "2026-13", "2026-1-1", "", "26"])
def test_what_is_no_time_is_refused(seaside: Any, when: str) -> None:
    """With what a time looks like."""
    with pytest.raises(Refused, match="2026-10-31"):
        images(seaside.parts, since=when)


def test_a_period_that_ends_before_it_begins_is_refused(seaside: Any) -> None:
    """Nothing can be in it."""
    with pytest.raises(Refused, match="later than until"):
        images(seaside.parts, since="2026-12", until="2026-11")


def test_what_is_merged_meanwhile_is_read_all_the_same(seaside: Any, meddle: Any) -> None:
    """The parts listed are gone when they are opened: they are listed anew."""
    from flows.history.compact import compact

    once = [0]

    def merge(op: str, path: str) -> None:
        if op == "list" and path == "images":
            once[0] += 1
            if once[0] == 2:
                seaside.books.now = datetime(2027, 3, 1, tzinfo=UTC)
                compact(seaside.parts, seaside.books.owner, seaside.books.now, token="t")

    before = images(seaside.parts, as_table=True).sort_by("image_id")
    listing = seaside.parts.listing("images")
    storage: Any = meddle(merge).storage

    class Late(Parts):
        def listing(self, dataset: str) -> tuple[str, ...]:
            """What was there a moment ago, the first time."""
            found = super().listing(dataset)
            return listing if once[0] == 2 else found

    assert images(Late(storage, str), as_table=True).sort_by("image_id") == before
    assert once[0] > 2
    assert seaside.parts.listing("images") != listing


def test_a_project_or_an_address_is_opened(seaside: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project's folder with its own settings, the folder of a history, a URL; `.` is the one we are in."""
    history = Path(seaside.books.storage.url)
    project = tmp_path / "project"
    (project / "configs").mkdir(parents=True)
    (project / "configs" / "base.yaml").write_text(f"storage: {{history: '{history}'}}\n", encoding="utf-8")
    monkeypatch.chdir(project)
    for source in (history, str(history), history.as_uri(), project, "."):
        assert len(images(source)) == 5, source
    assert query(".", "select count(*) as n from images")["n"].tolist() == [5]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert len(images(empty)) == 0
    with pytest.raises(Refused, match="no folder"):
        open_parts(tmp_path / "nowhere")


@pytest.mark.s3
def test_a_bucket_is_read_like_a_folder(seaside: Any, s3_bucket: Any) -> None:
    """With the options that pandas would be given."""
    from flows.storage import open_storage

    url = f"s3://{s3_bucket.name}/history"
    storage = open_storage(url, s3_bucket.options)
    for stat in seaside.books.storage.list():
        storage.write(stat.path, seaside.books.storage.read(stat.path))
    far = current(url, storage_options=s3_bucket.options, as_table=True)
    assert far.sort_by("image_id") == current(seaside.parts, as_table=True).sort_by("image_id")


def test_no_module_hides_a_public_name() -> None:
    """`flows.history.current` would be a module as soon as somebody imported it."""
    modules = {module.name for module in pkgutil.iter_modules(flows.history.__path__)}
    assert modules & set(flows.history.__all__) == set()
    assert all(callable(getattr(flows.history, name)) for name in flows.history.__all__)
    with pytest.raises(AttributeError, match="pictures"):
        _ = flows.history.pictures


def test_importing_the_package_costs_nothing() -> None:
    """Who wants a noun of the history does not pay for the library."""
    code = (
        "import sys, flows.history; print([m for m in ('pyarrow', 'pandas', 'pydantic', 'duckdb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
