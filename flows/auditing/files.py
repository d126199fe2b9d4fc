"""The files of an audit below ``storage.reports``: the page (and further ones, where it is long), JSON, JUnit XML.

``latest.html`` is the newest page once more, at an address that does not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.checks.subject import Image
from flows.history.parts import Parts
from flows.report.audit.as_json import to_json
from flows.report.audit.junit import to_junit
from flows.report.audit.model import Audit
from flows.report.audit.page import Shot, render
from flows.report.audit.sheets import Sheet, spread
from flows.workspace import Workspace

LATEST = "latest.html"
_COLUMNS = ("sha256", "extractor", "width", "height", "thumbnail")


class Thumbnails:
    """The thumbnails in the history: how large each is, and a few of them at a time. Never all at once in memory."""

    def __init__(self, parts: Parts, wanted: frozenset[str]) -> None:
        self._parts = parts
        self.sizes: dict[str, int] = {}
        self._held: dict[str, tuple[int, str]] = {}
        for part in parts.listing("features"):
            rows = self._read(part, wanted, ["sha256", "extractor", "thumbnail"])
            lengths: Any = pc.binary_length(rows["thumbnail"])
            measured = rows.drop_columns(["thumbnail"]).append_column("length", lengths)
            for row in measured.to_pylist():
                digest, version, length = row["sha256"], row["extractor"], row["length"]
                if length and version > self._held.get(digest, (0, ""))[0]:
                    self._held[digest], self.sizes[digest] = (version, part), length

    def load(self, digests: frozenset[str]) -> Mapping[str, Shot]:
        """These thumbnails, as far as there are any."""
        found: dict[str, Shot] = {}
        for part in sorted({self._held[name][1] for name in digests if name in self._held}):
            mine = frozenset(name for name in digests if self._held.get(name, (0, ""))[1] == part)
            for row in self._read(part, mine, list(_COLUMNS)).to_pylist():
                if row["thumbnail"] and row["extractor"] == self._held[row["sha256"]][0]:
                    found[row["sha256"]] = Shot(row["width"], row["height"], row["thumbnail"])
        return found

    def _read(self, part: str, digests: frozenset[str], columns: list[str]) -> pa.Table:
        return self._parts.among([part], "features", columns, "sha256", digests)


def publish(ws: Workspace, audit: Audit) -> str:
    """Write all of it: where the page is."""
    stem = f"audit-{audit.at:%H%M%S}-{audit.audit_id[-8:]}"
    folder = f"{audit.at:%Y-%m-%d}"
    ws.reports.write(f"{folder}/{stem}.json", to_json(audit).encode())
    ws.reports.write(f"{folder}/{stem}.xml", to_junit(audit))
    thumbnails = Thumbnails(ws.parts, frozenset(image.sha256 for image in audit.images if image.sha256))
    sheets = _sheets(audit, thumbnails)
    names = [f"{stem}{f'-{sheet.number}' if sheet.number > 1 else ''}.html" for sheet in sheets]
    pages = render(audit, sheets, names, thumbnails.load)
    for name in names:
        # No name for a page: each is let go of before the next is drawn.
        ws.reports.write(f"{folder}/{name}", next(pages))
    from_above = [f"{folder}/{name}" for name in names]
    ws.reports.write(LATEST, next(render(audit, sheets, from_above, thumbnails.load)))
    return ws.reports.where(f"{folder}/{names[0]}")


def _sheets(audit: Audit, thumbnails: Thumbnails) -> tuple[Sheet, ...]:
    """What is in use first, then by campaign and name: as somebody looks for it."""
    pictured = [image for image in audit.images if image.status == "stored"]
    ordered = sorted(pictured, key=lambda one: (not one.kept, one.campaign or "", one.title, one.image_id))
    images: dict[str, Image] = {image.image_id: image for image in audit.images}
    return spread(audit.findings, ordered, thumbnails.sizes, images)
