"""Answers as documented, as observed, and as nobody should ever send them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ideogram.answers import (
    Accepted,
    Decline,
    Declined,
    Delivered,
    Doubtful,
    Failed,
    ImageAnswer,
    Missing,
    Pending,
    Poll,
    Submission,
    read_poll,
    read_submission,
)
from flows.ideogram.catalogue import CATALOGUE, Endpoint

V45, V3, V2 = CATALOGUE["ideogram-4-5"], CATALOGUE["ideogram-3"], CATALOGUE["V_2"]
LINK = "https://ideogram.ai/api/images/ephemeral/abc.png?exp=1800000000&sig=00ff"
IMAGE = {"url": LINK, "prompt": "a poster", "resolution": "2048x2048", "is_image_safe": True, "seed": 12345}
WITHHELD = {"url": None, "prompt": "a poster", "resolution": "2048x2048", "is_image_safe": False, "seed": 7}


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_the_legacy_route_delivers_at_once() -> None:
    """`created` and `data[]` as documented, every field kept, extra ones ignored."""
    image = IMAGE | {"style_type": "REALISTIC", "upscaled_resolution": "4096x4096", "surprise": [1]}
    answer = body({"created": "2000-01-23T06:56:07+02:00", "data": [image], "notice": "use v2"})
    assert read_submission(V2, 200, answer) == Delivered(
        images=(
            ImageAnswer(
                index=0,
                url=LINK,
                is_image_safe=True,
                prompt="a poster",
                resolution="2048x2048",
                upscaled_resolution="4096x4096",
                seed=12345,
                style_type="REALISTIC",
            ),
        ),
        created=datetime(2000, 1, 23, 4, 56, 7, tzinfo=UTC),
    )


@pytest.mark.parametrize("endpoint", [V45, V3])
@pytest.mark.parametrize(
    "extra", [{}, {"data": None}, {"data": []}, {"status": "pending"}, {"status": "pending", "data": [IMAGE]}]
)
def test_an_async_submission_is_accepted_with_an_id(endpoint: Endpoint, extra: dict[str, Any]) -> None:
    """Whatever stands beside the id, as long as nothing is delivered yet."""
    answer = {"generation_id": "g-1", "generation_kind": "sampling", "seed": 9} | extra
    assert read_submission(endpoint, 200, body(answer)) == Accepted("g-1")
    assert read_submission(endpoint, 202, body(answer)) == Accepted("g-1")


def test_an_async_endpoint_that_answers_with_images_has_delivered() -> None:
    """Should `async` ever be ignored, what was paid for is taken."""
    answer = read_submission(V45, 200, body({"generation_id": "g-1", "data": [IMAGE, WITHHELD]}))
    assert isinstance(answer, Delivered)
    assert answer.generation_id == "g-1"
    assert [image.url for image in answer.images] == [LINK, None]
    assert [image.index for image in answer.images] == [0, 1]


@pytest.mark.parametrize("url", [None, "", 5, {}])
def test_a_withheld_image_has_no_link_and_is_still_an_image(url: Any) -> None:
    """It is billed, so it is counted; absent, null and empty links are the same."""
    answer = read_submission(V2, 200, body({"created": "x", "data": [WITHHELD | {"url": url}]}))
    assert isinstance(answer, Delivered)
    assert answer.images[0].url is None
    assert answer.images[0].is_image_safe is False
    assert answer.created is None


def test_an_empty_delivery_of_a_synchronous_route_is_a_delivery() -> None:
    """Nothing came, but it ran: the images are missing, not unsent."""
    assert read_submission(V2, 200, body({"created": "2026-11-22T00:00:00Z", "data": []})) == Delivered(
        images=(), created=datetime(2026, 11, 22, tzinfo=UTC)
    )


@pytest.mark.parametrize("endpoint", CATALOGUE.values(), ids=CATALOGUE)
@pytest.mark.parametrize(
    ("status", "decline"),
    [
        (400, Decline.INVALID),
        (401, Decline.KEY),
        (402, Decline.FUNDS),
        (403, Decline.FORBIDDEN),
        (404, Decline.INVALID),
        (413, Decline.INVALID),
        (422, Decline.UNSAFE),
        (429, Decline.BUSY),
        (499, Decline.INVALID),
    ],
)
def test_every_4xx_is_declined_whatever_its_body(endpoint: Endpoint, status: int, decline: Decline) -> None:
    """The status decides, because some bodies are empty, HTML, or of another shape."""
    for raw in (b"", b"<html>", b"[]", b"null", b'{"data": []}', b"\xff\xfe"):
        answer = read_submission(endpoint, status, raw)
        assert isinstance(answer, Declined)
        assert (answer.decline, answer.status) == (decline, status)
        assert answer.message == f"HTTP {status}"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"error": " Prompt provided failed safety check. "}, "Prompt provided failed safety check."),
        ({"message": "Access denied."}, "Access denied."),
        (
            {"type": "about:blank", "title": "Bad", "detail": "seed: too large", "status": 400},
            "seed: too large",
        ),
        ({"title": "Bad"}, "Bad"),
        ({"error": {"code": 1}, "message": "nested"}, "nested"),
        ({"error": "x" * 9000}, "x" * 500),
        ({"error": "  "}, "HTTP 400"),
    ],
)
def test_the_human_words_of_an_error_are_found(raw: dict[str, Any], words: str) -> None:
    """In `error`, `message` or a problem document; bounded."""
    answer = read_submission(V45, 400, body(raw))
    assert isinstance(answer, Declined)
    assert answer.message == words


def test_a_busy_answer_tells_the_limit() -> None:
    """`inflight_limit` with `max_inflight_requests`, as documented for a POST."""
    raw = {"error": "Too many", "reject_reason": "inflight_limit", "max_inflight_requests": 10}
    assert read_submission(V45, 429, body(raw)) == Declined(
        Decline.BUSY, 429, "Too many", reject_reason="inflight_limit", max_inflight=10
    )
    odd = read_submission(V45, 429, body({"max_inflight_requests": True, "reject_reason": 5}))
    assert isinstance(odd, Declined)
    assert (odd.max_inflight, odd.reject_reason) == (None, None)


@pytest.mark.parametrize("endpoint", [V45, V2])
@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (500, b'{"error": "x"}'),
        (503, b""),
        (302, b""),
        (101, b""),
        (600, b""),
        (200, b""),
        (200, b"<html>"),
        (200, b"null"),
        (200, b"[]"),
        (200, b'"g"'),
        (200, b"{}"),
        (200, b'{"generation_id": ""}'),
        (200, b'{"generation_id": 5}'),
        (200, b'{"data": {"url": "x"}}'),
        (200, b'{"generation_id": "g'),
        (204, b""),
        (200, b"[" * 100_000),
        (200, b'{"a":' * 100_000),
        (200, b"\xff\xfe\x00"),
    ],
)
def test_what_does_not_say_whether_it_ran_is_doubtful(endpoint: Endpoint, status: int, raw: bytes) -> None:
    """Never "not billed" by guess."""
    assert isinstance(read_submission(endpoint, status, raw), Doubtful)


def test_a_generation_id_on_a_synchronous_route_is_no_delivery() -> None:
    """The legacy route has nothing to poll, so an id alone settles nothing."""
    assert isinstance(read_submission(V2, 200, body({"generation_id": "g"})), Doubtful)


@pytest.mark.parametrize(
    ("reason", "policy"),
    [
        ("content_policy_violation", True),
        ("Copyright detected", True),
        ("unsafe", True),
        ("internal_error", False),
        (None, False),
        (5, False),
    ],
)
def test_a_failed_job_says_whether_the_prompt_is_to_blame(reason: Any, policy: bool) -> None:
    """The same from a poll and from a submission."""
    raw = body({"generation_id": "g", "status": "failed", "failure_reason": reason})
    for answer in (read_poll(200, raw), read_submission(V45, 200, raw)):
        assert isinstance(answer, Failed)
        assert answer.policy is policy
        assert answer.reason == (reason if isinstance(reason, str) else "no reason given")


def test_a_poll_goes_from_pending_to_delivered() -> None:
    """With the id, the time and, for models priced by use, the exact cost."""
    assert read_poll(200, body({"generation_id": "g", "status": "pending"})) == Pending()
    done = {
        "generation_id": "g",
        "status": "completed",
        "created": "2026-11-22T10:00:00Z",
        "response_type": "url",
        "data": [IMAGE | {"object_type": "image.generation"}],
        "usage_cost_usd_micros": 60_000,
    }
    answer = read_poll(200, body(done))
    assert isinstance(answer, Delivered)
    assert (answer.generation_id, answer.cost_micros) == ("g", 60_000)
    assert answer.created == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert answer.images[0].url == LINK


def test_an_unknown_generation_is_missing() -> None:
    """With the API's own words, or ours."""
    assert read_poll(404, body({"title": "Not found"})) == Missing("Not found")
    assert read_poll(404, b"<html>") == Missing("the API knows no such generation")


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"status": "completed"}'),
        (200, b'{"status": "queued"}'),
        (200, b'{"status": ["failed"]}'),
        (201, b'{"data": []}'),
        (302, b""),
        (401, b""),
        (500, b""),
    ],
)
def test_a_poll_that_says_nothing_is_doubtful(status: int, raw: bytes) -> None:
    """Ask again; nothing is concluded."""
    assert isinstance(read_poll(status, raw), Doubtful)


