"""Everything the checks look at, as plain values: what is recorded, measured, present, owed and decided.

Knows what rows of the history look like; reads nothing. Whoever audits fills it in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flows.brand.model import Brand

IMAGE_COLUMNS = (
    *("image_id", "request_id", "fingerprint", "origin", "status", "state", "replaced", "verdict"),
    *("prompt_id", "variant", "brand", "campaign", "prompt", "lettering", "model", "options", "aspect_ratio"),
    *("resolution_asked", "width", "height", "seed_asked", "seed", "requested_at", "generated_at", "expires_at"),
    *("stored_at", "expiry_margin_s", "local_path", "media_type", "bytes", "sha256", "flaw", "cost_usd"),
)
"""What an audit asks `history.current` for."""


class Pool:
    """One object for every text, however many rows say it: names, prompts and ids are said again and again."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._parsed: dict[str, Mapping[str, Any]] = {}

    def one(self, value: Any) -> Any:
        """The value; of equal texts always the same object."""
        return self._texts.setdefault(value, value) if isinstance(value, str) else value

    def parsed(self, text: str) -> Mapping[str, Any]:
        """What a JSON text says, to be read and never changed."""
        if text not in self._parsed:
            self._parsed[text] = json.loads(text)
        return self._parsed[text]


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """One billed image as it stands now. `state` is kept, trashed, purged, missing, corrupt, withheld or lost."""

    image_id: str
    request_id: str = ""
    fingerprint: str = ""
    origin: str = ""
    status: str = "stored"
    state: str = "kept"
    replaced: bool = False
    verdict: str | None = None
    prompt_id: str | None = None
    variant: str | None = None
    brand: str | None = None
    campaign: str | None = None
    prompt: str | None = None
    lettering: str | None = None
    model: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    aspect_ratio: str | None = None
    resolution_asked: str | None = None
    width: int | None = None
    height: int | None = None
    seed_asked: int | None = None
    seed: int | None = None
    requested_at: datetime | None = None
    generated_at: datetime | None = None
    expires_at: datetime | None = None
    stored_at: datetime | None = None
    expiry_margin_s: float | None = None
    local_path: str | None = None
    media_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    flaw: str | None = None
    cost_usd: float | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], pool: Pool | None = None) -> Image:
        """A row of `history.current` with `IMAGE_COLUMNS`."""
        pool = Pool() if pool is None else pool
        values = {name: pool.one(row[name]) for name in IMAGE_COLUMNS}
        values["options"] = pool.parsed(values["options"] or "{}")
        return cls(**values)

    @property
    def kept(self) -> bool:
        """Whether it is in use: what the picture shows matters."""
        return self.state == "kept" and not self.replaced and self.verdict != "rejected"

    @property
    def title(self) -> str:
        """What people call it."""
        return self.variant or self.prompt_id or self.image_id


MEASURED_COLUMNS = (
    *("sha256", "extractor", "width", "height", "mode", "phash", "dhash", "palette", "alpha", "icc", "sharpness"),
    *("contrast", "brightness", "embedded"),
)
"""What an audit reads of ``features``: all but the thumbnails."""

