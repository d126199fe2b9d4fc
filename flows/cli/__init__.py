"""The command line: argv in, words and exit codes out.

Knows how to ask and how to print; decides nothing. Every verb imports what it needs when it is called, so that
`ideoflow --help` and `ideoflow validate` answer at once; none but `generate`, and only with a Prefect server
configured, imports Prefect.
"""

from flows.cli.app import main

__all__ = ["main"]
