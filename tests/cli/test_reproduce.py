"""The reproduce verb: what is said beforehand, what is bought, and how new and old find each other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flows.history import view
from flows.history.events import Event
from flows.history.standing import current, events
from flows.ids import sha256
from flows.manifest.variant import fingerprint
from flows.reproduction.repetition import requested
from flows.workspace import open_workspace

MANIFEST = """\
version: 1
brand: helio
defaults: {campaign: summer}
prompts:
  - {id: tile, prompt: "Seamless citrus pattern", model: ideogram-3, options: {negative_prompt: people}, tags: [a, b]}
  - {id: sea, prompt: "A calm sea at dusk", model: ideogram-4-5, aspect_ratio: 16:9, seeds: [7]}
  - {id: card, prompt: "A card", model: ideogram-4-6, options: {quality: low}}
  - {id: badge, prompt: "Round badge", model: V_2, edition: first}
"""


@pytest.fixture(scope="session")
def sold(new_project: Any) -> Path:
    """A project whose four images have been bought."""
    project = new_project()
    project.manifest(MANIFEST)
    project.buy()
    return Path(project.root)


@pytest.fixture
def bought(project: Any, sold: Path) -> Any:
    """A copy of it."""
    shutil.copytree(sold, project.root, dirs_exist_ok=True)
    return project


def rows(project: Any) -> dict[str, dict[str, Any]]:
    """The newest image of each prompt."""
    found = view.images(open_workspace(project.root, ()).parts).to_pylist()
    return {row["prompt_id"]: row for row in sorted(found, key=lambda row: str(row["image_id"]))}


def test_the_history_tells_the_whole_request(bought: Any) -> None:
    """From a row of any model alone the very variant comes back that was bought: the same fingerprint."""
    for row in rows(bought).values():
        assert fingerprint(requested(row), "sandbox") == row["fingerprint"]


def test_exactly_is_final_prompt_seed_and_no_magic(bought: Any, ideoflow: Any) -> None:
    """What the vendor documents as the way to the same picture: its final prompt, unreworded, and its seed."""
    for prompt_id, option in (("tile", "magic_prompt"), ("badge", "magic_prompt_option")):
        old = rows(bought)[prompt_id]
        said = ideoflow("reproduce", old["image_id"], "--exact", "--yes", "--json")
        assert said.code == 0, said
        told = json.loads(said.out)
        new = rows(bought)[prompt_id]
        assert told["images"] == [new["image_id"]]
        assert (new["prompt"], new["seed_asked"]) == (old["final_prompt"], old["seed"])
        assert json.loads(new["options"])[option].lower() == "off"
        assert new["edition"] == f"reproduce:{old['image_id']}"
        # Nothing was reworded on the way, and the seed that was asked for is the one that was used.
        assert (new["final_prompt"], new["seed"]) == (old["final_prompt"], old["seed"])
        kept = ("brand", "campaign", "tags", "variant", "model", "negative_prompt", "aspect_ratio", "cost_usd")
        assert {name: new[name] for name in kept} == {name: old[name] for name in kept}


def pixels(project: Any, row: dict[str, Any]) -> tuple[str, tuple[int, int], str]:
    """Mode, size, and a digest of the pixels of an image's file."""
    with Image.open(project.root / "data" / "images" / row["local_path"]) as picture:
        return picture.mode, picture.size, sha256(picture.tobytes())


@pytest.mark.parametrize("prompt_id", ["tile", "sea", "badge"])
def test_exactly_is_the_same_picture(bought: Any, ideoflow: Any, prompt_id: str) -> None:
    """The sandbox keeps the vendor's word: of each kind of API pixel for pixel; what is only asked again is another."""
    old = rows(bought)[prompt_id]
    assert old["final_prompt"] != old["prompt"], "it was reworded"
    assert ideoflow("reproduce", old["image_id"], "--exact", "--yes").code == 0
    exact = rows(bought)[prompt_id]
    assert exact["image_id"] != old["image_id"]
    assert pixels(bought, exact) == pixels(bought, old)
    if old["seed_asked"] is None:
        assert ideoflow("reproduce", old["image_id"], "--yes").code == 0
        assert pixels(bought, rows(bought)[prompt_id]) != pixels(bought, old)


def test_as_asked_sends_the_request_again(bought: Any, ideoflow: Any) -> None:
    """Without --exact prompt, options and seed are those of the request, whatever came back."""
    old = rows(bought)["sea"]
    assert ideoflow("reproduce", old["image_id"][-10:], "--yes").code == 0
    new = rows(bought)["sea"]
    asked = ("prompt", "options", "seed_asked", "aspect_ratio", "lettering", "model")
    assert new["image_id"] != old["image_id"]
    assert {name: new[name] for name in asked} == {name: old[name] for name in asked}


def test_new_and_old_are_linked(bought: Any, ideoflow: Any) -> None:
    """An event of the new image names the old one; the old one's row and file are as they were."""
    old = rows(bought)["tile"]
    picture = bought.root / "data" / "images" / old["local_path"]
    before = sha256(picture.read_bytes())
    assert ideoflow("reproduce", old["image_id"], "--yes").code == 0
    parts = open_workspace(bought.root, ()).parts
    new = rows(bought)["tile"]
    [event] = events(parts, kinds=[Event.REPRODUCED]).to_pylist()
    assert (event["image_id"], event["fingerprint"]) == (new["image_id"], new["fingerprint"])
    assert json.loads(event["details"]) == {"from": old["image_id"], "exact": False}
    [again] = [row for row in current(parts).to_pylist() if row["image_id"] == old["image_id"]]
    assert {name: again[name] for name in old} == old
    assert again["state"] == "kept"
    assert sha256(picture.read_bytes()) == before


