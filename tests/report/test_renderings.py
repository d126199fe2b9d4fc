"""The three renderings, against golden files and against hostile text."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from flows.report import Item, Outcome, RunReport, Trouble, summary_lines, to_json, to_markdown
from flows.report.markdown import escape
from flows.report.words import one_line

GOLDEN = Path(__file__).parent / "golden"
# HTML and links on: what a permissive renderer would obey must not be there to obey.
RENDERER = MarkdownIt("commonmark", {"html": True})
RENDERER.enable(["table", "strikethrough"])


def render(report: RunReport, kind: str) -> str:
    """The report as the text of that golden file."""
    if kind == "txt":
        return "\n".join(summary_lines(report)) + "\n"
    return to_json(report) if kind == "json" else to_markdown(report)


@pytest.mark.parametrize("kind", ["json", "md", "txt"])
@pytest.mark.parametrize("name", ["eventful", "nothing"])
def test_golden(name: str, kind: str, request: pytest.FixtureRequest) -> None:
    """Each rendering is, to the letter, the committed one."""
    report: RunReport = request.getfixturevalue(name)
    assert render(report, kind) == (GOLDEN / f"{name}.{kind}").read_text(encoding="utf-8")


def cells(markdown: str) -> list[list[str]]:
    """The text of every cell of every table row, as a renderer understands it."""
    rows: list[list[str]] = []
    tokens = RENDERER.parse(markdown)
    for position, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in {"td_open", "th_open"}:
            children = tokens[position + 1].children or []
            rows[-1].append("".join(child.content for child in children))
    return rows


def token_types(markdown: str) -> set[str]:
    """Every construct a renderer sees."""
    tokens = RENDERER.parse(markdown)
    return {token.type for token in tokens} | {child.type for token in tokens for child in token.children or []}


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="|`<>&\\*_[]()!#-+=~$:@./\n\t\r ab1", max_size=60),
    st.sampled_from(
        [
            "a | b",
            "`rm -rf /`",
            "<script>alert(1)</script>",
            "</td></tr></table>",
            "line\nbreak\r\n\r\n# heading",
            "\\|",
            "&lt;b&gt; &#124; &copy;",
            "![x](https://example.com/x.png)",
            "[x][y]\n\n[y]: javascript:alert(1)",
            "https://example.com/?a=b www.example.com me@example.com",
            "__bold__ _it_ ~~gone~~ **b**",
            "<!-- hidden",
            "\ud800",
            "",
        ]
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(hostile=HOSTILE)
def test_markdown_shows_and_never_obeys(hostile: str, eventful: RunReport) -> None:
    """Whatever a prompt says, every table keeps its shape and shows those very words."""
    report = replace(
        eventful,
        items=(
            Item(hostile, Outcome.BOUGHT, 1, hostile, Decimal("0.06")),
            Item(hostile, Outcome.HAD, 1, hostile),
        ),
        problems=(Trouble(hostile, hostile, hostile),),
        next_step=hostile,
        assets=hostile,
        validated=replace(eventful.validated, manifests=(hostile,)),
    )
    markdown = to_markdown(report)
    markdown.encode("utf-8")
    plain = to_markdown(eventful)
    assert token_types(markdown) <= token_types(plain)
    shown = one_line(hostile).strip() or "-"
    rows = cells(markdown)
    assert [shown, "bought", "1", "$0.06", shown] in rows
    assert [shown, "had", "1", "-", shown] in rows
    assert [shown, shown, "1", shown] in rows
    assert ["Images", shown] in rows
    assert len(rows) == 3 + 2 + 2 + 2 + 13


@given(HOSTILE)
def test_escaped_text_reads_as_it_was_written(hostile: str) -> None:
    """Escaping changes the source, never what is read."""
    shown = RENDERER.parse("x " + escape(hostile))[1].children or []
    assert [token.type for token in shown] == ["text"]
    assert shown[0].content == "x " + (one_line(hostile) or "-")


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("https://example.com", "https&#58;//example.com"),
        ("see WWW.example.com", "see WWW&#46;example.com"),
        ("mail me@example.com", "mail me&#64;example.com"),
        ("hero@language=de", "hero@language=de"),
        ("s3://bucket/a_b", "s3://bucket/a_b"),
        ("$1.80 and $x$", "$1.80 and &#36;x&#36;"),
    ],
)
def test_bare_addresses_do_not_become_links(written: str, source: str) -> None:
    """What some renderers link by themselves is defused; names of variants and buckets stay readable."""
    assert escape(written) == source


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile=HOSTILE)
def test_json_always_parses(hostile: str, eventful: RunReport) -> None:
    """JSON stays UTF-8 and parseable, and keeps every character that can be written."""
    report = replace(eventful, next_step=hostile)
    text = to_json(report)
    assert json.loads(text.encode("utf-8"))["next_step"] == hostile


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile=HOSTILE)
def test_terminal_lines_are_lines(hostile: str, eventful: RunReport) -> None:
    """No text of a prompt adds a line or drives the terminal, and the last line says what to do."""
    report = replace(eventful, next_step=hostile, problems=(Trouble(hostile, hostile, hostile),))
    lines = summary_lines(report)
    assert all(len(line.splitlines()) == 1 and "\x1b" not in line for line in lines)
    assert lines[-1].startswith("next ")


def test_long_tables_stop_and_say_so(eventful: RunReport) -> None:
    """A report of ten thousand variants stays readable and points to the JSON."""
    items = tuple(Item(f"v{n}", Outcome.HAD, 1, "in the history") for n in range(10_000))
    markdown = to_markdown(replace(eventful, items=items), max_rows=50)
    assert "… and 9,950 more rows: see the JSON report." in markdown
    assert len(markdown.splitlines()) < 120
    assert len(json.loads(to_json(replace(eventful, items=items)))["items"]) == 10_000


def test_terminal_problems_stop_and_say_so(eventful: RunReport) -> None:
    """Five hundred problems do not scroll the summary away."""
    problems = tuple(Trouble("it broke", f"v{n}", "look") for n in range(500))
    lines = summary_lines(replace(eventful, problems=problems))
    assert "! and 480 more problems: see the report" in lines
    assert len(lines) < 60
