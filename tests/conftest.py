"""What every test starts from: an environment with nothing of the developer's in it.

A key, a proxy, a bucket or a Prefect server of yours must neither be used by a test nor change its result.
This runs at import, before any test module can import Prefect, which reads its settings when it is imported.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_SCRUBBED_PREFIXES = ("IDEOFLOW_", "IDEOGRAM_", "AWS_")
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
        if name.upper().startswith(_SCRUBBED_PREFIXES) or name.upper() in _SCRUBBED:
            del os.environ[name]
    os.environ.update(_GIVEN)


_scrub()


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
