"""Every route over real HTTP: what it answers, what it bills."""

from __future__ import annotations

import io
import json
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from flows.ideogram.answers import (
    Accepted,
    Decline,
    Declined,
    Delivered,
    Failed,
    Missing,
    Pending,
    read_poll,
    read_submission,
)
from flows.ideogram.catalogue import CATALOGUE
from flows.ids import digest
from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import IdeogramSandbox, running
from flows.sandbox.state import read_ledger

V45, V3 = "/v2/image/generate/ideogram-4-5", "/v2/image/generate/ideogram-3"


def test_a_v2_job_is_acknowledged_polled_and_downloaded(
    frozen: IdeogramSandbox, frozen_api: httpx.Client, clock: Any
) -> None:
    """Submit, pending, completed, picture: each answer means to our reader what the documentation says."""
    body = {"prompt": "A sun", "async": True, "num_images": 2, "seed": 5, "private": True}
    ack = frozen_api.post(V45, json=body)
    accepted = read_submission(CATALOGUE["ideogram-4-5"], ack.status_code, ack.content)
    assert isinstance(accepted, Accepted)
    assert ack.json() == {
        "generation_id": accepted.generation_id,
        "generation_kind": "sampling",
        "seed": 5,
    }
    place = f"/v2/generations/{accepted.generation_id}"
    pending = frozen_api.get(place)
    assert isinstance(read_poll(pending.status_code, pending.content), Pending)
    assert frozen.ledger()["billed_images"] == 0
    clock.forward(1)
    done = frozen_api.get(place)
    delivered = read_poll(done.status_code, done.content)
    assert isinstance(delivered, Delivered)
    assert [image.seed for image in delivered.images] == [5, 6]
    assert {item["object_type"] for item in done.json()["data"]} == {"image.generation"}
    for image in delivered.images:
        assert image.url is not None
        got = frozen_api.get(image.url)
        assert got.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(got.content)) as picture:
            picture.load()
            assert f"{picture.width}x{picture.height}" == image.resolution == "2048x2048"
    ledger = frozen.ledger()
    assert (ledger["billed_images"], ledger["billed_micros"]) == (2, 200_000)
    [entry] = ledger["requests"]
    assert entry["body_digest"] == digest(body)
    assert (entry["status"], entry["billed"], entry["acknowledged"]) == ("completed", True, True)


def test_without_async_v2_waits_and_answers_whole(api: httpx.Client) -> None:
    """A synchronous v2 answer has the images and no ``created``; the job can be polled all the same."""
    answer = api.post(V3, json={"prompt": "A sun", "aspect_ratio": "16x9"}).json()
    assert set(answer) == {"generation_id", "generation_kind", "seed", "data"}
    assert answer["data"][0]["resolution"] == "1312x736"
    assert api.get(f"/v2/generations/{answer['generation_id']}").json()["status"] == "completed"