@pytest.mark.parametrize("created", [None, 5, "", "yesterday", "2026-11-22T10:00:00", [], "0001-01-01T00:00:00+14:00"])
def test_an_unreadable_time_is_no_time(created: Any) -> None:
    """Neither a crash nor a time without a zone."""
    answer = read_poll(200, body({"created": created, "data": []}))
    assert isinstance(answer, Delivered)
    assert answer.created is None


def test_half_a_surrogate_pair_does_not_spoil_a_paid_answer() -> None:
    """JSON can spell what no file can hold."""
    raw = b'{"generation_id": "g\\ud800", "data": [{"prompt": "a \\udc00 b", "url": "https://x/\\ud800"}]}'
    answer = read_poll(200, raw)
    assert isinstance(answer, Delivered)
    assert answer.generation_id == "g?"
    assert answer.images[0].prompt == "a ? b"
    assert read_submission(V45, 200, b'{"generation_id": "g\\ud800"}') == Accepted("g?")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, -(2**63) - 1, 10**400]),
    st.floats(),
    st.text(max_size=20),
    st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3),
    st.sampled_from(["pending", "completed", "failed", LINK, "1024x1024", "2026-11-22T10:00:00Z"]),
)
KEYS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(
        """
        data status generation_id created failure_reason usage_cost_usd_micros error message detail title
        reject_reason max_inflight_requests url prompt resolution upscaled_resolution is_image_safe seed
        style_type
        """.split()
    ),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
