"""Finding images by words and by any column."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flows.errors import Refused
from flows.history.events import Event
from flows.history.queries import find
from flows.history.reading import Asked, asked, column_names, read
from flows.history.search import Condition, Search, Term, condition, search, terms
from flows.history.standing import STANDING


def names(parts: Any, *words: str, where: tuple[str, ...] = (), **period: str) -> list[str]:
    """The digests of what is found: of each image the name it was bought under."""
    bounds = asked(period.get("since"), period.get("until"), None, None)
    wanted = Search(terms(words), tuple(condition(one) for one in where), bounds.since, bounds.until)
    rows = search(parts, wanted, ["sha256", "prompt_id"]).to_pylist()
    return [row["sha256"] or row["prompt_id"] for row in rows]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], ["sunset", "retro", "wave", "gull", "dune"]),
        (["neon"], ["sunset", "retro", "gull"]),
        (["neon sunset"], ["sunset", "retro"]),
        (["neon", "SAND"], ["sunset"]),
        (['"wet sand"'], ["sunset"]),
        (['"sand wet"'], []),
        (["neon -retro"], ["sunset", "gull"]),
        (['sand -"wet sand"'], ["wave", "dune"]),
        (["-neon"], ["wave", "dune"]),
        (["strasse"], ["dune"]),
        (["straße"], ["dune"]),
        (["breaker"], ["wave"]),
        (["spring"], ["wave"]),
        (["winter"], ["gull"]),
        (["sea"], ["wave"]),
        (["v_2"], ["wave"]),
        (["old"], ["retro"]),
        (["100%"], []),
        (["'; DROP"], []),
    ],
)
def test_words_phrases_and_exclusions(seaside: Any, words: list[str], found: list[str]) -> None:
    """In any case, in every text and tag, under the present names; all must hold."""
    assert names(seaside.parts, *words) == found


def test_what_is_no_word_asks_for_nothing() -> None:
    """Blanks and empty quotes; a dash alone is a dash."""
    assert terms(["  ", '""', '-""']) == ()
    assert terms(["-"]) == (Term("-"),)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("state=kept", ["sunset", "wave", "dune"]),
        ("state=trashed", ["retro"]),
        ("state=lost", ["gull"]),
        ("status=lost", ["gull"]),
        ("local_path=", ["gull"]),
        ("local_path!=", ["sunset", "retro", "wave", "dune"]),
        ("held=yes", ["sunset"]),
        ("approved=false", ["retro", "wave", "gull", "dune"]),
        ("verdict=Approved", ["sunset"]),
        ("seed=123", ["sunset"]),
        ("seed!=123", ["retro", "wave", "gull", "dune"]),
        ("width>=1024", ["wave"]),
        ("width<1024", []),
        ("cost_usd>0.05", ["sunset", "retro", "wave", "gull", "dune"]),
        ("campaign=SPRING", ["wave"]),
        ("campaign!=summer", ["wave", "gull"]),
        ("brand~EL", ["sunset", "retro"]),
        ("tags=two words", ["retro"]),
        ("tags!=two words", ["sunset", "wave", "gull", "dune"]),
        ("tags~words", ["retro"]),
        ("requested_at=2026-12", ["wave", "gull"]),
        ("requested_at>2026-12", ["dune"]),
        ("requested_at<=2026-12-12", ["sunset", "retro", "wave", "gull"]),
        ("requested_at!=2026-12", ["sunset", "retro", "dune"]),
        ("trashed_at!=", ["retro"]),
    ],
)
def test_any_column_can_be_asked(seaside: Any, where: str, found: list[str]) -> None:
    """By its type; of an image with several rows the best one answers."""
    assert names(seaside.parts, where=(where,)) == found


@pytest.mark.parametrize(
    ("period", "found"),
    [
        ({"since": "2026-12"}, ["wave", "gull", "dune"]),
        ({"until": "2026-11"}, ["sunset", "retro"]),
        ({"since": "2026-12-12", "until": "2026-12-12"}, ["wave", "gull"]),
        ({"since": "2026-11-22T13:00"}, ["wave", "gull", "dune"]),
    ],
)
def test_a_period_is_days_or_months_or_moments(seaside: Any, period: dict[str, str], found: list[str]) -> None:
    """Its end is part of it."""
    assert names(seaside.parts, **period) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour=red", "no column 'colour'"),
        ("promt=red", "did you mean prompt"),
        ("seed=abc", "seed is a number"),
        ("held=perhaps", "yes or no"),
        ("seed~1", "holds no text"),
        ("requested_at=soon", "no time"),
        ("requested_at~2026", "is a time"),
        ("tags>a", "is a list"),
        ("seed>", "needs a value"),
        ("seed", "no condition"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(text: str, says: str) -> None:
    """In a sentence, before anything is read."""
    with pytest.raises(Refused, match=says):
        condition(text)


def test_a_value_is_never_sql(seaside: Any) -> None:
    """Quotes and semicolons are letters like any others."""
    for value in ("' OR true --", "x'; DROP TABLE y; --", '"', "\\"):
        assert names(seaside.parts, where=(f"campaign={value}",)) == []
        assert names(seaside.parts, value + "z") == []


def test_what_is_found_is_what_current_says(seaside: Any) -> None:
    """Every column of every row, and only once each: the two folds of events are the same."""
    every = read(seaside.parts, "current", Asked()).sort_by("image_id")
    assert search(seaside.parts, Search()).to_pylist() == every.to_pylist()


@pytest.mark.parametrize("seed", range(3))
def test_both_folds_agree_on_any_history(collection: Any, seed: int) -> None:
    """Events in any order, on any image, several of each kind."""
    rng = random.Random(seed)
    images = [collection.buy(f"p{n}", f"Picture {n}") for n in range(6)]
    for _ in range(25):
        event = rng.choice(list(Event))
        if event is Event.RELABELLED:
            labels: dict[str, Any] = {"prompt_id": "x", "variant": rng.choice("yz"), "campaign": None, "tags": []}
            collection.happened(event, fingerprint=f"p{rng.randrange(6)}" * 8, details=labels)
        else:
            collection.happened(event, rng.choice(images))
    every = read(collection.parts, "current", Asked()).sort_by("image_id")
    assert search(collection.parts, Search()).to_pylist() == every.to_pylist()
    for field in STANDING:
        for value in set(every[field.name].to_pylist()):
            if isinstance(value, (str, bool)):
                fits = Search(conditions=(Condition(field.name, "=", str(value)),))
                found = search(collection.parts, fits, ["image_id"])["image_id"].to_pylist()
                assert found == [row["image_id"] for row in every.to_pylist() if row[field.name] == value]


def test_the_last_few_are_shown_and_all_are_counted(seaside: Any, tmp_path: Any) -> None:
    """With every column, and their files looked at."""
    from flows.storage import LocalStorage

    assets = LocalStorage(tmp_path / "images")
    assets.write("dune.png", b"123")
    assets.write("wave.png", b"12")
    whole, part = find(seaside.parts, assets), find(seaside.parts, assets, last=2)
    assert (part.images, part.usd) == (whole.images, whole.usd)
    assert part.images == 5
    assert part.usd == pytest.approx(0.3)
    assert part.rows == whole.rows[-2:]
    assert [row["has_local_copy"] for row in whole.rows] == [False, False, False, False, True]
    assert set(whole.rows[0]) == set(column_names("current"))
    assert find(seaside.parts, assets, Search(terms(["nothing"])), last=2).rows == []


def test_an_empty_history_finds_nothing(collection: Any) -> None:
    """No parts at all: all columns, no rows."""
    assert search(collection.parts, Search(terms(["x"]))).schema.names == list(column_names("current"))
