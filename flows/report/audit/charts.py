"""The charts of the audit page, drawn by pygal: plain SVG that takes its colours from the page around it.

pygal adds a script, a style sheet of its own and the day it ran on; those are taken out, so that a chart does
nothing, follows light and dark, and has the same bytes every day.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element, tostring

import pygal
from pygal.style import Style

from flows.report.audit.model import Audit, SpendLine
from flows.report.audit.standing import by_brand, overall

# On import pygal hooks an old-style finder into Python's imports, for plug-ins that we have none of; with it there,
# every later import of a module that is missing brings a warning (Python 3.11) that has nothing to do with us.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

WIDTH, HEIGHT = 520, 230
MAX_LINES = 6
MAX_BARS = 31
MAX_POINTS = 26
_STYLE = Style(font_family="inherit", label_font_size=13, major_label_font_size=13, stroke_width="2")
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Trend:
    """A chart of scores, and its numbers as a table: a column for each line, in the order of its colours."""

    svg: str
    days: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Bars:
    """A chart of spending, and its numbers."""

    svg: str
    lines: tuple[SpendLine, ...]
    monthly: bool


def score_trend(audit: Audit) -> Trend | None:
    """The scores of this and earlier audits; None while there is only one audit."""
    past = audit.past[-(MAX_POINTS - 1) :]
    if not past:
        return None
    now = {score.brand or "": score.value for score in by_brand(audit)}
    days = [*(one.at for one in past), audit.at]
    names = sorted({name for one in past for name in one.brands} | set(now), key=lambda name: (not name, name))
    lines: dict[str, list[int | None]] = {}
    if len(names) > 1:
        lines["all pictures"] = [*(one.score for one in past), overall(audit).value]
    for name in names[: MAX_LINES - len(lines)]:
        brand = audit.brands.get(name)
        called = brand.name if brand else name or "no brand"
        lines[called] = [*(one.brands.get(name) for one in past), now.get(name)]
    lines = {called: values for called, values in lines.items() if any(value is not None for value in values)}
    if not lines:
        return None
    chart = pygal.Line(**_options(len(days)), range=(0, 100), dots_size=4)
    chart.y_labels = [0, 25, 50, 75, 100]
    chart.x_labels = [f"{day:%-d %b}" for day in days]
    for called, values in lines.items():
        chart.add(called, values)
    rows = tuple((name, tuple("-" if one is None else str(one) for one in values)) for name, values in lines.items())
    return Trend(_svg(chart, "Scores of this and earlier audits"), tuple(f"{day:%Y-%m-%d}" for day in days), rows)


def spend_bars(days: Sequence[SpendLine]) -> Bars | None:
    """What was spent by day, or by month where the days are many; None where there would be a single bar."""
    monthly = len(days) > MAX_BARS
    lines = _by_month(days)[-MAX_BARS:] if monthly else list(days)
    if len(lines) < 2:
        return None
    chart = pygal.Bar(**_options(len(lines)))
    firsts = [date.fromisoformat(f"{line.key}-01" if monthly else line.key) for line in lines]
    chart.x_labels = [f"{day:%b %Y}" if monthly else f"{day:%-d %b}" for day in firsts]
    chart.value_formatter = lambda value: f"${value:,.2f}"
    chart.add("spent", [line.micros / 1_000_000 for line in lines])
    return Bars(_svg(chart, f"Spent by {'month' if monthly else 'day'}"), tuple(lines), monthly)


def _by_month(days: Sequence[SpendLine]) -> list[SpendLine]:
    months: dict[str, SpendLine] = {}
    for day in days:
        key = day.key[:7]
        sum_ = months.get(key, SpendLine(key, 0, 0, 0))
        months[key] = SpendLine(
            key,
            sum_.billed + day.billed,
            sum_.kept + day.kept,
            sum_.micros + day.micros,
            sum_.in_doubt_micros + day.in_doubt_micros,
        )
    return list(months.values())


def _options(points: int) -> Mapping[str, Any]:
    return {
        "js": [],
        "style": _STYLE,
        "width": WIDTH,
        "height": HEIGHT,
        "margin": 6,
        "margin_right": 26,
        "show_x_guides": False,
        "truncate_label": -1,
        "max_scale": 5,
        "min_scale": 2,
        "show_minor_x_labels": points <= 7,
        "x_labels_major_every": None if points <= 7 else -(-points // 7),
        "show_legend": False,
        "tooltip_fancy_mode": False,
    }


def _svg(chart: Any, name: str) -> str:
    root: Element = chart.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            tag: object = child.tag  # of comments it is a function
            if not isinstance(tag, str) or tag.removeprefix(_SVG) in {"defs", "script", "style", "desc"}:
                parent.remove(child)
    title = root.find("title")
    if title is None:
        title = root.find(f"{_SVG}title")
    if title is not None:
        title.text = name
    root.attrib.pop("id", None)
    root.set("role", "img")
    root.set("aria-label", name)
    return tostring(root, encoding="unicode")
