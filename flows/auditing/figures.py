"""Figures of the page that no check makes: what was spent, and which colours the pictures of a brand show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from flows.brand import colour
from flows.budget.limits import Cap as BudgetCap
from flows.checks.subject import Image, Measured
from flows.money.spending import Line, spending
from flows.report.audit.model import Cap, Spend, SpendLine, Tone
from flows.workspace import Workspace

MAX_TONES = 8
_TOGETHER = 256  # palettes of a brand: memory must not grow with its pictures
_GRID = 8.0  # CIELAB units: finer than people tell two colours of different pictures apart
_ALIKE = 12.0  # CIEDE2000
_CAPS = {BudgetCap.DAY: "today", BudgetCap.MONTH: "this month"}


def spend(ws: Workspace) -> Spend:
    """What this origin has cost, ever and this month, by campaign and by day."""
    today = ws.now().astimezone(ws.settings.generate.zone).date()
    campaigns, days = spending(ws, "campaign"), spending(ws, "day")
    month = spending(ws, "day", today.replace(day=1))
    return Spend(
        total=_line(days.total, "all"),
        month=_line(month.total, "this month"),
        campaigns=tuple(_line(line, line.key) for line in campaigns.lines),
        days=tuple(_line(line, line.key) for line in days.lines),
        caps=tuple(
            Cap(_CAPS[state.cap], state.limit, state.used)
            for state in days.caps
            if state.cap in _CAPS and state.used is not None
        ),
    )


def _line(line: Line, key: str) -> SpendLine:
    return SpendLine(key, line.images, line.kept, line.spent, line.in_doubt)


def tones(images: Iterable[Image], features: Mapping[str, Measured]) -> dict[str, tuple[Tone, ...]]:
    """The largest colours of each brand's pictures in use, all pictures counting alike; the empty name: no brand."""
    palettes: defaultdict[str, list[np.ndarray]] = defaultdict(list)
    for image in images:
        found = features.get(image.sha256 or "")
        if image.kept and found is not None and len(found.palette):
            mine = palettes[image.brand or ""]
            mine.append(found.palette)
            if len(mine) > _TOGETHER:
                palettes[image.brand or ""] = [_by_cell(mine)]
    return {brand: _together(_by_cell(every)) for brand, every in palettes.items()}


def _by_cell(palettes: list[np.ndarray]) -> np.ndarray:
    """Palettes, each (n, 4) of L, a, b and share, as one with a colour for each cell: the mean of what lies in it."""
    clusters = np.concatenate(palettes).astype(float)
    cells, at = np.unique(np.floor(clusters[:, :3] / _GRID).astype(int), axis=0, return_inverse=True)
    shares = np.bincount(at.ravel(), clusters[:, 3], len(cells))
    sums = np.stack([np.bincount(at.ravel(), clusters[:, n] * clusters[:, 3], len(cells)) for n in range(3)], axis=1)
    return np.hstack([sums / np.maximum(shares, 1e-12)[:, None], shares[:, None]])


def _together(clusters: np.ndarray) -> tuple[Tone, ...]:
    """A palette to a few tones: what looks alike is one."""
    means, shares = clusters[:, :3], clusters[:, 3]
    order = np.argsort(-shares, kind="stable")[: MAX_TONES * 8]
    kept: list[tuple[np.ndarray, float]] = []
    for lab, share in zip(means[order], shares[order], strict=True):
        near = colour.differences(lab[None], np.array([one for one, _ in kept])) if kept else np.zeros((1, 0))
        if near.size and near.min() < _ALIKE:
            number = int(near.argmin())
            kept[number] = (kept[number][0], kept[number][1] + float(share))
        elif len(kept) < MAX_TONES:
            kept.append((lab, float(share)))
    whole = sum(share for _, share in kept)
    tones_ = [Tone(colour.hex_of(lab.tolist()), round(share / whole, 4)) for lab, share in kept]
    return tuple(sorted(tones_, key=lambda tone: (-tone.share, tone.hex)))
