"""A running sandbox as tests hold it: where it is, what it billed, what shall go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flows.sandbox.config import SandboxConfig
from flows.sandbox.faults import FaultPlan
from flows.sandbox.jobs import Ledger
from flows.sandbox.routes_control import stats_of
from flows.sandbox.server import embedded
from flows.sandbox.state import Store


@dataclass(frozen=True)
class IdeogramSandbox:
    """Where a sandbox listens, the key it takes, and a view of its state."""

    base_url: str
    api_key: str
    config: SandboxConfig
    _store: Store

    def ledger(self) -> Ledger:
        """What ran and what it cost, up to now."""
        return self._store.ledger()

    def stats(self) -> dict[str, Any]:
        """The counters that ``GET /sandbox/stats`` gives."""
        return stats_of(self._store, self.config.max_in_flight)

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Lets these rules decide from now on what goes wrong (see `flows.sandbox.faults`)."""
        self._store.set_faults(FaultPlan.of(rules))

    def clear_faults(self) -> None:
        """Lets everything go right."""
        self._store.set_faults(FaultPlan())


@contextmanager
def running(config: SandboxConfig) -> Iterator[IdeogramSandbox]:
    """Serves a sandbox from this process for as long as the block lasts."""
    with embedded(config) as base_url:
        store = Store.open(config.state_dir, config.clock, config.entropy)
        try:
            yield IdeogramSandbox(base_url, config.api_key, config, store)
        finally:
            store.close()
