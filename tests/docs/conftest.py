"""What the pages are tried on: a season of a made-up brand, bought on the sandbox week by week with a moved clock."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.auditing import audit
from flows.campaign.run import generate
from flows.campaign.steps import Ask
from flows.history import current
from flows.keeping.verdicts import decide
from flows.workspace import Workspace, open_workspace

ROOT = Path(__file__).resolve().parents[2]
FIRST = datetime(2026, 10, 12, 7, 0, tzinfo=UTC)  # a Monday
_HEAD = """\
version: 1
brand: helio
defaults: {model: ideogram-3, aspect_ratio: 1:1}
models:
  ideogram-4-5: {quality: medium, magic_prompt: off}
prompts:
"""
_NEWSLETTER = """\
  - id: newsletter
    prompt: "A breakfast table by the sea, a jug of orange juice, {colours}"
    vars: {colours: "%s"}
    campaign: newsletter
    count: 2
    refresh: weekly
    options: {rendering_speed: turbo}
"""
_HARVEST = """\
  - id: harvest
    prompt: 'Poster, an olive grove in the evening, a crate of fruit. Large lettering reads "{lettering}".'
    matrix:
      language:
        en: {lettering: "HARVEST"}
        it: {lettering: "RACCOLTO"}
    campaign: harvest
    count: 2
  - {id: badge, prompt: "Round enamel badge of a fern leaf", model: V_2, campaign: harvest}
"""
_WINTER = """\
  - id: winter
    prompt: 'Poster, an orange in the snow at night, {brand.palette}. Large lettering reads "%s".%s'
    lettering: "WARM INSIDE"
    campaign: winter
    model: ideogram-4-5
    count: %d
"""
_FREE, _ASKED = "in clear morning light", "in the colours of a sunrise"
# What the copywriter typed by hand is what is drawn; what was agreed on is what the audit looks for.
_SLIP, _RIGHT = ("WRAM INSIDE", " Meant is {lettering}."), ("{lettering}", "")


def _manifest(week: int) -> str:
    """What is wanted in a week. From the third on the newsletter asks for the brand's colours."""
    newsletter = _NEWSLETTER % (_FREE if week < 2 else _ASKED)
    if week >= 2:
        newsletter = newsletter.replace("turbo}", "turbo, color_palette: brand}")
    if week < 2:
        return _HEAD + newsletter + _HARVEST
    slip, aside = _SLIP if week == 3 else _RIGHT
    return _HEAD + newsletter + (_WINTER % (slip, aside, week - 1) if week >= 3 else "")


def _slow(week: int) -> float:
    """Seconds that a picture seems to take: the fourth week the API was slow."""
    return 2.5 if week == 3 else 0.1


def season(root: Path, weeks: int = 5) -> Workspace:
    """Buy and audit, Monday by Monday; in the second week two posters are turned down, one of them bought anew."""
    (root / "configs" / "brands").mkdir(parents=True)
    for name in ("audit.yaml", "brands/helio.yml"):
        shutil.copy(ROOT / "configs" / name, root / "configs" / name)
    for week in range(weeks):
        (root / "prompts.yaml").write_text(_manifest(week), encoding="utf-8")
        ws = _at(root, FIRST + timedelta(weeks=week), {"IDEOFLOW_SANDBOX__LATENCY_S": str(_slow(week))})
        report, _ = asyncio.run(generate(ws, Ask()))
        assert report.exit_code == 0, report
        if week == 1:
            italian = current(ws, columns=["image_id", "variant"]).query("variant == 'harvest@language=it'")
            one, other = sorted(italian.image_id)
            decide(ws, "reject", [one], reason="too dark", replace=True)
            decide(ws, "reject", [other], reason="the crate is empty")
            asyncio.run(generate(ws, Ask()))
        asyncio.run(audit(ws))
    return ws


def _at(root: Path, when: datetime, environ: Mapping[str, str]) -> Workspace:
    """The project as if it were then; from that moment on time goes by as it does."""
    ws = open_workspace(root, (), {"IDEOFLOW_API__POLL_INTERVAL_S": "0.05", **environ})
    began = ws.uptime()
    return replace(ws, now=lambda: when + timedelta(seconds=ws.uptime() - began))


@pytest.fixture(scope="session")
def bought_season(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The whole of it, once."""
    return season(tmp_path_factory.mktemp("season") / "helio")
