"""Quotes: asked for once a day, free, never of what would bill; they win over the price book and check it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from flows.campaign.run import generate
from flows.campaign.steps import Ask, prepare
from flows.errors import Refused
from flows.history import view
from flows.money import quotes
from flows.money.quotes import ask, pricing, shape
from flows.sandbox.handle import IdeogramSandbox
from flows.workspace import Workspace

BOOK = """
sources:
  old: {url: "https://example.com/prices", checked: 2026-01-01}
models:
  ideogram-3: {default: [{usd: "0.05", since: 2025-01-01, source: old}]}
  ideogram-4-5: {low: [{usd: "0.03", since: 2025-01-01, source: old}]}
  V_2A_TURBO: {default: [{usd: "0.025", since: 2025-01-01, source: old}]}
"""


@pytest.fixture
def ws(project: Callable[..., Workspace]) -> Workspace:
    """A project whose price book is out of date."""
    opened = project()
    folder = opened.settings.project / "configs"
    folder.mkdir()
    (folder / "prices.yaml").write_text(BOOK, encoding="utf-8")
    return opened


def _ask(ws: Workspace) -> quotes.Quotation:
    return asyncio.run(ask(ws, ws.manifests(()).variants))


def test_each_distinct_request_is_asked_for_once_a_day(ws: Workspace, sandbox: IdeogramSandbox) -> None:
    """Two models that give quotes are two requests, nothing is billed; asked again the same day, none is sent."""
    first = _ask(ws)
    assert (first.asked, first.known, first.unquotable, first.troubles) == (2, 0, ("V_2A_TURBO",), {})
    assert (sandbox.stats()["quotes"], sandbox.ledger()["billed_micros"]) == (2, 0)
    second = _ask(ws)
    assert (second.asked, second.known, sandbox.stats()["quotes"]) == (0, 2, 2)
    tomorrow = replace(ws, now=lambda: ws.now() + timedelta(days=1))
    assert _ask(tomorrow).asked == 2
    assert [path.name[:10] for path in (ws.settings.project / "data" / "quotes").glob("*.json")] == [
        str((ws.now() + timedelta(days=1)).date())
    ]


def test_the_price_book_is_told_where_it_is_wrong(ws: Workspace) -> None:
    """What disagrees is named with both prices and what to write; what agrees is not mentioned."""
    (wrong,) = _ask(ws).disagreements
    today = ws.now().date()
    assert (wrong.model, wrong.tier, wrong.book, wrong.quoted) == (
        *("ideogram-3", "default"),
        *(Decimal("0.05"), Decimal("0.06")),
    )
    assert f"until: {today - timedelta(days=1)}" in wrong.remedy
    assert f'{{usd: "0.06", since: {today}' in wrong.remedy


def test_quotes_of_today_are_what_the_plan_and_the_claims_go_by(ws: Workspace, sandbox: IdeogramSandbox) -> None:
    """The plan's total is exact, and the history says where the price came from; without a quote the book stands."""
    assert prepare(ws, Ask()).plan.cost == Decimal("0.23")
    _ask(ws)
    plan = prepare(ws, Ask()).plan
    today = ws.now().date()
    assert plan.cost == Decimal("0.26")
    assert {item.price_source for item in plan.items} == {
        f"quote {today}",
        "https://example.com/prices (checked 2026-01-01)",
    }
    asyncio.run(generate(ws, Ask()))
    rows = view.images(ws.parts, ["model", "price_source", "cost_usd"]).to_pylist()
    assert round(sum(row["cost_usd"] for row in rows) * 1_000_000) == sandbox.ledger()["billed_micros"]
    assert {row["price_source"] for row in rows if row["model"] == "ideogram-3"} == {f"quote {today}"}


def test_a_model_the_book_does_not_know_can_be_priced_by_a_quote(ws: Workspace) -> None:
    """Where the book has no price at all, the quote is one, and the book is told what to add."""
    path = ws.settings.project / "configs" / "prices.yaml"
    path.write_text(BOOK.replace("  ideogram-3:", "  # ideogram-3:"), encoding="utf-8")
    (wrong,) = _ask(ws).disagreements
    assert (wrong.book, wrong.remedy.count("until")) == (None, 0)
    assert prepare(ws, Ask()).plan.cost == Decimal("0.26")


def test_no_more_than_fifty_are_asked_for_at_a_time(
    project: Callable[..., Workspace], sandbox: IdeogramSandbox
) -> None:
    """A manifest of very many different requests is priced in several goes, and says so."""
    ws = project()
    (variant,) = [one for one in ws.manifests(()).variants if one.model == "ideogram-3"]
    sizes = [value for option in variant.endpoint.options if option.name == "resolution" for value in option.values]
    many = [replace(variant, options={"resolution": size}) for size in sizes]
    assert len(many) > quotes.MOST
    first = asyncio.run(ask(ws, many))
    assert (first.asked, first.unasked) == (quotes.MOST, len(many) - quotes.MOST)
    assert asyncio.run(ask(ws, many)).unasked == 0
    assert sandbox.stats()["quotes"] == len(many)


def test_words_do_not_change_a_price(project: Callable[..., Workspace]) -> None:
    """Prompt, negative prompt and seed are left out of what a quote is kept under; options that may matter are not."""
    variant = next(one for one in project().manifests(()).variants if one.model == "ideogram-3")
    same = [
        variant,
        replace(variant, prompt="another"),
        replace(variant, seed=7),
        replace(variant, options={**variant.options, "negative_prompt": "people"}),
    ]
    assert len({shape(one) for one in same}) == 1
    assert shape(replace(variant, options={"rendering_speed": "turbo"})) != shape(variant)


def test_a_refused_key_is_said_at_once(project: Callable[..., Workspace]) -> None:
    """A quote is the free way to find out that a key does not work."""
    ws = project()
    wrong = replace(ws, settings=ws.settings.model_copy(update={"api_key": type(ws.settings.key())("wrong")}))
    with pytest.raises(Refused, match="IDEOGRAM_API_KEY"):
        _ask(wrong)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"x": 1}', '{"%s": {"micros": "many", "exact": true}}'])
def test_a_spoilt_file_of_quotes_is_asked_for_anew(project: Callable[..., Workspace], text: str) -> None:
    """What somebody wrote into it by hand, or half of it, is no price and no traceback."""
    ws = project()
    _ask(ws)
    variant = next(one for one in ws.manifests(()).variants if one.model == "ideogram-3")
    (path,) = (ws.settings.project / "data" / "quotes").glob("*.json")
    Path(path).write_text(text.replace("%s", shape(variant)), encoding="utf-8")
    assert pricing(ws)(variant).usd == Decimal("0.06")
    assert _ask(ws).asked >= 1
