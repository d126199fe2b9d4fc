"""Paid pictures on storage that the history knows nothing of: the sign that it is the history which is missing.

A disk that is not mounted looks like a project that has never bought anything. Reads the records beside the pictures.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from flows.storage import Storage

LOOKED_AT = 500


def unrecorded(assets: Storage, origin: str, fingerprints: Collection[str]) -> Sequence[str]:
    """The records of pictures of these fingerprints, bought at this origin, by a look at some spread over all."""
    beside = [stat.path for stat in assets.list() if stat.path.endswith(".json")]
    some = beside[:: max(1, -(-len(beside) // LOOKED_AT))]
    return [path for path, data in assets.read_many(some).items() if data and _is_of(data, origin, fingerprints)]


def _is_of(data: bytes, origin: str, fingerprints: Collection[str]) -> bool:
    try:
        said = json.loads(data)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("origin") == origin and said.get("fingerprint") in fingerprints
