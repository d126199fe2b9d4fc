"""Several runs at once on one manifest: what all of them want is bought once."""

from __future__ import annotations

from typing import Any

import pytest


def together(place: Any, runs: int, wanted: int, images: tuple[int, ...] = (1, 1, 1)) -> None:
    """Start so many runs at the same moment; none is killed, so every image is bought exactly once."""
    started = []
    for number in range(runs):
        place.settings = {"IDEOFLOW_API__IMAGES_PER_REQUEST": str(images[number])}
        started.append(place.start())
    told = [run.wait() for run in started]
    for one in told:
        assert one["exit"] == 0, told
        assert "in doubt" not in one["counts"]
    assert sum(one["counts"].get("stored", 0) for one in told) == wanted
    assert place.billed() == wanted
    # A sealer that found the lock taken leaves its last entries to the next run.
    final = place.run()
    assert (final["exit"], final["bought"], place.billed()) == (0, 0, wanted)
    place.audit(wanted=wanted)
    voids = place.raw("requests")["outcome"].eq("void").sum()
    print(f"{runs} runs, {wanted} images, {voids} requests turned away or overtaken")


@pytest.mark.parametrize("images", [(1, 1, 1), (1, 4, 2)])
def test_three_runs_at_once_buy_everything_once(place: Any, images: tuple[int, ...]) -> None:
    """Three processes, one journal, also with different images_per_request."""
    together(place, 3, place.manifest(3, count=8), images)


@pytest.mark.parametrize("sandbox", [0.15], indirect=True)
def test_runs_that_take_each_others_places_buy_everything_once(place: Any) -> None:
    """Both want all ten places, so many requests are turned away: each is wanted again once, and seldom made."""
    together(place, 2, place.manifest(3, count=16))
    turned_away = place.sandbox.stats()["rejected_in_flight"]
    assert 0 < turned_away <= 30, turned_away


def test_requests_of_mixed_size_fill_the_places_and_never_more(place: Any) -> None:
    """Up to four images a request: never more than ten in progress, and at most one 429, by the API's own count."""
    prompts = "".join(f'  - {{id: p{n}, prompt: "Bottle {n}", count: {1 + n % 9}}}\n' for n in range(18))
    place.write(f"version: 1\ndefaults: {{model: ideogram-3}}\nprompts:\n{prompts}")
    place.settings = {"IDEOFLOW_API__IMAGES_PER_REQUEST": "4"}
    assert place.run()["exit"] == 0
    stats = place.sandbox.stats()
    assert stats["peak_in_flight_images"] <= 10
    assert stats["rejected_in_flight"] <= 1
    assert stats["ignored_fields"] == {}
    assert stats["keys_sent_to_image_host"] == 0
    place.audit(wanted=90)


@pytest.mark.parametrize("count", [12])
def test_two_runs_fight_for_one_picture_after_the_other(place: Any, count: int) -> None:
    """All claims are for one fingerprint: every number is taken once."""
    together(place, 2, place.manifest(1, count=count))


@pytest.mark.s3
@pytest.mark.slow
@pytest.mark.parametrize("images", [(1, 1, 1), (1, 4, 2)])
def test_runs_at_once_over_s3(bucket_place: Any, images: tuple[int, ...]) -> None:
    """The same in a bucket."""
    together(bucket_place, 2, bucket_place.manifest(2, count=4), images)


@pytest.mark.s3
@pytest.mark.slow
def test_three_runs_at_once_over_s3(bucket_place: Any) -> None:
    """Three processes, thirty images."""
    together(bucket_place, 3, bucket_place.manifest(3, count=10), (1, 2, 1))


@pytest.mark.slow
@pytest.mark.parametrize("take", range(5))
def test_three_runs_at_once_again_and_again(place: Any, take: int) -> None:
    """Races are rare: more of them."""
    together(place, 3, place.manifest(2, count=20), (1, 2, 4) if take % 2 else (1, 1, 1))
