"""How the tests of the manifest load one: a fixed instant, a fixed timezone, names of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

import pytest

from flows.errors import InvalidInput, Problem
from flows.manifest.load import Loaded, load

Load = Callable[..., Loaded]
Refused = Callable[..., tuple[Problem, ...]]


@pytest.fixture(scope="session")
def wants() -> Load:
    """Load manifests given as texts; a text without `version` gets the usual head."""

    def wants(*texts: str, now: datetime | None = None, tz: tzinfo = UTC) -> Loaded:
        sources = [
            (f"{number}.yaml", (text if "version:" in text else HEAD + text).encode())
            for number, text in enumerate(texts, 1)
        ]
        return load(sources, now or datetime(2026, 11, 22, 12, tzinfo=UTC), tz)

    return wants


@pytest.fixture(scope="session")
def refused(wants: Load) -> Refused:
    """The problems for which manifests are refused."""

    def refused(*texts: str) -> tuple[Problem, ...]:
        with pytest.raises(InvalidInput) as refusal:
            wants(*texts)
        return refusal.value.problems

    return refused


HEAD = "version: 1\ndefaults: {model: ideogram-4-5}\nprompts:\n"
