"""Whole imports: what is taken over, under which name, and what a plan then buys."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.adoption.decide import Fate
from flows.adoption.match import Match
from flows.campaign.steps import Ask as Wanted
from flows.campaign.steps import prepare
from flows.errors import InvalidInput, Unfinished, UserError
from flows.history.records import Step
from flows.ids import month_of, sha256
from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import running
from flows.workspace import open_workspace

TILE = "Seamless citrus pattern"
RECORD: dict[str, Any] = {
    "id": "r1",
    "prompt": TILE,
    "model": "V_3",
    "aspectRatio": "1:1",
    "seed": 11,
    "imageUrl": "https://ideogram.ai/api/images/ephemeral/a.png?exp=1700000000&sig=secret",
    "localPath": "images/a.png",
    "generatedAt": "2025-03-04T10:00:00Z",
    "expiresAt": "2025-03-05T10:00:00Z",
}


def test_a_list_is_taken_over_and_a_plan_buys_only_the_rest(place: Any, draw: Callable[..., bytes]) -> None:
    """The shape people's scripts keep; the original stays, months and names are right, nothing is charged."""
    data = draw("red")
    place.keep("images/a.png", data)
    place.keep("images/b.png", draw("blue", (36, 64)))
    source = place.listed(
        [RECORD, {"id": "r2", "prompt": "A calm sea", "model": "ideogram-3", "local_path": "images/b.png"}]
    )
    before = place.files()
    assert place.missing() == {"tile": 2, "sea@format=square": 1, "sea@format=story": 1}

    found = place.survey(source)
    assert [item.variant.name for item in found.items] == ["tile", "sea@format=story"]
    assert place.rows() == []  # a dry run changes nothing
    done = place.apply(source)

    assert len(done.of(Fate.TAKE)) == 2
    assert place.missing() == {"tile": 1, "sea@format=square": 1}
    row = next(row for row in place.rows() if row["variant"] == "tile")
    assert row["requested_at"] == row["generated_at"] == datetime(2025, 3, 4, 10, tzinfo=UTC)
    assert month_of(row["request_id"]) == "2025-03"
    assert (row["sha256"], row["cost_usd"], row["price_source"], row["endpoint"]) == (
        sha256(data),
        0,
        "imported",
        "import",
    )
    assert (row["seed"], row["campaign"], row["tags"]) == (11, "summer", ["pattern"])
    assert "secret" not in json.dumps(place.rows("requests") + place.rows(), default=str)
    assert place.ws.assets.read(row["local_path"]) == data
    assert row["local_path"].startswith("helio/summer/tile/2025-03-04_")
    assert {row["outcome"] for row in place.rows("requests")} == {"completed"}
    assert len(place.rows("features")) == 2
    assert place.files() == before


def test_a_second_import_doubles_nothing(place: Any, draw: Callable[..., bytes]) -> None:
    """Also when the same pictures come along another way: in a folder, under other names, with other times."""
    place.keep("images/a.png", draw("red"))
    place.keep("images/again.png", draw("red"))
    place.keep("images/b.png", draw("blue"))
    source = place.listed([RECORD, {**RECORD, "localPath": "images/again.png", "generatedAt": "2025-04-01"}])
    found = place.survey(source)
    assert [item.fate for item in found.items] == [Fate.TAKE, Fate.TWICE]
    assert len(place.apply(source).of(Fate.TAKE)) == 1
    assert place.apply(source).entered == []
    assert len(place.apply(str(place.old / "images")).of(Fate.TAKE)) == 1
    assert len(place.rows()) == len({row["sha256"] for row in place.rows()}) == 2


def test_our_own_folder_comes_back_under_its_own_fingerprints(place: Any, draw: Callable[..., bytes]) -> None:
    """A history that was lost: from pictures and the records beside them alone, nothing is bought again."""
    place.keep("images/a.png", draw("red"))
    place.apply(place.listed([RECORD]))
    (fingerprint, made) = next((row["fingerprint"], row["requested_at"]) for row in place.rows())
    kept = place.root / "data" / "images"
    elsewhere = place.old.parent / "rescued"
    kept.rename(elsewhere)
    (place.root / "data" / "history").rename(place.old.parent / "lost")
    # Not even the prompt needs to be what the manifest says now.
    (place.root / "prompts.yaml").write_text(
        "version: 1\nprompts: [{id: x, prompt: y, model: V_2}]\n", encoding="utf-8"
    )
    assert len(place.apply(str(elsewhere)).of(Fate.TAKE)) == 1
    (row,) = place.rows()
    assert (row["fingerprint"], row["requested_at"], row["variant"], row["seed"]) == (fingerprint, made, "tile", 11)


