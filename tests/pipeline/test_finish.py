"""From an answer to an end: following the job, bringing its images home, and whose end stands."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from flows.errors import BadImage, LinkDead, Unavailable
from flows.history.records import End, ImageStatus, Outcome, Step
from flows.pipeline.buy import buy
from flows.pipeline.doubt import given_up, written_off
from flows.pipeline.finish import Unfinished, finish
from flows.pipeline.run import run

EXP = datetime.fromtimestamp(1_900_000_000, tz=UTC)


def bought(world: Any, kit: Any = None, images: int = 1, **item: Any) -> Any:
    work = buy(kit or world.kit(), world.item(images, **item), images)
    return asyncio.run(asyncio.wait_for(work, 30))[1]


def dead(world: Any, *, by: float = 0, status: int = 403) -> LinkDead:
    """The image host refuses the link, `by` seconds after it expired by its own clock."""
    return LinkDead("the host answers HTTP 403", status=status, server_time=EXP.timestamp() + by)


class TestFollowing:
    """Polling is free, so it is patient."""

    def test_what_passes_is_waited_out(self, world: Any, reply: Any) -> None:
        """Pending, unreachable, unknown, HTML: asked again, with growing pauses."""
        world.api.polls = [
            reply(status="pending"),
            Unavailable("away"),
            reply(404),
            replace(reply(), body=b"<html>"),
        ]
        assert bought(world).outcome is Outcome.COMPLETED
        assert len(world.api.polled) == 5
        assert world.clock.slept == sorted(world.clock.slept)

    def test_a_job_that_takes_too_long_is_left_to_the_next_run(self, world: Any, reply: Any) -> None:
        """Unfinished, not in doubt: its id is on record."""
        world.api.polls = [reply(status="pending")] * 1000
        result = bought(world, world.kit(job_s=60))
        assert isinstance(result, Unfinished)
        assert not result.doubt
        assert "g1" in result.why
        assert world.journal() == ["0.ack", "0.claim"]

    def test_a_job_that_is_unknown_after_a_day_is_in_doubt(self, world: Any, reply: Any) -> None:
        """With its id, for a person to look after."""

        def next_day() -> Any:
            world.clock.forward(25 * 3600)
            return reply(404)

        world.api.polls = [next_day]
        result = bought(world)
        assert result.doubt
        assert "g1" in result.why


class TestFetching:
    """Each image verified, stored once, lost only when that is sure."""

    def test_damage_on_the_way_is_fetched_again(self, world: Any, picture: Any) -> None:
        """Cut short, other than promised, no picture at all: then the true bytes."""
        whole = picture()
        world.api.downloads = [BadImage("incomplete"), whole[: len(whole) // 2], b"<html>"]
        (image,) = bought(world).images
        assert (image.status, image.flaw) == (ImageStatus.STORED, None)
        assert world.assets.inner.read(image.local_path) == whole

    def test_damage_that_is_always_the_same_is_how_the_picture_is(self, world: Any, picture: Any) -> None:
        """The very same flawed bytes twice: kept as they came, and said."""
        world.api.downloads = [picture((32, 32))] * 2
        (image,) = bought(world).images
        assert image.status is ImageStatus.STORED
        assert image.flaw
        assert (image.width, image.height) == (32, 32)

    def test_damage_that_is_always_different_is_not_kept(self, world: Any, picture: Any) -> None:
        """Something on the way spoils it: the next run fetches it."""
        world.api.downloads = [picture((32, 32), n) for n in range(4)]
        result = bought(world)
        assert isinstance(result, Unfinished)
        assert not result.doubt
        assert world.pictures() == []
        assert world.journal() == ["0.ack", "0.claim"]

    def test_what_is_no_picture_is_not_kept(self, world: Any) -> None:
        """Even if it is always the same page."""
        world.api.downloads = [b"<html>"] * 4
        assert isinstance(bought(world), Unfinished)
        assert world.pictures() == []

    def test_a_dead_link_is_asked_for_anew(self, world: Any) -> None:
        """The API signs another one: nothing is lost."""
        world.api.downloads = [dead(world, by=100)]
        world.api.polls = [None, lambda: world.api.delivery(world.api.links("g1", "-fresh"))]
        world.api.polls[0] = lambda: world.api.delivery(world.api.links("g1"))
        (image,) = bought(world).images
        assert image.status is ImageStatus.STORED
        assert "fresh" in world.api.fetched[-1]

    def test_lost_needs_a_dead_link_an_expiry_and_an_answer_without_another(self, world: Any) -> None:
        """All three: then it is lost, with the link's address and no signature."""
        world.api.downloads = [dead(world, by=1)]
        end = bought(world)
        (image,) = end.images
        assert image.status is ImageStatus.LOST
        assert image.url.endswith("sig=***")
        assert image.expires_at == EXP
        assert len(world.api.polled) == 2

    @pytest.mark.parametrize("missing", ["expiry", "date", "poll", "page"])
    def test_one_of_the_three_missing_is_not_lost(self, world: Any, reply: Any, missing: str) -> None:
        """Before its time, a host without a clock, or an API that cannot be asked."""
        error = dead(world, by=-1 if missing == "expiry" else 1)
        if missing == "date":
            error = LinkDead("gone", status=410)
        world.api.downloads = [error]
        first = lambda: world.api.delivery(world.api.links("g1"))  # noqa: E731  a script's step
        if missing == "poll":
            world.api.polls = [first, Unavailable("away")]
        if missing == "page":
            world.api.polls = [first, replace(reply(), body=b"<html>")]
        result = bought(world)
        assert isinstance(result, Unfinished), result
        assert world.journal() == ["0.ack", "0.claim"]

    def test_the_synchronous_endpoint_cannot_be_asked_again(self, world: Any) -> None:
        """There its answer was all there is: dead and past its expiry is lost."""
        world.api.downloads = [dead(world, by=1)]
        (image,) = bought(world, model="V_2").images
        assert image.status is ImageStatus.LOST

    def test_a_stored_picture_is_adopted_and_not_fetched_again(self, world: Any) -> None:
        """An earlier process stored picture and record and died before the end."""
        world.history.broken = lambda op, path: op == "create" and path.endswith(".end")
        bought(world, world.kit(record_patience_s=0))
        assert len(world.api.fetched) == 1
        (stored,) = world.pictures()
        world.history.broken = lambda _op, _path: False
        (entry,) = world.book().live
        kit = world.kit()
        end: Any = asyncio.run(finish(kit, entry, entry.ack, kit.governor.occupy(1)))
        assert len(world.api.fetched) == 1
        assert end.images[0].local_path == stored
        assert world.pictures() == [stored]

    def test_a_stored_picture_whose_bytes_changed_is_fetched_again(self, world: Any, picture: Any) -> None:
        """Its record says another digest: trust is not enough."""
        world.history.broken = lambda op, path: op == "create" and path.endswith(".end")
        bought(world, world.kit(record_patience_s=0))
        world.history.broken = lambda _op, _path: False
        (stored,) = world.pictures()
        world.assets.inner.write(stored, b"half")
        (entry,) = world.book().live
        kit = world.kit()
        asyncio.run(finish(kit, entry, entry.ack, kit.governor.occupy(1)))
        assert world.assets.inner.read(stored) == picture()

    def test_a_picture_without_its_record_is_written_again(self, world: Any) -> None:
        """Died between the picture and the record beside it: same name, same bytes, one file."""
        world.assets.broken = lambda op, path: op == "write" and path.endswith(".json")
        assert isinstance(bought(world), Unfinished)
        world.assets.broken = lambda _op, _path: False
        (entry,) = world.book().live
        kit = world.kit()
        asyncio.run(finish(kit, entry, entry.ack, kit.governor.occupy(1)))
        assert len(world.pictures()) == 1

    def test_storage_that_takes_no_pictures_stops_the_buying(self, world: Any) -> None:
        """What is paid for is unfinished; nothing more is bought that could not be kept."""
        kit = world.kit()
        world.assets.broken = lambda op, _path: op == "write"
        result = bought(world, kit)
        assert isinstance(result, Unfinished)
        assert not result.doubt
        assert "pictures cannot be stored" in kit.stop.reason

    def test_no_room_for_the_download_itself_is_told_as_such(self, world: Any) -> None:
        """The temporary folder is full: words and a stop, no traceback."""
        kit = world.kit()
        world.api.downloads = [OSError(28, "No space left on device")]
        result = bought(world, kit)
        assert isinstance(result, Unfinished)
        assert "could not keep a download" in result.why
        assert kit.stop

    def test_beside_each_picture_lies_what_it_is(self, world: Any) -> None:
        """The record names prompt, model and digest, and holds no signature."""
        (image,) = bought(world).images
        text = world.assets.inner.read(image.local_path.rpartition(".")[0] + ".json").decode()
        record = json.loads(text)
        assert record["prompt"] == "a picture of hero"
        assert record["image"]["sha256"] == image.sha256
        assert "sig=s" not in text