@pytest.mark.slow
def test_each_time_is_one_more_and_count_is_in_all(bought: Any, ideoflow: Any) -> None:
    """Asked twice, two are made; `--count` says how many there shall be, however often it is said."""
    name = rows(bought)["tile"]["image_id"]
    bills = []
    for argv in ([], [], ["--count", "3"], ["--count", "3"], ["--count", "2"]):
        said = ideoflow("reproduce", name, "--yes", *argv)
        assert said.code == 0, said
        bills.append(bought.billed() - 4)
    assert bills == [1, 2, 3, 3, 3]
    assert "nothing to buy" in said.out


def test_every_exact_one_has_the_seed(bought: Any, ideoflow: Any) -> None:
    """Also where the settings ask for several images in one request."""
    bought.settings("api: {images_per_request: 4}\n", "several")
    old = rows(bought)["tile"]
    argv = ["--exact", "--count", "3", "--yes", "--config", "several"]
    assert ideoflow("reproduce", old["image_id"], *argv).code == 0
    found = view.images(open_workspace(bought.root, ()).parts).to_pylist()
    seeds = [row["seed"] for row in found if row["edition"] == f"reproduce:{old['image_id']}"]
    assert seeds == [old["seed"]] * 3


def test_it_asks_and_says_what_can_differ(bought: Any, ideoflow: Any) -> None:
    """Without --yes nothing is bought off a terminal; the price, and every way it can come out otherwise, are told."""
    for prompt_id, exact, says in (
        ("tile", False, ["magic prompt is auto", "the vendor picks a new one"]),
        ("tile", True, ["does not promise that a seed"]),
        ("card", True, ["nothing is known that turns magic prompt off on ideogram-4-6"]),
        ("card", False, ["ideogram-4-6 may reword"]),
        ("sea", False, ["magic prompt is auto", "does not promise that a seed"]),
    ):
        argv = [rows(bought)[prompt_id]["image_id"], *(["--exact"] if exact else [])]
        said = ideoflow("reproduce", *argv)
        assert said.code == 2
        assert "say --yes" in said.err
        shown = ideoflow("reproduce", *argv, "--dry-run")
        assert shown.code == 0
        for words in says:
            assert words in shown.out, (prompt_id, exact)
        assert "$0." in shown.out
        told = json.loads(ideoflow("reproduce", *argv, "--dry-run", "--json").out)
        assert told["buy"] == 1
    assert bought.billed() == 4


def test_another_api_is_another_picture(bought: Any, ideoflow: Any) -> None:
    """What the sandbox made would now be made by somebody else: said before it is paid for."""
    bought.settings("api: {base_url: https://api.example}\n", "other")
    shown = ideoflow("reproduce", rows(bought)["tile"]["image_id"], "--exact", "--dry-run", "--config", "other")
    assert "it was made by sandbox, and would now be made by api.example" in shown.out


def test_a_cap_holds(bought: Any, ideoflow: Any) -> None:
    """A reproduction is a purchase like any other: a cap of the budget leaves it out."""
    bought.settings("budget: {per_run_usd: 0.01}\n")
    said = ideoflow("reproduce", rows(bought)["tile"]["image_id"], "--yes")
    assert said.code == 4
    assert "per_run_usd" in said.out
    assert bought.billed() == 4


def test_what_was_never_wanted_by_a_manifest_has_not_left_it(bought: Any, ideoflow: Any) -> None:
    """The next plan buys nothing, and does not call the reproduction an orphan."""
    assert ideoflow("reproduce", rows(bought)["tile"]["image_id"], "--yes").code == 0
    told = json.loads(ideoflow("plan", "--json").out)
    assert (told["buy"], told["departed"]) == (0, {})


def test_a_lost_answer_is_not_bought_again(bought: Any, ideoflow: Any) -> None:
    """In doubt, asking again buys nothing and says who can settle it."""
    name = rows(bought)["tile"]["image_id"]
    bought.faults({"match": {"kind": "post"}, "fault": "lost_ack"})
    assert bought.spawn("reproduce", name, "--yes").code == 4
    billed = bought.billed()
    for _ in range(2):
        said = ideoflow("reproduce", name, "--yes")
        assert said.code == 4, said
        assert "ideoflow recover" in said.out
    assert bought.billed() == billed


@pytest.mark.parametrize(
    ("name", "says"),
    [("zzzzzz", "no image of the history"), ("0", "too short"), ("019", "too short"), ("-0", "too short")],
)
def test_an_unknown_name_is_refused(bought: Any, ideoflow: Any, name: str, says: str) -> None:
    """With a sentence, before anything else."""
    said = ideoflow("reproduce", "--yes", "--", name)
    assert said.code == 2
    assert says in said.err


def test_a_name_that_could_be_several_is_refused(bought: Any, ideoflow: Any) -> None:
    """All ids of a minute begin alike."""
    said = ideoflow("reproduce", rows(bought)["tile"]["image_id"][:5], "--yes")
    assert said.code == 2
    assert "could be 4 images" in said.err
