"""Every fault over real HTTP: what the client sees, and what was billed all the same."""

from __future__ import annotations

import io
import time
from typing import Any

import httpx
import pytest
from PIL import Image

from flows.sandbox.handle import IdeogramSandbox

V3 = "/v2/image/generate/ideogram-3"
LEGACY = {"image_request": {"prompt": "x", "model": "V_2"}}


def submit(api: httpx.Client) -> httpx.Response:
    return api.post(V3, json={"prompt": "x", "async": True})


def finished(api: httpx.Client, generation_id: str) -> dict[str, Any]:
    while True:
        told: dict[str, Any] = api.get(f"/v2/generations/{generation_id}").json()
        if told["status"] != "pending":
            return told


def accepted(sandbox: IdeogramSandbox) -> int:
    return len(sandbox.ledger()["requests"])


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("429", 429, "inflight_limit"),
        ("402", 402, "insufficient_funds"),
        ("401", 401, None),
        ("403", 403, None),
        ("500_before", 500, None),
    ],
)
def test_faults_before_the_run_bill_nothing(
    quick: IdeogramSandbox, api: httpx.Client, fault: str, status: int, reason: str | None
) -> None:
    """Turned away as documented, nothing in the ledger, and fine the next time."""
    quick.set_faults({"fault": fault, "match": {"kind": "post"}, "count": 1})
    response = submit(api)
    assert response.status_code == status
    assert response.json().get("reject_reason") == reason
    assert "retry-after" not in response.headers
    assert accepted(quick) == 0
    assert submit(api).status_code == 200
    assert accepted(quick) == 1


