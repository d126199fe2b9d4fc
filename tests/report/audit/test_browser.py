"""The page in a real browser: silent, offline, filterable, accessible, and deaf to what is planted in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flows.report.audit.model import Audit
from flows.report.audit.page import Shot

sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python")
BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine")]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@dataclass
class Visit:
    """A page that was opened, what it said in the console, and what it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def shown(self, items: str) -> int:
        """How many of these are to be seen."""
        count: int = self.page.locator(f"{items} [data-item]:visible").count()
        return count


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, once."""
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield chromium
        chromium.close()


Visiting = Callable[..., Visit]


@pytest.fixture
def visit(
    browser: Any, tmp_path: Path, audit: Audit, shots: Mapping[str, Shot], rendered: Callable[..., list[bytes]]
) -> Iterator[Visiting]:
    """Open the page as somebody would who was sent the file."""
    (data,) = rendered(audit, shots)
    file = tmp_path / "audit.html"
    file.write_bytes(data)
    contexts = []

    def open_(**how: Any) -> Visit:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.page.on("console", lambda message: seen.said.append(message.text))
        seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
        seen.page.on("dialog", lambda dialog: seen.said.append(dialog.message))
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.goto(file.as_uri())
        return seen

    yield open_
    for context in contexts:
        context.close()


def test_it_opens_in_silence_and_asks_for_nothing(visit: Visiting) -> None:
    """No word in the console, no request but for itself, and what is planted in prompts has not run."""
    seen = visit()
    assert seen.said == []
    assert [url for url in seen.asked if not url.startswith(("file:", "data:"))] == []
    assert seen.page.title() == "Brand audit, Monday, 23 November 2026"
    assert seen.page.locator("img").count() == 0
    assert seen.page.locator("a[href^='http'], a[href^='javascript']").count() == 0


def test_pictures_are_drawn_where_they_belong(visit: Visiting) -> None:
    """Each thumbnail is in the file once, and shown in findings and contact sheet alike, with its box."""
    seen = visit()
    drawn = seen.page.evaluate(
        """() => [...document.querySelectorAll("svg.shot use")].map((use) => {
             const box = use.getBoundingClientRect(); return [use.href.baseVal, box.width > 20 && box.height > 20] })"""
    )
    assert drawn
    assert all(large for _, large in drawn)
    store = seen.page.locator("svg.store image").count()
    assert store == len({name for name, _ in drawn}) == 5
    assert seen.page.locator(".box.wrong rect:visible").count() == 1


def test_search_and_filters_narrow_and_clear(visit: Visiting) -> None:
    """By words, severity, check and since, for findings and pictures apart; the count is said aloud."""
    seen = visit()
    findings, pictures = "#findings-list", "#pictures-list"
    assert (seen.shown(findings), seen.shown(pictures)) == (5, 6)
    form = seen.page.locator("form[data-for='findings-list']")
    form.locator("select[name=severity]").select_option("warning")
    assert seen.shown(findings) == 3
    assert seen.page.locator("#findings-count").inner_text() == "3 of 5 findings"
    assert not seen.page.locator("#s-error").is_visible()
    form.locator("select[name=since]").select_option("still")
    assert seen.shown(findings) == 1
    form.locator("button").click()
    seen.page.wait_for_function("document.querySelector('#findings-count').textContent === '5 findings'")
    form.locator("input").fill("SOMER asked")
    assert seen.shown(findings) == 1
    form.locator("input").fill("nothing of the kind")
    assert seen.shown(findings) == 0
    assert seen.page.locator("#findings-list [data-nothing]").is_visible()
    assert seen.shown(pictures) == 6
    other = seen.page.locator("form[data-for='pictures-list']")
    other.locator("select[name=worst]").select_option("none")
    assert seen.shown(pictures) == 1
    other.locator("select[name=worst]").select_option("")
    other.locator("input").fill("ferry")
    assert seen.shown(pictures) == 1
    other.locator("input").press("Enter")
    assert seen.page.url.endswith("audit.html")
    assert seen.said == []


def test_without_scripts_everything_is_there_but_the_filters(visit: Visiting) -> None:
    """As mail programs and careful people show it."""
    seen = visit(java_script_enabled=False)
    assert seen.shown("#findings-list") == 5
    assert seen.page.locator("form.filters:visible").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(visit: Visiting, scheme: str, width: int) -> None:
    """Of any weight, by the rules of WCAG 2.2 AA and good practice; contrast is part of them."""
    from axe_playwright_python.sync_playwright import Axe

    # The page lets no script in but its own: the examiner has to be let in past its policy.
    seen = visit(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
    seen.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    found = Axe().run(seen.page).response["violations"]
    assert [(one["id"], one["impact"], [node["target"] for node in one["nodes"][:3]]) for one in found] == []


def test_it_fits_a_phone_and_is_worked_by_keyboard(visit: Visiting) -> None:
    """Nothing sticks out sideways; the first Tab offers to skip to the audit, and Enter does it."""
    seen = visit(viewport={"width": 360, "height": 740})
    widths = seen.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] <= widths[1]
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "Skip to the audit"
    seen.page.keyboard.press("Enter")
    assert seen.page.url.endswith("#main")
    seen.page.locator(".rule > summary").first.focus()
    seen.page.keyboard.press("Enter")
    assert seen.page.locator(".rule").first.get_attribute("open") is None


def test_it_prints_on_paper_in_daylight(visit: Visiting, tmp_path: Path) -> None:
    """White ground whatever the screen likes, no filters, nothing wider than the sheet."""
    seen = visit(color_scheme="dark", viewport={"width": 690, "height": 1000})
    seen.page.emulate_media(media="print", color_scheme="dark")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.page.locator("form.filters:visible").count() == 0
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 690
    assert seen.page.pdf(format="A4").startswith(b"%PDF")
