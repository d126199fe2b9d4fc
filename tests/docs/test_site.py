"""The pages as a site: built without a warning, whole in a browser, and asking nobody outside for anything."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
pytestmark = pytest.mark.slow
# A page, and words that stand on it once it is drawn.
SHOWN = {
    "index.html": "Nothing is paid twice",
    "first-hour.html": "ideoflow init summer",
    "manifest.html": "What makes it another picture",
    "configuration.html": "per_run_usd",
    "analysis.html": "How far the pictures are from the brand",
    "history.html": "Perceptual hash",
    "faq.html": "in doubt",
    "files/configs/prefect.yaml.html": "collision_strategy",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it; any warning ends it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(ROOT / ".mkdocs.yml")]
    done = subprocess.run(
        [*command, "--site-dir", str(folder)],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(built: Path) -> Iterator[str]:
    """Where it is served, on loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(built))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, once."""
    if not BROWSER:
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield chromium
        chromium.close()


def test_every_page_is_there(built: Path) -> None:
    """Each Markdown file, the README, the changelog and the notebook."""
    wanted = {path.with_suffix(".html").name for path in (ROOT / "docs").glob("*.md")}
    assert wanted | {"index.html", "changelog.html", "analysis.html"} <= {path.name for path in built.glob("*.html")}
    assert not list(built.rglob("mkdocs_site.py"))


def test_nothing_is_fetched_from_elsewhere(built: Path) -> None:
    """No page loads a script, a style, a font or a picture from another host."""
    for page in built.rglob("*.html"):
        for tag in page.read_text(encoding="utf-8").split("<")[1:]:
            if tag.startswith(("script", "link", "img", "iframe")):
                assert 'src="http' not in tag, page
                assert not ('href="http' in tag and "canonical" not in tag), page


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_in_a_browser(name: str, address: str, browser: Any) -> None:
    """It shows what it is about, every picture is drawn, it is as narrow as a telephone, and nothing leaves."""
    page = browser.new_page(viewport={"width": 390, "height": 800})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{address}/{name}")
    assert SHOWN[name] in page.locator("article").inner_text()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert said == []
    # Raises where one cannot be drawn.
    page.evaluate("Promise.all([...document.querySelectorAll('article img')].map((one) => one.decode()))")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    page.close()


def test_words_are_found(address: str, browser: Any) -> None:
    """The search works without a server of its own."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/index.html")
    field, found = page.locator("input.md-search__input"), page.locator(".md-search-result__item a[href*='history']")
    # The index is fetched when somebody turns to the field; before the page's script listens, that goes unheard.
    for _ in range(30):
        field.blur()
        field.fill("")
        field.fill("expiry_margin_s")
        page.wait_for_timeout(1_000)
        if found.count():
            break
    found.first.wait_for(timeout=5_000)
    page.close()
