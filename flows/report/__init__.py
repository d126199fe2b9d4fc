"""The report that every run leaves: a frozen account of what happened, and its renderings.

`model` holds the account, `words` says numbers the way people do, `markdown`, `as_json` and `terminal` turn
an account into text. Everything here is pure: it opens no file, reads no clock and knows no Prefect; whoever
ran the flow fills in the account, and stores the text.
"""

from flows.report.as_json import to_json
from flows.report.markdown import to_markdown
from flows.report.model import Item, Outcome, RunReport, Trouble, Validated
from flows.report.terminal import headline, summary_lines

__all__ = [
    "Item",
    "Outcome",
    "RunReport",
    "Trouble",
    "Validated",
    "headline",
    "summary_lines",
    "to_json",
    "to_markdown",
]