ITEMS = st.lists(st.dictionaries(KEYS, JSON, max_size=8) | JSON, max_size=5)
OBJECTS = st.builds(
    lambda rest, data, status: rest | {"data": data, "status": status},
    st.dictionaries(KEYS, JSON, max_size=8),
    ITEMS | JSON,
    SCALARS,
)
BODIES = st.one_of(
    st.binary(max_size=200),
    (OBJECTS | JSON).map(lambda value: json.dumps(value).encode()),
    OBJECTS.map(lambda value: json.dumps(value).encode("utf-16")),
)


def _texts_and_numbers(value: Any) -> list[Any]:
    fields = vars(value).values() if hasattr(value, "__dict__") else []
    found: list[Any] = []
    for item in fields:
        found += [each for image in item for each in _texts_and_numbers(image)] if isinstance(item, tuple) else [item]
    return found


@given(st.sampled_from(list(CATALOGUE.values())), st.integers(100, 699), BODIES)
def test_no_body_makes_the_reading_fail(endpoint: Endpoint, status: int, raw: bytes) -> None:
    """Any bytes under any status are one of the known outcomes, and what is kept fits into a file."""
    for chosen in (status, 200):
        submitted, polled = read_submission(endpoint, chosen, raw), read_poll(chosen, raw)
        assert isinstance(submitted, get_args(Submission))
        assert isinstance(polled, get_args(Poll))
        for value in _texts_and_numbers(submitted) + _texts_and_numbers(polled):
            if isinstance(value, str):
                value.encode()
            if isinstance(value, int):
                assert -(2**63) <= value < 2**63


@given(st.sampled_from(list(CATALOGUE.values())), BODIES)
def test_the_same_answer_is_read_the_same_a_day_later(endpoint: Endpoint, raw: bytes) -> None:
    """Pure: the journal's finisher and the process that received it agree."""
    assert read_submission(endpoint, 200, raw) == read_submission(endpoint, 200, bytes(raw))


@given(st.integers(500, 599), BODIES)
def test_a_server_error_never_proves_that_nothing_ran(status: int, raw: bytes) -> None:
    """5xx is doubt, whatever the body claims."""
    for endpoint in (V45, V2):
        assert isinstance(read_submission(endpoint, status, raw), Doubtful)
