"""The audit of a campaign that is in a bucket, images, history and reports alike: through the command, as on a disk."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.auditing.files import LATEST, publish
from flows.auditing.gather import gather, measure
from flows.auditing.run import check
from flows.pipeline.kit import Stop
from flows.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.s3]
ROOT = Path(__file__).resolve().parents[2]


def ideoflow(root: Path, environ: Mapping[str, str], *argv: str) -> subprocess.CompletedProcess[str]:
    """The real command, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *argv, "--project", str(root)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def fill(campaign: Any, theirs: tuple[str, ...], painted: Any) -> Workspace:
    """Three healthy pictures, one in the colours of another brand, one whose file is gone."""
    for _ in range(3):
        campaign.image()
    campaign.image(painted(9, theirs))
    campaign.ws.assets.delete([campaign.image()["local_path"]])
    ws: Workspace = campaign.commit()
    return ws


def pages(ws: Workspace) -> dict[str, bytes]:
    """The reports that are there, by path."""
    return {stat.path: ws.reports.read(stat.path) or b"" for stat in ws.reports.list()}


def test_the_command_audits_a_bucket(in_bucket: Any, painted: Any, theirs: tuple[str, ...], s3_bucket: Any) -> None:
    """Page, latest, JSON, XML, findings and features are there; a decision sticks; nothing is measured twice."""
    import fsspec

    campaign, environ = in_bucket
    ws = fill(campaign, theirs, painted)
    said = ideoflow(campaign.root, environ, "audit")
    assert said.returncode == 3, said.stderr
    place = re.search(rf"report +(s3://{s3_bucket.name}/reports/\S+/audit-\S+\.html)", said.stdout)
    assert place, said.stdout
    first = pages(ws)
    assert sorted(Path(path).suffix for path in first) == [".html", ".html", ".json", ".xml"]
    page = first[place[1].removeprefix(f"s3://{s3_bucket.name}/reports/")]
    assert first[LATEST] == page
    assert "5 pictures" in page.decode()
    assert page.decode().count("<image id=") == 4
    links = set(re.findall(r'(?:href|src)="([^"#][^"]*)"', page.decode()))
    assert all(link.startswith("data:") for link in links), "a page in a bucket can link to nothing beside it"
    filesystem = fsspec.filesystem("s3", **s3_bucket.options)
    kinds = {path: filesystem.info(f"{s3_bucket.name}/reports/{path}")["ContentType"] for path in first}
    assert kinds[LATEST] == "text/html", "a browser shows it, instead of saving it"
    features = ws.parts.listing("features")
    assert ws.parts.read(features, "features", ["sha256"]).num_rows == 4
    codes = {row["code"]: row for row in ws.parts.read(ws.parts.listing("findings"), "findings").to_pylist()}
    assert {"integrity.missing", "palette.off_brand", "palette.low_coverage", "audit.score"} <= codes.keys()
    assert not (campaign.root / "data").exists(), "nothing of it is on this disk"

    gone = codes["integrity.missing"]["finding_id"]
    accepted = ideoflow(campaign.root, environ, "decide", "accept", gone, "--reason", "it is in the archive")
    assert accepted.returncode == 0, accepted.stderr
    again = ideoflow(campaign.root, environ, "audit", "--json")
    assert again.returncode == 0, again.stderr
    since = {one["code"]: one["since"] for one in json.loads(again.stdout)["findings"]}
    assert since["integrity.missing"] == "accepted"
    assert since["palette.off_brand"] == "still"
    assert ws.parts.listing("features") == features
    assert ws.reports.read(LATEST) != page
    assert len(pages(ws)) == 7


def test_the_page_is_the_same_wherever_it_is_written(
    in_bucket: Any, campaign: Any, painted: Any, theirs: tuple[str, ...]
) -> None:
    """The same campaign on a disk and in a bucket; and written once more."""
    found: list[dict[str, bytes]] = []
    for one in (campaign, in_bucket[0]):
        ws = fill(one, theirs, painted)
        checked = check(ws, gather(ws, measure(ws, ws.audit_policy(), lambda _: None, Stop())), ws.audit_policy())
        done = replace(checked, audit_id="01900000-0000-7000-8000-000000000001")
        publish(ws, done)
        found.append(pages(ws))
        publish(ws, done)
        assert pages(ws) == found[-1]
    assert found[0] == found[1]
