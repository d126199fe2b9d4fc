"""What every test starts from: an environment with nothing of the developer's in it.

A key, a proxy, a bucket or a Prefect server of yours must neither be used by a test nor change its result.
This runs at import, before any test module can import Prefect, which reads its settings when it is imported.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

_SCRUBBED_PREFIXES = ("IDEOFLOW_", "IDEOGRAM_", "AWS_")
# How large a benchmark is, and on what: said to the tests, read by nothing of the product.
_OURS = "IDEOFLOW_BENCH_"
_SCRUBBED = {
    "PREFECT_API_URL",
    "PREFECT_API_KEY",
    "PREFECT_API_DATABASE_CONNECTION_URL",
    "PREFECT_PROFILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
}
_HOME = tempfile.mkdtemp(prefix="ideoflow-prefect-")
_GIVEN = {
    "PREFECT_HOME": _HOME,
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # Without these botocore would look for your profiles, and ask the network whether it is in a cloud.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def _scrub() -> None:
    for name in list(os.environ):
        scrubbed = name.upper().startswith(_SCRUBBED_PREFIXES) and not name.startswith(_OURS)
        if scrubbed or name.upper() in _SCRUBBED:
            del os.environ[name]
    os.environ.update(_GIVEN)


_scrub()

# A shared, busy machine is no reason for a property to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_unconfigure() -> None:
    """Prefect's throw-away home goes when the session does."""
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def clean_environment() -> Iterator[None]:
    """What a test sets is gone afterwards; what a session's server needs (a fake bucket's keys) stays."""
    before = dict(os.environ)
    yield
    for name in set(os.environ) - set(before):
        del os.environ[name]
    os.environ.update(before)


@dataclass(frozen=True)
class Bucket:
    """An empty bucket of a real S3 API on loopback: its name, fsspec's options, and the keys for the environment."""

    name: str
    options: Mapping[str, Any]
    environ: Mapping[str, str]


_numbers = itertools.count(1)
_KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A server that speaks S3, one per test process."""
    program = [sys.executable, str(Path(__file__).with_name("bucket.py"))]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.stdin.close()
        server.wait(timeout=30)


@pytest.fixture
def s3_bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of one's own; the keys are in this process's environment too."""
    import fsspec

    for name, value in _KEYS.items():
        monkeypatch.setenv(name, value)
    # A region is named because without one the client would look for it in the cloud.
    options = {"endpoint_url": s3_endpoint, "client_kwargs": {"region_name": "eu-central-1"}}
    name = f"bucket-{next(_numbers)}"
    fsspec.filesystem("s3", **options).mkdir(name)
    return Bucket(name, options, _KEYS)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; all held at once, so that they differ."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture(scope="session")
def seaweed_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SeaweedFS: a second S3 server, written by others, that checks signatures and keeps its objects on a disk."""
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        pytest.skip("SeaweedFS is not installed (its wheel is part of requirements-dev.lock)")
    folder = tmp_path_factory.mktemp("weed")
    keys = {"accessKey": _KEYS["AWS_ACCESS_KEY_ID"], "secretKey": _KEYS["AWS_SECRET_ACCESS_KEY"]}
    allowed = {"name": "tests", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [allowed]}), encoding="utf-8")
    roles = ("master.port", "volume.port", "filer.port", "s3.port")
    ports = iter(_free_ports(2 * len(roles)))
    listening = {role: next(ports) for role in roles}
    listening |= {f"{role}.grpc": next(ports) for role in roles}
    command = [str(weed), f"-logdir={folder}", "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command += [f"-{role}={port}" for role, port in listening.items()]
    command += [
        "-filer",
        "-s3",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={folder / 's3.json'}",
        "-master.telemetry=false",
    ]
    command += ["-volume.max=50", "-master.volumeSizeLimitMB=64"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            yield _awaited(f"http://127.0.0.1:{listening['s3.port']}", server)
        finally:
            server.kill()


def _awaited(url: str, server: subprocess.Popen[bytes]) -> str:
    """The server's address, once a bucket can be made there and written to."""
    import fsspec

    options = {"endpoint_url": url, "key": _KEYS["AWS_ACCESS_KEY_ID"], "secret": _KEYS["AWS_SECRET_ACCESS_KEY"]}
    filesystem = fsspec.filesystem("s3", **options, client_kwargs={"region_name": "eu-central-1"})
    for _ in range(300):
        assert server.poll() is None, "the server ended by itself"
        try:
            if not filesystem.exists("ready"):
                filesystem.mkdir("ready")
            filesystem.pipe_file("ready/x", b"x")
        except OSError:  # its parts come up one after the other
            time.sleep(0.1)
        else:
            return url
    raise AssertionError("SeaweedFS did not come up")


