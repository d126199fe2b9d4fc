"""What is known of one picture of somebody's collection, in one vocabulary whatever it was kept in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flows.errors import Problem


@dataclass(frozen=True)
class Place:
    """Where something was written: a file, its line (0: unknown), and the key that leads there, such as ``[3]``."""

    file: str
    line: int = 0
    key: str = ""

    def problem(self, key: str, message: str, hint: str) -> Problem:
        """A complaint about a key of what stands here."""
        path = f"{self.key}.{key}" if self.key and key else self.key or key
        return Problem(self.file, self.line, 1 if self.line else 0, path, message, hint)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else f"{self.file}{self.key}"


@dataclass(frozen=True)
class Record:
    """One picture as its owner describes it. What is None was not said.

    `model`, and the values of `options` (the vendor's names), are as written. `aspect_ratio` is ``W:H``, `resolution`
    ``WxH``. `path` is where the picture is said to lie, `url` where it can be had until `expires_at`. `fingerprint`,
    `origin` and `variant` are what ideoflow itself wrote beside a picture.
    """

    place: Place
    id: str | None = None
    prompt: str | None = None
    final_prompt: str | None = None
    negative_prompt: str | None = None
    model: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    path: str | None = None
    url: str | None = None
    generated_at: datetime | None = None
    expires_at: datetime | None = None
    is_image_safe: bool | None = None
    brand: str | None = None
    campaign: str | None = None
    tags: tuple[str, ...] = ()
    sha256: str | None = None
    fingerprint: str | None = None
    origin: str | None = None
    variant: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """What a full record would say and this one does not."""
        wanted = ("prompt", "model", "seed", "generated_at")
        return tuple(name for name in wanted if getattr(self, name) is None)
