"""The charts of the audit page, drawn by pygal: plain SVG that takes its colours from the page around it.

pygal adds a script, a style sheet of its own and the day it ran on; those are taken out, so that a chart does
nothing, follows light and dark, and has the same bytes every day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, tostring

import pygal
from pygal.style import Style

from flows.report.audit.model import Audit, SpendLine
from flows.report.audit.standing import by_brand, overall

WIDTH, HEIGHT = 720, 210
MAX_BARS = 31
MAX_POINTS = 26
_STYLE = Style(font_family="inherit", label_font_size=13, major_label_font_size=13, stroke_width="2")
_SVG = "{http://www.w3.org/2000/svg}"


def score_trend(audit: Audit) -> tuple[str, tuple[tuple[str, tuple[str, ...]], ...]] | None:
    """The scores of this and earlier audits as SVG, and as a table; None while there is only one audit."""
    past = audit.past[-(MAX_POINTS - 1) :]
    if not past:
        return None
    now = {score.brand or "": score.value for score in by_brand(audit)}
    days = [*(one.at for one in past), audit.at]
    names = sorted({name for one in past for name in one.brands} | set(now), key=lambda name: (not name, name))
    lines: dict[str, list[int | None]] = {}
    if len(names) > 1:
        lines["all pictures"] = [*(one.score for one in past), overall(audit).value]
    for name in names[:5]:
        lines[name or "no brand"] = [*(one.brands.get(name) for one in past), now.get(name)]
    chart = pygal.Line(**_options(len(days)), range=(0, 100), dots_size=4, show_legend=len(lines) > 1)
    chart.y_labels = [0, 25, 50, 75, 100]
    chart.x_labels = [f"{day:%d %b}" for day in days]
    for name, values in lines.items():
        chart.add(name, values)
    rows = tuple(
        (name, tuple("–" if value is None else str(value) for value in values)) for name, values in lines.items()
    )
    head = ("", tuple(f"{day:%Y-%m-%d}" for day in days))
    return _svg(chart, "Scores of this and earlier audits"), (head, *rows)


def spend_bars(days: Sequence[SpendLine]) -> tuple[str, tuple[SpendLine, ...]] | None:
    """What was spent by day, or by month where the days are many, as SVG and as its lines; None for a single bar."""
    lines = list(days)
    if len(lines) > MAX_BARS:
        lines = _by_month(lines)[-MAX_BARS:]
    if len(lines) < 2:
        return None
    chart = pygal.Bar(**_options(len(lines)), show_legend=False)
    chart.x_labels = [line.key for line in lines]
    chart.value_formatter = lambda value: f"${value:,.2f}"
    chart.add("spent", [line.micros / 1_000_000 for line in lines])
    what = "month" if len(lines[0].key) == len("2026-11") else "day"
    return _svg(chart, f"Spent by {what}"), tuple(lines)


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
        "show_x_guides": False,
        "truncate_label": -1,
        "max_scale": 5,
        "min_scale": 2,
        "show_minor_x_labels": points <= 9,
        "x_labels_major_count": None if points <= 9 else 7,
        "legend_at_bottom": True,
        "legend_at_bottom_columns": 6,
        "legend_box_size": 10,
        "tooltip_fancy_mode": False,
    }


def _svg(chart: Any, name: str) -> str:
    root: Element = chart.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            tag = child.tag if isinstance(child.tag, str) else ""  # comments have a function for a tag
            if tag.removeprefix(_SVG) in {"", "defs", "script", "style", "desc"}:
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
