"""``python -m flows.cli``, for where the script is not on the path."""

from flows.cli.app import main

main()
