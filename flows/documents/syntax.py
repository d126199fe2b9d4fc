"""A YAML parser's complaint in plain words, with the remedy for the slips people make most.

Both parsers of PyYAML (libyaml's and the pure one) word things differently; the place is what they share,
so the remedy is decided from the line it names.
"""

from __future__ import annotations

import re

import yaml

from flows.documents.document import shorten
from flows.errors import Problem

_BRACE_VALUE = re.compile(r"""(?:[:\-?]\s+|^\s*)\{[^}]*\}+\s*[^\s,}\]#]""")
# The same with a comma behind the brace, which only a line of its own (no flow map around it) makes an error.
_BRACE_LINE = re.compile(r"""^\s*(?:-\s+)?[\w.-]+:\s+\{[^{}]*\}\s*,\s*\S""")
_COLON_IN_TEXT = re.compile(r""":\s+[^\s'"\[{|>&*!%@`][^#]*:(?:\s|$)""")
_AFTER_QUOTE = re.compile(r""":\s+(?:'[^']*'|"[^"]*")\s*[^\s,}\]#:]""")
# The patterns above may look at a line as often as it has characters.
_LONGEST_LINE = 1_000
_RESERVED = re.compile(r"""(?:[:\-]\s+|^\s*)([@`%])""")


def syntax_problem(error: Exception, text: str, file: str) -> Problem:
    """The one problem that stopped the parser."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    lines = text.splitlines()
    source = lines[line - 1][:_LONGEST_LINE] if line <= len(lines) else ""
    before = lines[line - 2][:_LONGEST_LINE] if 2 <= line <= len(lines) + 1 else ""
    message, hint = _words(error, source, before)
    return Problem(file, line, column, "", message, hint)


def _words(error: Exception, source: str, before: str) -> tuple[str, str]:
    indent = source[: len(source) - len(source.lstrip())]
    if "\t" in indent:
        return "a tab where YAML wants spaces", "Indent with spaces, two for each level."
    problem = (error.problem if isinstance(error, yaml.MarkedYAMLError) else None) or ""
    reserved = _RESERVED.search(source)
    if "cannot start any token" in problem and reserved:
        sign = reserved.group(1)
        return f"a text cannot begin with {sign} in YAML", "Put it in quotes."
    for candidate in (source, before):
        if _BRACE_VALUE.search(candidate) or _BRACE_LINE.search(candidate):
            return "a text beginning with { is read as a map", "Put the whole text in quotes."
    if "mapping values are not allowed" in problem or _COLON_IN_TEXT.search(source):
        return (
            "a colon where YAML expects none",
            'Put a text that contains ": " in quotes; check the indentation.',
        )
    if _AFTER_QUOTE.search(source):
        return "text goes on after the closing quote", "Put the whole value in one pair of quotes."
    context = error.context if isinstance(error, yaml.MarkedYAMLError) else None
    if "quoted scalar" in (context or "") and "end of stream" in problem:
        return "a quote is opened and never closed", "Close it with the same kind of quote."
    if "flow" in (context or ""):
        return "brackets or braces that do not close, or a comma missing", "Check [ ] and { } up to here."
    detail = shorten(problem or str(error).partition("\n")[0])
    return f"not valid YAML: {detail}", "Check the indentation and the quotes here and on the line above."