def test_legacy_answers_as_documented(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """``created`` and ``data``, the successor announced, no id, the model chosen by the body."""
    request = {"prompt": "x", "model": "V_2", "aspect_ratio": "ASPECT_16_9", "style_type": "DESIGN"}
    response = api.post("/generate", json={"image_request": request})
    delivered = read_submission(CATALOGUE["V_2"], response.status_code, response.content)
    assert isinstance(delivered, Delivered)
    assert delivered.created is not None
    assert (delivered.images[0].resolution, delivered.images[0].style_type) == ("1344x768", "DESIGN")
    assert 'rel="successor-version"' in response.headers["link"]
    [entry] = quick.ledger()["requests"]
    assert (entry["model"], entry["micros"], entry["path"]) == ("V_2", 80_000, "/generate")
    assert api.get(f"/v2/generations/{entry['generation_id']}").status_code == 404


def test_a_quote_bills_nothing_and_takes_no_place(frozen: IdeogramSandbox, frozen_api: httpx.Client) -> None:
    """``dry_run=true`` prices the very body, checks its shape, and runs nothing."""
    quote = frozen_api.post(f"{V45}?dry_run=true", json={"prompt": "x", "quality": "medium", "num_images": 3})
    assert quote.json()["object"] == "price_quote"
    assert (quote.json()["usd_micros"], quote.json()["quantity"]) == (180_000, 3)
    assert frozen_api.post(f"{V45}?dry_run=true", json={"quality": "medium"}).status_code == 400
    assert frozen.ledger()["requests"] == []
    assert frozen.stats()["in_flight_images"] == 0


@pytest.mark.parametrize("key", [None, "", "wrong", "Sandbox"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", V45), ("POST", f"{V45}?dry_run=true"), ("POST", "/generate"), ("GET", "/v2/generations/x")],
)
def test_any_other_key_is_turned_away(quick: IdeogramSandbox, method: str, path: str, key: str | None) -> None:
    """401 with the documented words, on every route that takes a key."""
    headers = {} if key is None else {"Api-Key": key}
    response = httpx.request(method, quick.base_url + path, headers=headers, json={"prompt": "x"})
    assert response.status_code == 401
    assert response.json() == {"message": "Access denied. Please verify your API Token is valid."}
    assert quick.ledger()["requests"] == []


def test_refusals_come_in_the_documented_shapes(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """Schema violations are problem JSON, reasoned refusals an ``error``; unknown things are 404."""
    schema = api.post(V3, json={"prompt": "x", "num_images": 9})
    assert schema.headers["content-type"].startswith("application/problem+json")
    assert set(schema.json()) == {"type", "title", "detail", "status"}
    reasoned = api.post(V3, json={"prompt": "x", "aspect_ratio": "1x1", "resolution": "1024x1024"})
    assert (reasoned.status_code, set(reasoned.json())) == (400, {"error"})
    assert api.post(V3, content=b"{").status_code == 400
    assert api.post(V3, files={"prompt": b"x"}).status_code == 400
    assert api.post("/v2/image/generate/ideogram-9", json={"prompt": "x"}).status_code == 404
    assert api.post("/v2/image/generate/V_2", json={"prompt": "x"}).status_code == 404
    assert api.get("/v1/anything").status_code == 404
    missing = api.get("/v2/generations/nobody")
    assert isinstance(read_poll(missing.status_code, missing.content), Missing)
    assert quick.ledger()["requests"] == []


def test_an_unsafe_prompt_is_refused_unbilled(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """422 before anything runs; v2 bodies are sometimes empty, legacy ones never."""
    bodies = set()
    for n in range(8):
        response = api.post(V45, json={"prompt": f"unsafe-prompt {n}", "async": True})
        answer = read_submission(CATALOGUE["ideogram-4-5"], response.status_code, response.content)
        assert isinstance(answer, Declined)
        assert answer.decline is Decline.UNSAFE
        bodies.add(bool(response.content))
    assert bodies == {True, False}
    legacy = api.post("/generate", json={"image_request": {"prompt": "unsafe-prompt"}})
    assert (legacy.status_code, set(legacy.json())) == (422, {"error"})
    assert quick.ledger()["requests"] == []


def test_a_withheld_image_is_billed_and_has_no_link(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """The first image is withheld, its sister is fine, both are charged."""
    answer = api.post(V3, json={"prompt": "withheld-image", "num_images": 2}).json()
    assert [item["is_image_safe"] for item in answer["data"]] == [False, True]
    assert answer["data"][0]["url"] is None
    assert quick.ledger()["billed_images"] == 2


def test_a_job_that_fails_is_not_billed(frozen: IdeogramSandbox, frozen_api: httpx.Client, clock: Any) -> None:
    """Policy failures and others are told apart by their reason; neither costs anything."""
    for word, policy in (("fails-policy", True), ("fails-badly", False)):
        ack = frozen_api.post(V45, json={"prompt": word, "async": True}).json()
        clock.forward(1)
        poll = frozen_api.get(f"/v2/generations/{ack['generation_id']}")
        answer = read_poll(poll.status_code, poll.content)
        assert isinstance(answer, Failed)
        assert answer.policy is policy
    ledger = frozen.ledger()
    assert ledger["billed_micros"] == 0
    assert [entry["status"] for entry in ledger["requests"]] == ["failed", "failed"]


def test_magic_prompt_rewrites_as_documented(api: httpx.Client) -> None:
    """4.5 always structures, ``off`` keeps the wording; elsewhere ``off`` keeps every letter."""
    words = 'A poster reads "SUMMER, SLOWLY"'

    def final(path: str, **fields: Any) -> str:
        return str(api.post(path, json={"prompt": words, "seed": 1, **fields}).json()["data"][0]["prompt"])

    off, on = json.loads(final(V45, magic_prompt="off")), json.loads(final(V45))
    assert off["high_level_description"] == words
    assert on["high_level_description"].startswith(words)
    assert on["high_level_description"] != words
    for structure in (off, on):
        texts = [item for item in structure["compositional_deconstruction"]["elements"] if item["type"] == "text"]
        assert [item["text"] for item in texts] == ["SUMMER, SLOWLY"]
    structured = json.dumps(off)
    again = api.post(V45, json={"prompt": structured, "magic_prompt": "auto"}).json()
    assert again["data"][0]["prompt"] == structured
    assert final(V3, magic_prompt="off") == words
    assert final(V3) != words
    assert final(V3) == final(V3)


def test_unknown_fields_are_ignored_and_counted(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """A misspelt field changes nothing but a counter, at any depth."""
    palette = {"members": [{"color_hex": "#102030", "wieght": 1}]}
    for _ in range(2):
        assert api.post(V3, json={"prompt": "x", "stlye_type": "design", "color_palette": palette}).is_success
    assert quick.stats()["ignored_fields"] == {"stlye_type": 2, "color_palette.members.wieght": 2}


def test_every_answer_carries_a_request_id_and_the_sandboxs_date(frozen_api: httpx.Client, clock: Any) -> None:
    """Ids differ from answer to answer; `Date` is the sandbox's own clock, which judges links."""
    answers = [frozen_api.get("/sandbox/health"), frozen_api.post(V45), frozen_api.get("/nowhere")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
    assert {parsedate_to_datetime(answer.headers["date"]).timestamp() for answer in answers} == {clock.now}


def test_links_expire_by_the_sandboxs_clock(frozen_api: httpx.Client, clock: Any) -> None:
    """``exp`` is the end of the documented day after completion; a poll does not sign anew."""
    ack = frozen_api.post(V3, json={"prompt": "x", "async": True}).json()
    clock.forward(1)
    done = frozen_api.get(f"/v2/generations/{ack['generation_id']}").json()
    url = done["data"][0]["url"]
    assert int(httpx.URL(url).params["exp"]) == clock.now + 86_400
    clock.forward(86_399)
    assert frozen_api.get(url).status_code == 200
    clock.forward(1)
    assert frozen_api.get(url).status_code == 403
    assert frozen_api.get(f"/v2/generations/{ack['generation_id']}").json() == done


def test_links_can_be_renewed_by_polls(tmp_path: Path, clock: Any) -> None:
    """With ``renew_links`` a later poll gives a link that works again."""
    config = SandboxConfig(tmp_path, latency_s=(0, 0), pictures="plain", clock=clock, renew_links=True)
    with running(config) as sandbox, httpx.Client(base_url=sandbox.base_url) as client:
        client.headers["Api-Key"] = "sandbox"
        ack = client.post(V3, json={"prompt": "x", "async": True}).json()
        clock.forward(90_000)
        url = client.get(f"/v2/generations/{ack['generation_id']}").json()["data"][0]["url"]
        assert client.get(url).status_code == 200


def test_a_forged_link_is_refused(api: httpx.Client) -> None:
    """Another expiry, another image, another or no signature: 403, expired or not."""
    data = api.post(V3, json={"prompt": "x", "num_images": 2}).json()["data"]
    url, other = httpx.URL(data[0]["url"]), httpx.URL(data[1]["url"])
    exp, sig = url.params["exp"], url.params["sig"]
    forged = [
        url.copy_set_param("exp", str(int(exp) + 1)),
        url.copy_set_param("exp", "1"),
        url.copy_set_param("exp", "9" * 5000),
        url.copy_set_param("exp", "soon"),
        url.copy_set_param("sig", "0" * 64),
        url.copy_set_param("sig", "ü"),
        url.copy_remove_param("sig"),
        url.copy_remove_param("exp"),
        other.copy_set_param("sig", sig),
    ]
    assert [api.get(link).status_code for link in forged] == [403] * len(forged)


def test_the_image_host_wants_no_key_and_a_named_agent(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """A key sent there is noted; urllib's own agent is refused, as the real host does."""
    url = api.post(V3, json={"prompt": "x"}).json()["data"][0]["url"]
    assert httpx.get(url).status_code == 200
    assert quick.stats()["keys_sent_to_image_host"] == 0
    assert api.get(url).status_code == 200
    assert quick.stats()["keys_sent_to_image_host"] == 1
    assert httpx.get(url, headers={"User-Agent": "Python-urllib/3.11"}).status_code == 403
    assert httpx.get(url, headers={"User-Agent": ""}).status_code == 403


def test_the_same_request_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    """Two sandboxes with nothing in common draw one picture for one body; another seed, another picture."""
    pictures = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        config = SandboxConfig(tmp_path / name, latency_s=(0, 0), pictures="plain")
        with running(config) as sandbox, httpx.Client(base_url=sandbox.base_url) as client:
            client.headers["Api-Key"] = "sandbox"
            answer = client.post(V3, json={"prompt": "A sun", "seed": seed}).json()
            pictures.append(client.get(answer["data"][0]["url"]).content)
    assert pictures[0] == pictures[1]
    assert pictures[0] != pictures[2]


def test_seeds_are_drawn_when_none_is_asked_for(api: httpx.Client) -> None:
    """A body without a seed gets one of its own each time, and says which."""
    seeds = {api.post(V3, json={"prompt": "x"}).json()["seed"] for _ in range(5)}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_ledger_is_the_same_by_route_handle_and_file(quick: IdeogramSandbox, api: httpx.Client) -> None:
    """Three ways to the ledger, one ledger; and no state is an empty one."""
    api.post(V3, json={"prompt": "x"})
    by_route = api.get("/sandbox/ledger").json()
    assert by_route == quick.ledger() == read_ledger(quick.config.state_dir)
    assert read_ledger(quick.config.state_dir / "nothing")["requests"] == []
    assert not (quick.config.state_dir / "nothing").exists()


SPEC = Path(__file__).parents[2] / ".." / "shared" / "reference" / "ideogram-openapi-v1.json"


@pytest.mark.skipif(not SPEC.exists(), reason="the vendor's OpenAPI file is not part of this project")
def test_legacy_requests_and_answers_fit_the_vendors_openapi(api: httpx.Client) -> None:
    """What our client writes and what the sandbox answers are valid by the vendor's own schema."""
    jsonschema = pytest.importorskip("jsonschema")
    from flows.ideogram.catalogue import request_body

    spec = _nullable(json.loads(SPEC.read_text()))

    def check(name: str, value: Any) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
        jsonschema.Draft202012Validator(schema).validate(value)

    palette = {"members": [{"color_hex": "#102030", "color_weight": 0.5}]}
    for endpoint in (endpoint for endpoint in CATALOGUE.values() if endpoint.wraps):
        for option in endpoint.options:
            for value in option.values or (palette,) if option.kind != "text" else ("people",):
                given = {"name": value} if option.kind == "palette" and isinstance(value, str) else value
                body = request_body(endpoint, prompt="x", options={option.name: given}, seed=1, images=2, private=True)
                check("GenerateImageRequest", body)
        response = api.post(
            "/generate",
            json=request_body(endpoint, prompt="withheld-image", options={}, seed=None, images=2, private=True),
        )
        check("GenerateImageResponse", response.json())
    check(
        "GenerateImageSafetyError",
        api.post("/generate", json={"image_request": {"prompt": "unsafe-prompt"}}).json(),
    )


def _nullable(node: Any) -> Any:
    """OpenAPI 3.0's ``nullable`` as JSON Schema has it."""
    if isinstance(node, list):
        return [_nullable(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _nullable(value) for key, value in node.items()}
    if plain.pop("nullable", False) is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain
