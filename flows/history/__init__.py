"""What was asked, what it cost and what came of it: the journal while it happens, Parquet once it is done.

Knows storage layouts and the rules by which records become rows; knows no HTTP, no pixels, no policies. The
order of steps in `fold`, `claims` and `seal` is the crash protocol: tests/history/test_interleavings.py shows
for each of its safeguards that money is lost without it.

For people's own programs, ``from flows.history import images, current, query`` and so on: the functions of
`flows.library`, fetched when they are asked for, so that the rooms which import from here pay nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.library import as_of, current, features, findings, images, lifecycle, query, requests

__all__ = ["as_of", "current", "features", "findings", "images", "lifecycle", "query", "requests"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from flows import library  # noqa: PLC0415  see above

    return getattr(library, name)