class TestEnding:
    """A record for every billed image; of two ends the first stands."""

    def test_images_that_the_answer_does_not_mention_are_withheld(self, world: Any) -> None:
        """Three were billed, one came."""
        world.api.polls = [lambda: world.api.delivery(world.api.links("g0"))]
        images = bought(world, images=3).images
        assert [image.status for image in images] == [ImageStatus.STORED, ImageStatus.WITHHELD, ImageStatus.WITHHELD]
        assert [image.index for image in images] == [0, 1, 2]

    def test_withheld_images_have_no_file(self, world: Any) -> None:
        """Billed, no link, recorded."""
        world.api.polls = [lambda: world.api.delivery([{"url": None, "is_image_safe": False}])]
        (image,) = bought(world).images
        assert (image.status, image.is_image_safe, image.local_path) == (ImageStatus.WITHHELD, False, None)

    def test_the_first_end_stands(self, world: Any) -> None:
        """Two finish the same entry: the second reports what the first recorded."""
        end = bought(world)
        (entry,) = world.book().live
        kit = world.kit()
        world.clock.forward(60)
        again = asyncio.run(finish(kit, replace(entry, end=None), entry.ack, kit.governor.occupy(1)))
        assert again == end

    @pytest.mark.parametrize("verdict", [given_up, written_off])
    def test_an_answer_after_a_verdict_is_finished_beside_it(self, world: Any, verdict: Any) -> None:
        """The verdict was recorded while the answer was on its way: the true end goes beside it, counted once."""
        kit = world.kit()
        item = world.item(2)

        def decide() -> None:
            (entry,) = world.book().live
            kit.journal.put(entry.fingerprint, entry.n, Step.END, verdict(entry.claim, None, world.clock.now, "lost"))

        world.api.submits = [decide]
        end: Any = asyncio.run(buy(kit, item, 2))[1]
        assert world.journal() == ["0.ack", "0.amend", "0.claim", "0.end"]
        assert world.book(item.fingerprint).of(item.fingerprint).counted == 2
        assert end.outcome is Outcome.COMPLETED
        asyncio.run(run(world.kit(), world.plan()))
        assert world.journal() == []
        assert [row["status"] for row in world.rows("images")] == ["stored", "stored"]
        assert "after it had been" in end.reason

    def test_a_picture_that_links_nowhere_does_not_lose_the_others(self, world: Any) -> None:
        """One of two links is refused: one is stored already, and found there by the next run."""
        world.api.downloads = [Unavailable("the link is refused")] * 4
        kit = world.kit(download_tries=4)
        result = bought(world, kit, images=2)
        assert isinstance(result, (Unfinished, End))
        if isinstance(result, Unfinished):
            (entry,) = world.book().live
            again = world.kit()
            end = asyncio.run(finish(again, entry, entry.ack, again.governor.occupy(2)))
            assert isinstance(end, End)
        assert len(world.pictures()) == 2