@pytest.fixture
def seaweed_bucket(seaweed_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A folder of one's own in a bucket there: each bucket would set disk space aside for itself."""
    for name, value in _KEYS.items():
        monkeypatch.setenv(name, value)
    options = {"endpoint_url": seaweed_endpoint, "client_kwargs": {"region_name": "eu-central-1"}}
    return Bucket(f"ready/{next(_numbers)}", options, _KEYS)


Stock = Callable[[Any, Sequence[Mapping[str, Any]]], list[str]]


@pytest.fixture(scope="session")
def stock() -> Stock:
    """Fill an opened workspace with pictures bought in the past, as a run would have left them: their ids.

    Of each picture: `age` and, where it is in the trash, `trashed`, both in days; any other column as it is called.
    """
    return _stocked


def _stocked(ws: Any, said: Sequence[Mapping[str, Any]]) -> list[str]:
    from datetime import timedelta

    from flows.history.events import Event
    from flows.history.schema import event_row
    from flows.ids import month_of, sha256, uuid7

    ids: list[str] = []
    for number, one in enumerate(said):
        more = dict(one)
        at = ws.now() - timedelta(days=more.pop("age", 1))
        trashed = more.pop("trashed", None)
        request = uuid7(at, ws.entropy)
        image, prompt = f"{request}-0", more.pop("prompt_id", "hero")
        path, data = f"helio/summer/{prompt}/{image}.png", _png(number, prompt)
        ws.assets.write(path, data)
        ws.assets.write(f"{path[:-4]}.json", b"{}")
        there = ws.assets.stat(path)
        row = {
            "image_id": image,
            "request_id": request,
            "fingerprint": sha256(prompt.encode()),
            "n": number,
            "image_index": 0,
            "run_id": "earlier",
            "origin": "sandbox",
            "status": "stored",
            "prompt_id": prompt,
            "variant": prompt,
            "brand": "helio",
            "campaign": "summer",
            "tags": [],
            "model": "ideogram-3",
            "options": "{}",
            "requested_at": at,
            "stored_at": at,
            "local_path": path,
            "media_type": "image/png",
            "bytes": len(data),
            "sha256": sha256(data),
            "etag": there.etag if there else None,
            "cost_usd": 0.06,
        }
        ws.parts.write("images", month_of(request), [row | more])
        if trashed is not None:
            when = ws.now() - timedelta(days=trashed)
            event = event_row(
                event_id=uuid7(when, ws.entropy), at=when, event=Event.TRASHED, actor="retain", run_id="t", image=image
            )
            ws.parts.write("lifecycle", f"{when:%Y-%m}", [event])
        ids.append(image)
    return ids


def _png(number: int, prompt: str) -> bytes:
    """A small picture, another one for each number and prompt."""
    import io
    import zlib

    from PIL import Image

    seed = zlib.crc32(prompt.encode()) + number * 7919
    picture = Image.new("RGB", (48, 48), (seed % 251, seed // 251 % 251, number % 251))
    picture.putpixel((number % 48, number // 48 % 48), (255, 255, 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