def test_folders_with_records_beside_lists_inside_and_text_within(place: Any, draw: Callable[..., bytes]) -> None:
    """A sidecar, a list in the folder, A1111 text, JSON text, and a picture nobody says anything about."""
    place.keep("one.png", draw("red"))
    place.keep("one.json", json.dumps({"prompt": TILE, "model": "ideogram-3", "created_at": 1_750_000_000}))
    place.keep("deep/two.webp", draw("blue", form="WEBP"))
    place.keep("deep/index.csv", f"file;prompt;model\ntwo.webp;{TILE};3.0\n")
    place.keep(
        "three.png", draw("green", parameters=f"{TILE}\nNegative prompt: people\nSteps: 20, Seed: 7, Size: 48x48")
    )
    place.keep("four.png", draw("yellow", meta=json.dumps({"prompt": "A calm sea", "model": "ideogram-3", "seed": 9})))
    place.keep("five.jpg", draw("white", form="JPEG"))
    place.keep("notes.txt", "nothing")
    place.keep("package.json", '{"name": "x"}')
    found = {item.candidate.held.path: item for item in place.survey().items}
    assert {path: item.variant and item.variant.name for path, item in found.items()} == {
        "one.png": "tile",
        "deep/two.webp": "tile",
        "three.png": None,
        "four.png": "sea@format=square",
        "five.jpg": None,
    }
    assert found["three.png"].record.seed == 7
    assert found["three.png"].record.negative_prompt == "people"
    assert found["five.jpg"].record.missing == ("prompt", "model", "seed", "generated_at")
    assert len(place.apply().of(Fate.TAKE)) == 5
    assert place.missing() == {"sea@format=story": 1}
    assert {row["media_type"] for row in place.rows()} == {"image/png", "image/webp", "image/jpeg"}


def test_records_without_a_model_are_given_one(place: Any, draw: Callable[..., bytes]) -> None:
    """--model is for those that name none, and for no others."""
    place.keep("images/a.png", draw("red"))
    place.keep("images/b.png", draw("blue"))
    bare = {"prompt": TILE, "localPath": "images/a.png"}
    source = place.listed([bare, {**bare, "localPath": "images/b.png", "model": "V_2"}])
    assert [item.variant for item in place.survey(source).items] == [None, None]
    named = place.survey(source, model="ideogram-3").items
    assert [item.variant and item.variant.name for item in named] == ["tile", None]


def test_none_matches_nothing_and_exact_wants_everything_said(place: Any, draw: Callable[..., bytes]) -> None:
    """The same picture, three ways to look at it."""
    place.keep("images/a.png", draw("red"))
    place.keep("images/b.png", draw("blue", (36, 64)))
    records: list[dict[str, Any]] = [
        RECORD,
        {"prompt": "A calm sea", "model": "ideogram-3", "localPath": "images/b.png"},
    ]
    source = place.listed([{**records[0], "aspectRatio": ""}, records[1]])

    def names(how: Match) -> list[str | None]:
        return [item.variant and item.variant.name for item in place.survey(source, match=how).items]

    assert names(Match.PROMPT) == ["tile", "sea@format=story"]
    assert names(Match.EXACT) == ["tile", None]
    assert names(Match.NONE) == [None, None]
    place.apply(source, match=Match.NONE)
    assert place.missing()["tile"] == 2
    assert {row["prompt_id"] for row in place.rows()} == {"imported"}


def test_what_cannot_be_taken_over_is_said(place: Any, draw: Callable[..., bytes]) -> None:
    """Cut off, no picture, changed, gone with a dead link, gone for good, from elsewhere: each with its reason."""
    good = draw("red")
    place.keep("cut.png", good[:60])
    place.keep("page.png", b"<!doctype html><p>expired")
    place.keep("other.png", good)
    place.keep("far.png", draw("blue"))
    records = [
        {"localPath": "cut.png"},
        {"localPath": "page.png"},
        {"localPath": "other.png", "sha256": "0" * 64},
        {"localPath": "gone.png", "imageUrl": RECORD["imageUrl"]},
        {"localPath": "gone.png"},
        {"localPath": "far.png", "origin": "api.ideogram.ai"},
        {"imageUrl": "https://elsewhere.example/a.png", "expiresAt": "2036-01-01"},
    ]
    found = place.survey(place.listed(records))
    assert [item.fate for item in found.items] == [
        Fate.UNREADABLE,
        Fate.UNREADABLE,
        Fate.UNREADABLE,
        Fate.DEAD,
        Fate.MISSING,
        Fate.ELSEWHERE,
        Fate.DEAD,
    ]
    for item, word in zip(
        found.items, ("cut off", "web page", "bytes", "died on 2023", "gone.png", "made at", "image_hosts"), strict=True
    ):
        assert word in item.why
    assert place.apply(place.listed(records)).entered == []


