"""Loaded settings, and where each of them was set.

Pure values: `doctor` and error messages read from them who set what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows.errors import Problem
from flows.settings.model import Settings

ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Source:
    """Where one setting was given: a file and place in it, or a variable (`name`) of the environment."""

    file: str
    line: int = 0
    column: int = 0
    name: str = ""

    def __str__(self) -> str:
        return f"{self.file} {self.name}" if self.name else f"{self.file}:{self.line}"

    def problem(self, key: str, message: str, hint: str) -> Problem:
        """A problem with what was set there."""
        return Problem(self.file, self.line, self.column, self.name or key, message, hint)


@dataclass(frozen=True)
class Loaded:
    """The settings, the files they were read from in order, and the source of all that is not default.

    `sources` maps ``section.key`` to the last place that set it.
    """

    settings: Settings
    files: tuple[str, ...]
    sources: Mapping[str, Source]

    def source(self, key: str) -> str:
        """Who set ``section.key``: ``configs/s3.yaml:4``, ``environment IDEOFLOW_...`` or ``default``."""
        found = self.sources.get(key)
        return str(found) if found else "default"
