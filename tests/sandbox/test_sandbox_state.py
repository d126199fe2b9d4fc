"""The shared state: places counted exactly, nothing lost with a process, nothing billed twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.sandbox.config import SandboxConfig
from flows.sandbox.faults import FaultPlan
from flows.sandbox.handle import IdeogramSandbox, running
from flows.sandbox.server import embedded, serve
from flows.sandbox.state import FILE, Store, read_ledger

V3 = "/v2/image/generate/ideogram-3"

SERVER = """
import sys
from pathlib import Path
from flows.sandbox.config import SandboxConfig
from flows.sandbox.server import serve
config = SandboxConfig(Path(sys.argv[1]), latency_s=(float(sys.argv[2]),) * 2, pictures="plain")
serve("127.0.0.1", 0, config, ready=lambda url: print(url, flush=True))
"""


@contextmanager
def server(state: Path, latency_s: float) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A sandbox in a process of its own; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(state), str(latency_s)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


def client(base_url: str) -> httpx.Client:
    return httpx.Client(base_url=base_url, headers={"Api-Key": "sandbox"}, timeout=20)


def submit(api: httpx.Client, images: int = 1, prompt: str = "x") -> httpx.Response:
    return api.post(V3, json={"prompt": prompt, "async": True, "num_images": images})


def test_places_are_counted_in_images(frozen: IdeogramSandbox, frozen_api: httpx.Client, clock: Any) -> None:
    """Ten images fill the ten places however they are asked for; they are free the moment a job is done."""
    assert submit(frozen_api, 8).status_code == 200
    assert submit(frozen_api, 3).status_code == 429
    assert submit(frozen_api, 2).status_code == 200
    assert submit(frozen_api, 1).status_code == 429
    clock.forward(0.999)
    assert submit(frozen_api, 1).status_code == 429
    clock.forward(0.001)
    assert submit(frozen_api, 8).status_code == 200
    stats = frozen.stats()
    assert (stats["peak_in_flight_images"], stats["rejected_in_flight"]) == (10, 3)
    assert [entry["images"] for entry in frozen.ledger()["requests"]] == [8, 2, 8]


def test_the_limit_holds_under_concurrency(frozen: IdeogramSandbox) -> None:
    """Sixty requests at once: exactly as many accepted as fit, never one more."""

    async def storm() -> list[int]:
        async with httpx.AsyncClient(base_url=frozen.base_url, headers={"Api-Key": "sandbox"}) as api:
            posts = (api.post(V3, json={"prompt": f"{n}", "async": True}) for n in range(60))
            return [response.status_code for response in await asyncio.gather(*posts)]

    statuses = asyncio.run(storm())
    assert (statuses.count(200), statuses.count(429)) == (10, 50)
    assert frozen.stats()["peak_in_flight_images"] == 10
    assert frozen.ledger()["running_images"] == 10


def test_any_order_of_requests_and_time_adds_up(tmp_path: Path, clock: Any) -> None:
    """Random moves: what is accepted is what fits, and the ledger is the sum of what was accepted."""
    rng = random.Random(4)
    config = SandboxConfig(tmp_path, latency_s=(0.5, 3), pictures="plain", clock=clock, max_in_flight=7)
    took = 0
    with running(config) as sandbox, client(sandbox.base_url) as api:
        for _ in range(300):
            if rng.random() < 0.4:
                clock.forward(rng.random())
                continue
            images = rng.randint(1, 8)
            free = 7 - sandbox.stats()["in_flight_images"]
            response = submit(api, images, prompt=str(rng.random()))
            assert (response.status_code == 200) == (images <= free)
            took += images if response.is_success else 0
        assert sandbox.stats()["peak_in_flight_images"] <= 7
        clock.forward(3)
        ledger = sandbox.ledger()
    assert ledger["billed_images"] == took == sum(entry["images"] for entry in ledger["requests"])
    assert ledger["billed_micros"] == took * 60_000


def test_two_servers_share_one_state(tmp_path: Path) -> None:
    """Two processes on one directory: one limit between them, each answers for the other's jobs and links."""
    with (
        server(tmp_path, 1.5) as (one, _),
        server(tmp_path, 1.5) as (two, _),
        client(one) as a,
        client(two) as b,
    ):

        def post(n: int) -> tuple[int, dict[str, Any]]:
            response = submit((a, b)[n % 2], prompt=str(n))
            return response.status_code, response.json()

        with ThreadPoolExecutor(12) as threads:
            answers = list(threads.map(post, range(40)))
        jobs = [(n, body["generation_id"]) for n, (status, body) in enumerate(answers) if status == 200]
        assert len({generation_id for _, generation_id in jobs}) == len(jobs)
        stats = a.get("/sandbox/stats").json()
        assert stats["peak_in_flight_images"] == 10
        assert len(jobs) + stats["rejected_in_flight"] == 40
        others = b.get("/sandbox/stats").json()
        assert {**stats, "in_flight_images": 0} == {**others, "in_flight_images": 0}
        for n, generation_id in jobs[:4]:
            other = (b, a)[n % 2]
            url = _finished(other, generation_id)["data"][0]["url"]
            assert url.startswith(str(other.base_url).rstrip("/"))
            assert a.get(url.replace(two, one)).content == b.get(url.replace(one, two)).content
        _finished(a, jobs[-1][1])
        assert a.get("/sandbox/ledger").json()["billed_images"] == len(jobs)