def test_living_links_are_fetched_and_dead_ones_said(place: Any, tmp_path: Path, draw: Callable[..., bytes]) -> None:
    """From a host that is allowed, once each, without a key; a link that turns out dead harms no other."""
    with running(SandboxConfig(tmp_path / "state", latency_s=(0, 0), pictures="plain")) as sandbox:
        env = {
            **place.env,
            "IDEOFLOW_API__BASE_URL": sandbox.base_url,
            "IDEOGRAM_API_KEY": sandbox.api_key,
            "IDEOFLOW_API__POLL_INTERVAL_S": "0.02",
        }
        links = bought_links(open_workspace(place.root, (), env))
        here = type(place)(place.root, place.old, {name: value for name, value in env.items() if "KEY" not in name})
        records: list[dict[str, Any]] = [
            {"id": f"l{number}", "prompt": TILE, "model": "ideogram-3", "imageUrl": link, "localPath": "gone.png"}
            for number, link in enumerate([*links, links[0], links[1].replace("sig=", "sig=0")])
        ]
        place.keep("broken.png", draw("red")[:50])
        records[1]["localPath"] = "broken.png"
        source = place.listed(records)
        fates = [item.fate for item in here.survey(source).items]
        assert fates == [Fate.FETCH, Fate.FETCH, Fate.TWICE, Fate.TWICE]
        dead = {**records[0], "imageUrl": links[0].replace("ephemeral/", "ephemeral/0")}
        source = place.listed([*records[:2], dead])
        done = here.apply(source)
        assert [one.fate for one in done.of(Fate.TAKE, Fate.DEAD)].count(Fate.DEAD) == 1
        assert len(done.of(Fate.TAKE)) == 2
        assert here.missing() == {"sea@format=square": 1, "sea@format=story": 1}
        assert all(row["expires_at"] and row["image_url"].endswith("sig=***") for row in here.rows())
        assert here.apply(source).of(Fate.TAKE) == []
        assert len(here.rows()) == 2


def bought_links(ws: Any) -> list[str]:
    """Two pictures that some other program bought: their links."""
    import asyncio
    import time

    async def buy() -> list[str]:
        async with ws.client() as client:
            body = {"prompt": "anything", "num_images": 2, "async": True}
            answer = await client.submit("/v2/image/generate/ideogram-3", body, deadline_s=10)
            generation = json.loads(answer.body)["generation_id"]
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                polled = json.loads((await client.poll(generation)).body)
                found = [image["url"] for image in polled.get("data", polled.get("images", [])) if image.get("url")]
                if len(found) == 2:
                    return found
                await asyncio.sleep(0.02)
            raise AssertionError(polled)

    links = asyncio.run(buy())
    (ws.assets.root if hasattr(ws.assets, "root") else Path()).mkdir(parents=True, exist_ok=True)
    return links


def test_more_than_is_wanted_is_kept_and_shared_out(place: Any, draw: Callable[..., bytes]) -> None:
    """Three for a count of two; of two variants that fit alike, each gets its own first."""
    manifest = 'version: 1\ndefaults: {model: ideogram-3}\nprompts:\n  - id: sun\n    prompt: "A sun"\n'
    manifest += (
        "    matrix: {speed: {a: {options: {rendering_speed: turbo}}, b: {options: {rendering_speed: quality}}}}\n"
    )
    (place.root / "prompts.yaml").write_text(manifest, encoding="utf-8")
    for number, colour in enumerate(("red", "blue", "green")):
        place.keep(f"{number}.png", draw(colour))
    records = [{"prompt": "A sun", "model": "ideogram-3", "localPath": f"{number}.png"} for number in range(3)]
    found = place.survey(place.listed(records))
    assert [item.variant.name for item in found.items] == ["sun@speed=a", "sun@speed=b", "sun@speed=a"]
    assert all("rendering_speed" in item.unsaid for item in found.items)
    place.apply(place.listed(records))
    assert place.missing() == {}
    numbers = sorted((row["fingerprint"], row["n"]) for row in place.rows("requests"))
    assert sorted(n for _, n in numbers) == [0, 0, 1]


def test_an_import_that_was_cut_off_is_nobodys_doubt(place: Any, draw: Callable[..., bytes]) -> None:
    """A claim without its end: a plan counts it and doubts nothing, whoever comes next finishes it."""
    place.keep("images/a.png", draw("red"))
    source = place.listed([RECORD])
    place.apply(source)
    ws = place.ws
    claim = claim_of(place)
    for part in (*ws.parts.listing("images"), *ws.parts.listing("requests")):
        ws.history.delete([part])
    ws.journal.put(claim.fingerprint, 0, Step.CLAIM, claim)
    prepared = prepare(ws, Wanted())
    assert not prepared.doubts
    assert [entry.id for entry in prepared.recoverable] == [claim.request_id]
    assert place.missing()["tile"] == 1
    done = place.apply(source)
    assert (done.finished, done.entered) == (1, [])
    assert [row["request_id"] for row in place.rows()] == [claim.request_id]


def test_one_whose_picture_has_gone_ends_void_and_can_come_again(place: Any, draw: Callable[..., bytes]) -> None:
    """Nothing was paid, so nothing counts; the next import enters the picture under a new id."""
    place.keep("images/a.png", draw("red"))
    source = place.listed([RECORD])
    place.apply(source)
    ws, claim = place.ws, claim_of(place)
    ws.history.delete([*ws.parts.listing("images"), *ws.parts.listing("requests")])
    ws.assets.delete([stat.path for stat in ws.assets.list()])
    ws.journal.put(claim.fingerprint, 0, Step.CLAIM, claim)
    assert place.apply(source).finished == 1
    assert [row["outcome"] for row in place.rows("requests")] == ["void"]
    assert place.missing()["tile"] == 2
    assert len(place.apply(source).of(Fate.TAKE)) == 1
    assert place.missing()["tile"] == 1
    assert sorted(row["n"] for row in place.rows("requests")) == [0, 1]


def claim_of(place: Any) -> Any:
    """The claim that an import of one picture made, with an owner that is long dead."""
    from dataclasses import replace
    from decimal import Decimal

    from flows.history.owners import this_process
    from flows.history.records import Claim, Labels

    (image,), (request,) = place.rows(), place.rows("requests")
    owner = replace(this_process(image["run_id"]), pid=2**22 + 1, started="1")
    labels = Labels(
        image["prompt_id"],
        image["variant"],
        image["prompt"],
        brand=image["brand"],
        campaign=image["campaign"],
        tags=tuple(image["tags"]),
    )
    return Claim(
        request_id=image["request_id"],
        run_id=image["run_id"],
        fingerprint=image["fingerprint"],
        n=0,
        images=1,
        origin=image["origin"],
        model=image["model"],
        path="import",
        body=json.loads(request["request"]),
        labels=labels,
        name_template=place.ws.settings.storage.name_template,
        price_usd=Decimal(0),
        price_source="imported",
        claimed_at=place.ws.now(),
        owner=owner,
    )


def test_what_is_no_collection_is_refused(place: Any, draw: Callable[..., bytes]) -> None:
    """Nothing there, nothing in it, the project's own pictures, a list that is none: said before anything is done."""
    with pytest.raises(UserError, match="there is nothing at"):
        place.survey(str(place.old / "nowhere"))
    with pytest.raises(UserError, match="holds no pictures"):
        place.survey()
    place.keep("x.txt", "x")
    with pytest.raises(UserError, match="is no list"):
        place.survey(str(place.old / "x.txt"))
    with pytest.raises(InvalidInput, match="is no JSON"):
        place.survey(str(place.keep("x.json", "[{]")))
    with pytest.raises(UserError, match="asset storage"):
        place.survey(str(place.root))


def test_nothing_is_begun_that_would_not_fit(place: Any, draw: Callable[..., bytes]) -> None:
    """The free space of the settings is left untouched."""
    place.keep("a.png", draw("red"))
    greedy = type(place)(place.root, place.old, {"IDEOFLOW_STORAGE__RESERVE_MB": "900000000"})
    with pytest.raises(Unfinished, match="make room"):
        greedy.apply()
    assert place.rows() == []
