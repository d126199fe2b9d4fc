"""The sandbox's account routes: dense buckets, exact sums, and manners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.sandbox.config import SandboxConfig
from flows.sandbox.handle import running

START = 1_795_348_800.0  # 2026-11-22 12:00 UTC


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def _usage(base_url: str, key: str = "sandbox", **asked: str) -> httpx.Response:
    params = {"start_time": "2026-11-20T12:00:00Z", "end_time": "2026-11-22T23:00:00Z", **asked}
    return httpx.get(f"{base_url}/v2/account/usage", params=params, headers={"Api-Key": key})


def test_buckets_are_dense_and_lines_exact(tmp_path: Path) -> None:
    """Three days, two of them empty; a line per product, endpoint and unit price, adding up to the ledger."""
    clock = _Clock()
    with running(SandboxConfig(tmp_path, clock=clock, latency_s=(1, 1), usage_lag_s=60)) as sandbox:
        headers = {"Api-Key": sandbox.api_key}
        for quality, images in (("low", 2), ("high", 1), ("low", 3)):
            body = {"prompt": f"a {quality} {images}", "quality": quality, "num_images": images, "async": True}
            path = "/v2/image/generate/ideogram-4-5"
            httpx.post(sandbox.base_url + path, json=body, headers=headers).raise_for_status()
        clock.now += 10
        assert sum(len(bucket["line_items"]) for bucket in _usage(sandbox.base_url).json()["buckets"]) == 0, "it lags"
        clock.now += 120
        buckets: list[dict[str, Any]] = _usage(sandbox.base_url).json()["buckets"]
        assert [len(bucket["line_items"]) for bucket in buckets] == [0, 0, 2]
        assert [bucket["start_time"][:10] for bucket in buckets] == ["2026-11-20", "2026-11-21", "2026-11-22"]
        lines = buckets[-1]["line_items"]
        assert [(line["cost_total"], line["billed_units"]["quantity"]) for line in lines] == [
            ("0.150000", "5"),
            ("0.100000", "1"),
        ]
        assert sandbox.ledger()["billed_micros"] == 250_000
        assert lines[0]["api_key"]["redacted_key"] != sandbox.api_key


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"start_time": ""}, 400),
        ({"start_time": "2026-11-20"}, 400),
        ({"bucket_width": "1w"}, 400),
        ({"start_time": "2026-08-01T00:00:00Z"}, 400),
        ({"start_time": "2026-11-23T00:00:00Z"}, 400),
        ({"bucket_width": "1h"}, 200),
        ({"sources": "app"}, 200),
        ({"key": "wrong"}, 401),
    ],
)
def test_what_cannot_be_answered_is_said(tmp_path: Path, asked: dict[str, str], status: int) -> None:
    """Bad times, unknown widths and too long spans are 400, a bad key 401."""
    with running(SandboxConfig(tmp_path, clock=_Clock())) as sandbox:
        assert _usage(sandbox.base_url, **asked).status_code == status


def test_other_members_get_a_404(tmp_path: Path) -> None:
    """Only an admin's key sees the account."""
    with running(SandboxConfig(tmp_path, admin=False, clock=_Clock())) as sandbox:
        assert _usage(sandbox.base_url).status_code == 404
