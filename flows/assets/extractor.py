"""Which extractor measures pictures. Apart from it, so that whoever only compares versions loads no numpy."""

EXTRACTOR_VERSION = 1
"""Part of every feature row. Raise it when any value of `features` would come out differently for the same bytes."""
