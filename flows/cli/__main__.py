"""``python -m flows.cli``, for where the script is not on the path."""

from flows.cli.app import main

# Guarded, since processes that are started from ours may import this module again.
if __name__ == "__main__":
    main()