def test_a_429_says_how_many_places_there_are(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """The body of a 429 tells the limit."""
    quick.set_faults({"fault": "429"})
    assert submit(api).json()["max_inflight_requests"] == 10


@pytest.mark.parametrize(("fault", "status"), [("500_after", 500), ("html_200", 200), ("empty_200", 200)])
@pytest.mark.parametrize("legacy", [True, False])
def test_faults_after_the_run_are_billed(
    quick: IdeogramSandbox, api: httpx.Client, fault: str, status: int, *, legacy: bool
) -> None:
    """The answer does not say so, but the work ran and is charged; the ledger says nobody was told."""
    quick.set_faults({"fault": fault, "match": {"kind": "post"}})
    response = api.post("/generate", json=LEGACY) if legacy else api.post(V3, json={"prompt": "x"})
    assert response.status_code == status
    [entry] = quick.ledger()["requests"]
    assert (entry["billed"], entry["acknowledged"]) == (True, False)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_lost_acknowledgement_is_billed(quick: IdeogramSandbox, api: httpx.Client, *, legacy: bool) -> None:
    """The connection closes without a byte, and the work is charged."""
    quick.set_faults({"fault": "lost_ack", "match": {"kind": "post"}})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        api.post("/generate", json=LEGACY) if legacy else api.post(V3, json={"prompt": "x"})
    [entry] = quick.ledger()["requests"]
    assert (entry["billed"], entry["acknowledged"]) == (True, False)


def test_a_client_that_gives_up_is_billed(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """A synchronous request whose client times out goes on, and is charged when done."""
    quick.set_faults({"fault": "slow", "delay_s": 30, "match": {"kind": "post"}})
    with pytest.raises(httpx.ReadTimeout):
        api.post("/generate", json=LEGACY, timeout=0.2)
    [entry] = quick.ledger()["requests"]
    assert (entry["billed"], entry["acknowledged"]) == (True, False)


def test_a_slow_answer_is_still_an_answer(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """``slow`` holds the answer back for its delay."""
    quick.set_faults({"fault": "slow", "delay_s": 0.3, "match": {"kind": "post"}})
    began = time.monotonic()
    assert submit(api).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_job_can_fail_for_no_fault_of_the_prompt(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """``job_failed``: accepted, then failed, not billed."""
    quick.set_faults({"fault": "job_failed", "match": {"kind": "post"}})
    told = finished(api, submit(api).json()["generation_id"])
    assert (told["status"], told["failure_reason"]) == ("failed", "internal_error")
    assert quick.ledger()["billed_micros"] == 0


@pytest.mark.parametrize(
    ("fault", "status"),
    [("429_poll", 429), ("500_poll", 500), ("404_poll", 404), ("html_200", 200), ("empty_200", 200)],
)
def test_polls_can_go_wrong_and_right_again(quick: IdeogramSandbox, api: httpx.Client, fault: str, status: int) -> None:
    """A poll fails as scripted; only its 429 names a time to wait; the next poll is sound."""
    generation_id = submit(api).json()["generation_id"]
    quick.set_faults({"fault": fault, "match": {"kind": "poll"}, "count": 1, "retry_after_s": 7})
    response = api.get(f"/v2/generations/{generation_id}")
    assert response.status_code == status
    assert response.headers.get("retry-after") == ("7" if status == 429 else None)
    assert finished(api, generation_id)["status"] == "completed"


@pytest.fixture
def url(api: httpx.Client) -> str:
    answer = api.post(V3, json={"prompt": "x", "seed": 1}).json()
    return str(answer["data"][0]["url"])


@pytest.mark.parametrize(
    ("fault", "status"),
    [("expired", 403), ("403", 403), ("404", 404), ("redirect", 302), ("500", 500), ("html_200", 200)],
)
def test_downloads_can_be_refused(quick: IdeogramSandbox, api: httpx.Client, url: str, fault: str, status: int) -> None:
    """The image host refuses as scripted, and gives the picture the next time."""
    quick.set_faults({"fault": fault, "match": {"kind": "download"}, "count": 1})
    response = api.get(url)
    assert response.status_code == status
    assert not response.content.startswith(b"\x89PNG")
    assert api.get(url).content.startswith(b"\x89PNG")


def test_a_truncated_download_announces_more_than_it_sends(quick: IdeogramSandbox, api: httpx.Client, url: str) -> None:
    """Content-Length promises the whole picture; the connection ends half way."""
    quick.set_faults({"fault": "truncated", "count": 1})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        api.get(url)
    assert api.get(url).status_code == 200


def test_corrupt_downloads_are_damaged_differently_each_time(
    quick: IdeogramSandbox, api: httpx.Client, url: str
) -> None:
    """The length is right, the bytes are not, and never the same wrong way; the same plan repeats itself."""
    sound = api.get(url).content
    rule = {"fault": "corrupt", "count": 2, "seed": 3}
    quick.set_faults(rule)
    first, second, third = (api.get(url).content for _ in range(3))
    assert len(first) == len(second) == len(sound)
    assert len({first, second, sound}) == 3
    assert third == sound
    quick.set_faults(rule)
    assert api.get(url).content == first


def test_a_picture_of_the_wrong_size_is_sound(quick: IdeogramSandbox, api: httpx.Client, url: str) -> None:
    """``wrong_size`` decodes, but is not what the answer reported."""
    quick.set_faults({"fault": "wrong_size"})
    with Image.open(io.BytesIO(api.get(url).content)) as picture:
        picture.load()
        assert picture.size == (512, 512)


def test_a_slow_download_arrives_whole(quick: IdeogramSandbox, api: httpx.Client, url: str) -> None:
    """Half the bytes, the pause, the other half."""
    sound = api.get(url).content
    quick.set_faults({"fault": "slow", "match": {"kind": "download"}, "delay_s": 0.2})
    began = time.monotonic()
    assert api.get(url).content == sound
    assert time.monotonic() - began >= 0.2


def test_faults_are_set_read_and_cleared_over_http(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """The control route takes a plan, shows it, refuses an odd one and forgets it."""
    rules = [{"fault": "500_before", "match": {"kind": "post", "path": "/v2/"}}]
    assert api.put("/sandbox/faults", json=rules).json()["rules"][0]["fault"] == "500_before"
    assert submit(api).status_code == 500
    assert api.post("/generate", json=LEGACY).status_code == 200
    assert api.put("/sandbox/faults", json=[{"fault": "earthquake"}]).status_code == 400
    assert api.put("/sandbox/faults", content=b"{").status_code == 400
    assert len(api.get("/sandbox/faults").json()["rules"]) == 1
    assert api.delete("/sandbox/faults").json() == {"rules": []}
    assert submit(api).status_code == 200
    assert quick.stats()["faults"] == {"500_before": 1}
