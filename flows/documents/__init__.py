"""The one strict reader of the YAML that people edit: every problem with its place and its remedy.

`parse` turns a text into plain data that remembers where everything was written; `validate` lays a pydantic
model over it and translates what is wrong into words. Knows YAML and pydantic; knows no file system, and
nothing of what the files mean.
"""

from flows.documents.document import Document, dotted, shorten, shown
from flows.documents.reader import parse, read
from flows.documents.suggest import did_you_mean, nearest, unquoted
from flows.documents.validation import explain, salvage, validate

__all__ = [
    "Document",
    "did_you_mean",
    "dotted",
    "explain",
    "nearest",
    "parse",
    "read",
    "salvage",
    "shorten",
    "shown",
    "unquoted",
    "validate",
]
