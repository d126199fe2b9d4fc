"""The audit from beginning to end: a healthy campaign, a bad one, and what becomes of findings from week to week."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from flows.auditing import audit
from flows.auditing.ledger import SCORE
from flows.errors import Unfinished
from flows.pipeline.kit import Progress, Stop
from flows.report.audit.model import Audit
from flows.workspace import Workspace


def run(ws: Workspace, days: int = 0) -> tuple[Audit, Path]:
    """An audit so many days later: what came of it, and its page."""
    now = ws.now() + timedelta(days=days)
    done, where = asyncio.run(audit(replace(ws, now=lambda: now)))
    return done, Path(where)


def rows(ws: Workspace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ws.parts.read(ws.parts.listing("findings"), "findings").to_pylist()
    return found


def test_a_healthy_campaign_is_all_in_order(campaign: Any) -> None:
    """Every check that has something to look at looks, and nothing is found; the page stands in two places."""
    for _ in range(4):
        campaign.image()
    campaign.says(campaign.images[0], "SUMMER", "SUMMER")
    done, page = run(campaign.commit())
    assert done.findings == ()
    assert {verdict.check for verdict in done.ran} == {
        *("palette", "lettering", "duplicates", "metadata", "integrity", "delivery"),
    }
    assert done.exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "All 4 pictures are in order." in text
    assert text.count("<image id=") == 4
    assert (page.parent.parent / "latest.html").read_text(encoding="utf-8") == text
    assert page.parent.name == "2026-11-23"
    assert {path.suffix for path in page.parent.iterdir()} == {".html", ".json", ".xml"}


def near(data: bytes) -> bytes:
    """The same picture, a little smaller."""
    buffer = io.BytesIO()
    with Pillow.open(io.BytesIO(data)) as picture:
        picture.resize((230, 230)).resize((240, 240)).save(buffer, "PNG")
    return buffer.getvalue()


def seeded(campaign: Any, painted: Callable[..., bytes], theirs: tuple[str, ...]) -> set[tuple[str, str]]:
    """Plant a fault of every kind among healthy pictures: the codes and subjects to be found."""
    healthy = [campaign.image() for _ in range(3)]
    campaign.says(healthy[0], "SUMMER, SLOWLY", "SUMMER,|SLOWLY")
    planted: set[tuple[str, str]] = set()

    def fault(row: dict[str, Any], *codes: str) -> dict[str, Any]:
        planted.update((code, row["image_id"]) for code in codes)
        return row

    fault(campaign.image(painted(100, theirs)), "palette.low_coverage", "palette.off_brand")
    fault(campaign.image(options=campaign.asking(("#D8572A", 0.2), ("#0B7A75", 0.8))), "palette.asked_missing")
    campaign.says(fault(campaign.image(), "lettering.misspelt"), "SOMMER", "SOMER")
    campaign.says(fault(campaign.image(), "lettering.missing"), "GOOD MORNING", "GOOD")
    campaign.says(fault(campaign.image(), "lettering.invented"), "CIAO", "CIAO|DISCOUNT")
    twin, close = painted(200), painted(300)
    pairs = [("duplicates.exact", twin, twin), ("duplicates.near", close, near(close))]
    for code, one, other in pairs:
        two = sorted(campaign.image(data)["image_id"] for data in (one, other))
        planted.add((code, "+".join(two)))
    same = [campaign.image(prompt="The very same words") for _ in range(2)]
    planted.add(("duplicates.prompts", "+".join(sorted(row["prompt_id"] for row in same))))
    fault(campaign.image(media_type=None), "metadata.missing")
    fault(campaign.image(seed_asked=7, seed=8), "metadata.wrong")
    late = campaign.images[0]["requested_at"] - timedelta(days=9)
    fault(campaign.image(stored_at=late), "metadata.inconsistent")
    campaign.image(brand="nobody")
    planted.add(("metadata.unknown_brand", "nobody"))
    assets = campaign.ws.assets
    assets.delete([fault(campaign.image(), "integrity.missing")["local_path"]])
    changed = fault(campaign.image(), "integrity.changed")
    data = assets.read(changed["local_path"])
    assets.write(changed["local_path"], data[:-20] + bytes(20))
    cut = fault(campaign.image(), "integrity.truncated")
    assets.write(cut["local_path"], assets.read(cut["local_path"])[:200])
    fault(campaign.image(b"\x89PNG but no picture at all", width=None, height=None), "integrity.undecodable")
    campaign.images[-1].update(width=240, height=240)
    assets.write("helio/stray.png", painted(400))
    planted.add(("integrity.orphaned", "helio/stray.png"))
    gone = {"local_path": None, "sha256": None, "bytes": None, "stored_at": None}
    fault(campaign.image(status="withheld", **gone), "delivery.withheld")
    fault(campaign.image(status="lost", **gone), "delivery.lost")
    fault(campaign.image(expiry_margin_s=12.0), "delivery.late_link")
    refused = {"counted": 0, "cost_micros": 0, "cost_usd": 0.0}
    for code, outcome in (("delivery.refused", "refused"), ("delivery.failed", "void")):
        planted.add((code, campaign.request(outcome=outcome, reason="it said no", **refused)["request_id"]))
    planted.add(("delivery.in_doubt", campaign.in_doubt().request_id))
    return planted


def test_a_bad_campaign_names_each_fault_and_nothing_else(
    campaign: Any, painted: Callable[..., bytes], theirs: tuple[str, ...]
) -> None:
    """In the findings, on the page with its evidence, in the JSON, in the XML and in the dataset alike."""
    planted = seeded(campaign, painted, theirs)
    ws = campaign.commit()
    done, page = run(ws)
    assert {(one.code, one.subject) for one in done.findings} == planted
    assert done.exit_code == 3
    text = page.read_text(encoding="utf-8")
    for one in done.findings:
        assert f'id="f-{one.finding_id}"' in text
    assert 'class="box wrong"' in text
    assert "#0B7A75" in text
    assert "$0.06 are in doubt" in text
    said = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert {(one["code"], one["subject"]) for one in said["findings"]} == planted
    failures = page.with_suffix(".xml").read_text(encoding="utf-8").count("<failure ")
    assert failures == len(done.failing) == sum(one.severity.word == "error" for one in done.findings)
    written = [row for row in rows(ws) if row["code"] != SCORE]
    assert {(row["code"], row["subject"]) for row in written} == planted
    assert {row["state"] for row in written} == {"new"}
    # Healthy pictures stay healthy beside the sick.
    sick = {one.image_id for one in done.findings}
    assert not sick & {image.image_id for image in done.images[:3]}


def test_findings_stay_go_come_back_and_are_accepted(
    campaign: Any, painted: Callable[..., bytes], theirs: tuple[str, ...]
) -> None:
    """From week to week, by what the dataset remembers; an accepted one does not come back, and is not hidden."""
    lost, alien = campaign.image(), campaign.image(painted(9, theirs))
    kept = campaign.ws.assets.read(lost["local_path"])
    campaign.ws.assets.delete([lost["local_path"]])
    ws = campaign.commit()
    first, _ = run(ws)
    assert {one.code for one in first.findings} == {"integrity.missing", "palette.low_coverage", "palette.off_brand"}

    second, page = run(ws, days=7)
    states = {row["code"]: row["state"] for row in rows(ws) if row["audit_id"] == second.audit_id}
    assert states == {
        SCORE: "score",
        "integrity.missing": "still",
        "palette.low_coverage": "still",
        "palette.off_brand": "still",
    }
    assert "Since the audit of 23 November 2026" in page.read_text(encoding="utf-8")
    assert [past.score for past in second.past] == [0]

    ws.assets.write(lost["local_path"], kept)
    off_brand = next(one for one in second.findings if one.code == "palette.off_brand")
    campaign.accept(off_brand.finding_id)
    third, page = run(ws, days=14)
    assert {one.code for one in third.findings} == {"palette.low_coverage"}
    states = {row["code"]: (row["state"], row["accepted"]) for row in rows(ws) if row["audit_id"] == third.audit_id}
    assert states["integrity.missing"] == ("gone", False)
    assert states["palette.off_brand"] == ("accepted", True)
    assert states["palette.low_coverage"] == ("still", False)
    assert "1 finding accepted by somebody" in page.read_text(encoding="utf-8")

    ws.assets.delete([lost["local_path"]])
    fourth, _ = run(ws, days=21)
    states = {row["code"]: row["state"] for row in rows(ws) if row["audit_id"] == fourth.audit_id}
    assert states["integrity.missing"] == "new"
    assert alien["image_id"] in {one.image_id for one in fourth.findings}


def test_what_was_not_looked_at_is_not_gone(
    campaign: Any, painted: Callable[..., bytes], theirs: tuple[str, ...]
) -> None:
    """A check that is off for a week leaves its findings unseen, and finds them still there afterwards."""
    campaign.image(painted(9, theirs))
    ws = campaign.commit()
    policy = campaign.root / "configs" / "audit.yaml"
    run(ws)
    policy.write_text("palette: {enabled: false}\n", encoding="utf-8")
    second, page = run(ws, days=7)
    assert second.findings == ()
    assert "2 findings of the last audit were not looked at again" in page.read_text(encoding="utf-8")
    policy.unlink()
    third, _ = run(ws, days=14)
    assert {row["state"] for row in rows(ws) if row["audit_id"] == third.audit_id and row["code"] != SCORE} == {"still"}


def test_every_audit_leaves_a_score_even_the_first_and_empty(campaign: Any) -> None:
    """Which is what the next one compares with."""
    done, page = run(campaign.ws)
    assert "No pictures in use yet." in page.read_text(encoding="utf-8")
    (only,) = rows(campaign.ws)
    assert (only["code"], only["state"], only["measure"], only["audit_id"]) == (SCORE, "score", None, done.audit_id)
    second, _ = run(campaign.ws, days=7)
    assert [past.audit_id for past in second.past] == [done.audit_id]


def test_what_another_run_is_storing_is_no_orphan(campaign: Any, painted: Callable[..., bytes]) -> None:
    """Its file bears the name of a request that is still open."""
    claim = campaign.in_doubt()
    campaign.ws.assets.write(f"helio/{claim.request_id}-0.png", painted(1))
    done, _ = run(campaign.ws)
    assert {one.code for one in done.findings} == {"delivery.in_doubt"}


def test_a_brand_file_with_a_mistake_is_a_finding(campaign: Any) -> None:
    """With its place, and the other checks go on."""
    (campaign.root / "configs" / "brands" / "helio.yml").write_text(
        "color: {palette: {a: nonsense}}\n", encoding="utf-8"
    )
    campaign.image()
    done, _ = run(campaign.commit())
    (only,) = done.findings
    assert only.code == "metadata.unknown_brand"
    assert "helio.yml:1" in only.message


def test_pictures_are_measured_once(campaign: Any) -> None:
    """The second audit decodes nothing; a stop in between keeps what was measured and reports nothing."""
    for _ in range(2):
        campaign.image()
    ws = campaign.commit()
    stop, told = Stop(), list[Progress]()
    stop.ask("stopped by SIGINT")
    with pytest.raises(Unfinished, match=r"stopped by SIGINT: nothing was reported"):
        asyncio.run(audit(ws, stop=stop))
    assert not (campaign.root / "data" / "reports").exists()
    asyncio.run(audit(ws, tell=told.append))
    assert 0 < sum(event.what == "measured" for event in told) <= 2
    told.clear()
    asyncio.run(audit(ws, tell=told.append))
    assert told == []
