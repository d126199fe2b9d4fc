"""What each endpoint takes: one entry per model, and adding a model is adding an entry.

Everything the manifest checks before money is spent, everything the client puts on the wire and everything
the sandbox imitates is read from here. It knows the vendor's words and nothing of ours, and does no I/O.
The entries are in `models_v2` and `models_older`, what an entry can say in `endpoints`.

Once released a default never changes here: fingerprints leave defaults out, so a changed one would make
history look like something else. Where the vendor's default is not certain it is None, and every written
value counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flows.ideogram import models_older, models_v2
from flows.ideogram.endpoints import (
    SEED_MAX,
    Endpoint,
    Grid,
    Kind,
    Option,
    PricedBy,
    price_tier,
    price_tiers,
    request_body,
    undecided,
)

__all__ = [
    "CATALOGUE",
    "SEED_MAX",
    "Endpoint",
    "Grid",
    "Kind",
    "Option",
    "PricedBy",
    "find",
    "price_tier",
    "price_tiers",
    "request_body",
    "undecided",
]

CATALOGUE: Mapping[str, Endpoint] = MappingProxyType(
    {endpoint.model: endpoint for endpoint in (*models_v2.ENDPOINTS, *models_older.ENDPOINTS)}
)


def find(name: str) -> Endpoint | None:
    """The endpoint of a model name or alias, in any case; None if there is none."""
    wanted = name.strip().lower()
    for endpoint in CATALOGUE.values():
        if wanted == endpoint.model.lower() or wanted in endpoint.aliases:
            return endpoint
    return None