Palette = NDArray[np.float32]
_EMPTY: Palette = np.empty((0, 4), np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Features of one picture. Those of an old extractor lack what it did not measure (None, an empty palette).

    `phash` and `dhash` are 64 bits. `palette` is (k, 4): L, a, b in CIELAB (D65) and share of what is visible, the
    largest first. `alpha` is the visible share. `contrast` is the standard deviation of the lightness and
    `brightness` its mean, both 0 to 255. `embedded` is JSON of what travels in the file.
    """

    width: int
    height: int
    phash: int
    dhash: int
    extractor: int = 1
    mode: str = "RGB"
    palette: Palette = field(default_factory=lambda: _EMPTY, compare=False)
    alpha: float | None = None
    icc: str | None = None
    sharpness: float | None = None
    contrast: float | None = None
    brightness: float | None = None
    embedded: str = "{}"


def measured(table: pa.Table, pool: Pool | None = None) -> dict[str, Measured]:
    """Rows of ``features`` with `MEASURED_COLUMNS`, by digest; of several, the newest extractor's."""
    found: dict[str, Measured] = {}
    pool = Pool() if pool is None else pool
    plain = [name for name in MEASURED_COLUMNS if name != "palette"]
    for batch in table.to_batches(max_chunksize=1024):
        palettes = _palettes(batch.column("palette"))
        for values, palette in zip(batch.select(plain).to_pylist(), palettes, strict=True):
            row = {name: pool.one(value) for name, value in values.items()}
            digest = row.pop("sha256")
            if digest in found and found[digest].extractor >= row["extractor"]:
                continue
            row |= {"phash": int(row["phash"], 16), "dhash": int(row["dhash"], 16), "embedded": row["embedded"] or "{}"}
            found[digest] = Measured(palette=palette, **row)
    return found


def _palettes(column: Any) -> Iterator[Palette]:
    """A list column of structs as arrays, without a Python object for every number."""
    flat = column.flatten()
    values = np.column_stack([flat.field(name).to_numpy(zero_copy_only=False) for name in ("l", "a", "b", "share")])
    ends = np.cumsum(column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
    return (np.ascontiguousarray(part, np.float32) for part in np.split(values, ends[:-1])) if len(ends) else iter(())


@dataclass(frozen=True, slots=True)
class Line:
    """A line of lettering that was read: `box` is left, top, right, bottom in shares of the picture, 0 to 1."""

    text: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine read in one picture, in reading order; `failure` says why it could not."""

    engine: str
    lines: tuple[Line, ...] = ()
    failure: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Reading:
        """A row of ``readings``."""
        lines = tuple(
            Line(one["text"], one["score"], (one["left"], one["top"], one["right"], one["bottom"]))
            for one in row["lines"] or ()
        )
        return cls(row["engine"], lines, row["failure"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One call. `outcome` is as the history has it: completed, refused, void or written_off."""

    request_id: str
    outcome: str
    reason: str | None = None
    images: int = 1
    status: int | None = None
    reject_reason: str | None = None
    prompt_id: str | None = None
    variant: str | None = None
    brand: str | None = None
    campaign: str | None = None
    requested_at: datetime | None = None


REQUEST_COLUMNS = (
    *("request_id", "outcome", "reason", "images", "status", "reject_reason", "prompt_id", "variant", "brand"),
    *("campaign", "requested_at"),
)
"""What an audit reads of ``requests``: ``Request(**row)``."""


@dataclass(frozen=True, kw_only=True)
class OpenEntry:
    """A request that has not ended. `doubt` says why nobody knows whether it ran; None while somebody works on it.

    `expires_at` is when the link of a picture that is still to be fetched ends.
    """

    request_id: str
    images: int
    micros: int
    doubt: str | None = None
    prompt_id: str | None = None
    variant: str | None = None
    brand: str | None = None
    campaign: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class CapUse:
    """A cap of the budget and what of it is used, in micro-dollars. `name` is the setting, as ``per_day_usd``."""

    name: str
    limit_micros: int
    used_micros: int


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is audited.

    `features` and `readings` are by digest. `files` are paths and sizes below `storage.assets`, None where nobody
    listed them; `digests` the SHA-256 of those that were read to the end. `unmeasured` says by digest why a picture
    could not be measured. `brand_problems` says by name why a brand file cannot be used. `no_ocr` says why no
    lettering was read. `accepted` are ids of findings that people accepted.
    """

    now: datetime
    images: Sequence[Image] = ()
    features: Mapping[str, Measured] = field(default_factory=dict)
    readings: Mapping[str, Reading] = field(default_factory=dict)
    no_ocr: str | None = None
    requests: Sequence[Request] = ()
    brands: Mapping[str, Brand] = field(default_factory=dict)
    brand_problems: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, int] | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    open: Sequence[OpenEntry] = ()
    caps: Sequence[CapUse] = ()
    accepted: frozenset[str] = frozenset()

    def features_of(self, image: Image) -> Measured | None:
        """What was measured of an image, None where nothing was."""
        return self.features.get(image.sha256) if image.sha256 else None
