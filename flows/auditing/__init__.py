"""The audit from beginning to end: measure what is new, gather, check, report, record.

`gather` fills in what the checks look at, `ledger` reads and writes ``findings/``, `files` writes the page and its
companions, `run` puts them in order. Nothing here decides what is wrong or how it looks, and no picture is changed.
"""

from flows.auditing.run import audit

__all__ = ["audit"]
