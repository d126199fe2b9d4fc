"""Checking every file that people edit, with the names that one uses and another defines: all problems at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from flows.errors import InvalidInput, Problem
from flows.manifest.load import Loaded
from flows.workspace import Workspace

T = TypeVar("T")


def validate(ws: Workspace, manifests: Sequence[str] = ()) -> Loaded:
    """What the manifests want, once nothing is wrong with them, the price book, brands, retention and audit policy.

    Raises InvalidInput with the problems of all files. Reads the project, and nothing else.
    """
    from flows.ideogram.catalogue import price_tier  # noqa: PLC0415  who only imports this room need not wait for it

    problems: list[Problem] = []

    def attempt(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except InvalidInput as error:
            problems.extend(error.problems)
            return None

    policy = attempt(ws.retention_policy)
    attempt(ws.audit_policy)
    for key in ws.brand_keys():
        attempt(lambda key=key: ws.brand(key))  # type: ignore[misc]  # mypy does not infer a lambda with a default
    # A policy that cannot be read has unknown classes, one that is not there has none to be wrong about.
    loaded = attempt(lambda: ws.manifests(manifests, policy if policy is not None and policy.digest else None))
    price = attempt(ws.prices)
    if loaded is not None and price is not None:
        tiers = {(one.model, price_tier(one.endpoint, one.options)) for one in loaded.variants}
        for model, tier in sorted(tiers):
            attempt(lambda model=model, tier=tier: price(model, tier))  # type: ignore[misc]  # as above
    if problems or loaded is None:
        raise InvalidInput(sorted(set(problems)))
    return loaded
