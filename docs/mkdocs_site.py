"""How the pages, which are written to be read in the repository, become a site: a hook of mkdocs (.mkdocs.yml).

The README is the first page; files outside docs/ that a page links to (settings, recipes) become pages of their own,
and so does the notebook, with its stored outputs. Knows mkdocs and these pages; nothing of the program.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
# Place in the repository -> page of the site; whatever else is linked to comes below files/.
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "docs/analysis.ipynb": "analysis.md"}
_FENCE = re.compile(r"(^```.*?^```[^\n]*$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
_ELSEWHERE = re.compile(r"[a-z]+:")  # another host, or a picture inside the page
_LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".py": "python", "": "docker"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in docs/ as Markdown."""
    for origin in [*PAGES, *_linked()]:
        files.append(File.generated(config, _page_of(origin), content=_markdown(origin)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Links as they hold in the repository, turned into links as they hold on the site."""
    here = page.file.src_uri
    origin = next((place for place in [*PAGES, *_linked()] if _page_of(place) == here), f"docs/{here}")

    def turned(match: re.Match[str]) -> str:
        target = match[2]
        if _ELSEWHERE.match(target):
            return match[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))
        return match[1] + posixpath.relpath(_page_of(place), posixpath.dirname(here) or ".") + match[3]

    return "".join(part if part.startswith("```") else _LINK.sub(turned, part) for part in _FENCE.split(markdown))


def _page_of(place: str) -> str:
    if place in PAGES:
        return PAGES[place]
    if place.startswith("docs/"):
        return place.removeprefix("docs/")
    return f"files/{place}" if place.endswith(".md") else f"files/{place}.md"


def _linked() -> list[str]:
    """Files of the repository outside docs/ that a page links to."""
    found: set[str] = set()
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        base = page.parent.relative_to(ROOT).as_posix()
        for _, target, _ in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            place = posixpath.normpath(posixpath.join(base, target))
            if not _ELSEWHERE.match(target) and not place.startswith("docs/") and (ROOT / place).is_file():
                found.add(place)
    return sorted(found - set(PAGES))


def _markdown(place: str) -> str:
    path = ROOT / place
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    if path.suffix == ".ipynb":
        return "\n\n".join(_cells(json.loads(text)))
    return f"# {place}\n\n```{_LANGUAGES.get(path.suffix, 'text')}\n{text.rstrip()}\n```\n"


def _cells(notebook: Any) -> Iterator[str]:
    """A notebook's cells as Markdown; tables as they are, pictures inside the page."""
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield source
            continue
        yield f"```python\n{source}\n```"
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                yield f"![Chart](data:image/png;base64,{''.join(data['image/png'].split())})"
            elif "text/html" in data:
                # One block without blank lines, which would end it; the style is for notebooks.
                html = re.sub(r"<style.*?</style>", "", "".join(data["text/html"]), flags=re.DOTALL)
                html = re.sub(r'<(table|tr)( (border|class|style)="[^"]*")+>', r"<\1>", html)
                yield "\n".join(line for line in html.splitlines() if line.strip())
            else:
                yield f"```text\n{''.join(output.get('text', ())).rstrip()}\n```"
