"""Every picture is measured, a month at a time: memory stays that of a month, and a stop is heard between two."""

from __future__ import annotations

from datetime import datetime

import pyarrow.compute as pc

from flows.measuring import Filled, Tell, back_fill
from flows.pipeline.kit import Stop
from flows.workspace import Workspace


def measure(ws: Workspace, tell: Tell, stop: Stop) -> Filled:
    """Features of all stored pictures that the present extractor has not measured, whoever bought them."""
    done = Filled()
    for month in sorted({part.split("month=", 1)[1][:7] for part in ws.parts.listing("images")}):
        if stop:
            break
        begin, end = bounds(month)
        # The month of a picture is that of its request, as it is of the part that holds it.
        asked = (pc.field("requested_at") >= begin) & (pc.field("requested_at") < end)
        filled = back_fill(ws, tell, asked & (pc.field("status") == "stored"))
        done.measured += filled.measured
        done.failures |= filled.failures
    return done


def bounds(month: str) -> tuple[datetime, datetime]:
    """The first moments of a month such as ``2026-12``, and of the one after it."""
    begin = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    return begin, begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