def test_a_killed_server_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL in the middle of a job, start again: the job completes, its link works, it is billed once."""
    with server(tmp_path, 1.5) as (url, process), client(url) as api:
        jobs = [submit(api, 2, prompt=str(n)).json()["generation_id"] for n in range(3)]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert read_ledger(tmp_path)["running_images"] == 6
    with server(tmp_path, 1.5) as (url, _), client(url) as api:
        told = [_finished(api, generation_id) for generation_id in jobs]
        assert all(api.get(image["url"]).is_success for one in told for image in one["data"])
    ledger = read_ledger(tmp_path)
    assert [entry["generation_id"] for entry in ledger["requests"]] == jobs
    assert (ledger["billed_images"], ledger["billed_micros"]) == (6, 360_000)


def test_whatever_was_acknowledged_before_a_kill_is_in_the_ledger(tmp_path: Path) -> None:
    """Killed under load at some instant: every acknowledged job is there once, and the file is sound."""
    for n in range(2):
        with server(tmp_path, 0.0) as (url, process), ThreadPoolExecutor(6) as threads:
            answers: list[str] = []

            def post(m: int, url: str = url, n: int = n, answers: list[str] = answers) -> None:
                with client(url) as api:
                    for k in range(20):
                        answers.append(submit(api, prompt=f"{n}/{m}/{k}").json()["generation_id"])
                        if len(answers) == 40:
                            os.kill(process.pid, signal.SIGKILL)

            outcomes = [threads.submit(post, m) for m in range(6)]
            errors = [outcome.exception() for outcome in outcomes]
            assert all(isinstance(error, httpx.TransportError) for error in errors)
            known = {entry["generation_id"] for entry in read_ledger(tmp_path)["requests"]}
            assert len(answers) >= 40
            assert set(answers) <= known
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_restart_keeps_faults_counters_and_the_secret(tmp_path: Path, clock: Any) -> None:
    """The same configuration goes on where it was; a new plan starts anew; an empty one clears."""

    def config(plan: FaultPlan | None) -> SandboxConfig:
        return SandboxConfig(tmp_path, latency_s=(0, 0), pictures="plain", clock=clock, faults=plan)

    plan = FaultPlan.of([{"match": {"kind": "post"}, "script": ["500_before", "402", "403"]}])
    seen = []
    for chosen in (plan, plan, None, FaultPlan()):
        with running(config(chosen)) as sandbox, client(sandbox.base_url) as api:
            seen.append(submit(api).status_code)
    assert seen == [500, 402, 403, 200]
    with running(config(plan)) as sandbox, client(sandbox.base_url) as api:
        assert submit(api).status_code == 500
        first = api.get("/sandbox/ledger").json()["requests"][0]
        url = api.get(f"/v2/generations/{first['generation_id']}").json()["data"][0]["url"]
    with running(config(FaultPlan())) as sandbox, client(sandbox.base_url) as api:
        assert api.get(httpx.URL(url).raw_path.decode()).status_code == 200


def test_state_of_another_version_is_refused(tmp_path: Path) -> None:
    """A file this release does not understand is left alone."""
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(RuntimeError, match="version 99"):
        Store.open(tmp_path, lambda: 0.0, os.urandom)


def test_many_openers_found_one_state(tmp_path: Path) -> None:
    """Eight openings of a new directory at once agree on one secret."""

    def secret(_: int) -> bytes:
        store = Store.open(tmp_path, lambda: 0.0, os.urandom)
        try:
            return store.secret()
        finally:
            store.close()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(secret, range(8)))) == 1


def test_latency_is_drawn_from_the_request(tmp_path: Path, clock: Any) -> None:
    """Jobs take between the two limits, differ among requests, and are the same in another sandbox."""

    def durations(name: str) -> list[float]:
        config = SandboxConfig(tmp_path / name, latency_s=(0.5, 2), pictures="plain", clock=clock)
        with running(config) as sandbox, client(sandbox.base_url) as api:
            for n in range(10):
                submit(api, prompt=str(n))
            with_due = Store.open(config.state_dir, clock, os.urandom)
            ids = [entry["generation_id"] for entry in sandbox.ledger()["requests"]]
            jobs = [with_due.job(generation_id) for generation_id in ids]
            with_due.close()
            return [job.due_at - job.submitted_at for job in jobs if job]

    first = durations("a")
    assert first == durations("b")
    assert len(set(first)) == 10
    assert all(0.5 <= seconds <= 2 for seconds in first)


def test_an_embedded_sandbox_ends_at_once_while_someone_waits(tmp_path: Path) -> None:
    """Leaving the block does not wait for jobs; the waiting client is hung up on, and the job stays."""
    config = SandboxConfig(tmp_path, latency_s=(60, 60), pictures="plain")
    with ThreadPoolExecutor(1) as threads:
        with embedded(config) as url:
            waiting = threads.submit(
                httpx.post, url + V3, json={"prompt": "x"}, headers={"Api-Key": "sandbox"}, timeout=30
            )
            while not read_ledger(tmp_path)["requests"]:
                assert not waiting.done()
        error = waiting.exception(timeout=10)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert read_ledger(tmp_path)["running_images"] == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.com", "::"])  # noqa: S104 - it must be refused
def test_it_listens_on_loopback_only(tmp_path: Path, host: str) -> None:
    """Any address that others could reach is refused before anything starts."""
    with pytest.raises(ValueError, match="loopback"):
        serve(host, 0, SandboxConfig(tmp_path / "state"))
    assert not (tmp_path / "state").exists()


def test_a_taken_port_is_said_at_once(tmp_path: Path) -> None:
    """A port in use is an error of the caller's thread, not a silent server."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve("127.0.0.1", taken.getsockname()[1], SandboxConfig(tmp_path))


def _finished(api: httpx.Client, generation_id: str) -> dict[str, Any]:
    return _until(lambda: api.get(f"/v2/generations/{generation_id}").json())


def _until(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    while (told := ask())["status"] == "pending":
        pass
    return told


def test_a_state_that_is_just_being_made_is_an_empty_ledger(tmp_path: Path) -> None:
    """Whoever reads between a server's making the file and its filling it sees that nothing ran, and makes nothing."""
    (tmp_path / "sandbox.sqlite3").touch()
    assert read_ledger(tmp_path)["requests"] == []
    assert read_ledger(tmp_path)["billed_images"] == 0
