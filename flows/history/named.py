"""Which image somebody means: an id, the beginning or the end of one, as people copy them from file names."""

from __future__ import annotations

import pyarrow.compute as pc

from flows.errors import Refused
from flows.history.parts import Parts

SHORTEST = 4
SHOWN = 5


def image_named(parts: Parts, name: str) -> str:
    """The one image id that begins or ends with `name`; Refused, with what to do, where none or several do.

    The end may leave out the index within the request: ``-0`` is the end of nearly all of them.
    """
    asked = name.strip().lower()
    if len(asked) < SHORTEST:
        raise Refused(f'"{name}" is too short for an image id: give at least {SHORTEST} characters of it')
    ids = parts.read(parts.listing("images"), "images", ["image_id"])["image_id"]
    stem = pc.replace_substring_regex(ids, r"-\d+$", "")
    matches = pc.or_(pc.starts_with(ids, asked), pc.or_(pc.ends_with(ids, asked), pc.ends_with(stem, asked)))
    found = sorted({str(one) for one in ids.filter(matches).to_pylist()})
    if asked in found:
        return asked
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(found[:SHOWN]) + (" ..." if len(found) > SHOWN else "")
        raise Refused(f'"{name}" could be {len(found)} images: give more of the id ({some})')
    raise Refused(_unknown(parts, name, asked))


def _unknown(parts: Parts, name: str, asked: str) -> str:
    wanted = pc.starts_with(pc.field("request_id"), asked)
    rows = parts.read(parts.listing("requests"), "requests", ["request_id", "outcome", "reason"], wanted).to_pylist()
    if len(rows) == 1:
        why = f": {rows[0]['reason']}" if rows[0]["reason"] else ""
        return f"{rows[0]['request_id']} is a request that gave no image ({rows[0]['outcome']}{why})"
    return f'no image of the history is called "{name}": `ideoflow history` lists them'
