"""What a sandbox can be told. Values only; light to import, because a pytest plugin does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from flows.sandbox.faults import FaultPlan


@dataclass(frozen=True)
class SandboxConfig:
    """One sandbox.

    `clock` gives epoch seconds and `entropy` random bytes: both are arguments so that latency and the expiry
    of links can be tested without sleeping. `latency_s` is the range that a job's duration is drawn from,
    always the same for the same request. `pictures` is ``rich``, or ``plain`` where speed matters more.
    `faults` None keeps what the state directory holds; a plan, even an empty one, replaces it.
    `admin` says whether the key is an admin's, who alone may see the account's usage, and `usage_lag_s` how far that is
    behind. `renew_links` makes every poll sign fresh links (whether the real API does is not documented).
    """

    state_dir: Path
    api_key: str = field(default="sandbox", repr=False)
    max_in_flight: int = 10
    latency_s: tuple[float, float] = (0.4, 1.2)
    link_ttl_s: float = 86_400
    pictures: Literal["rich", "plain"] = "rich"
    faults: FaultPlan | None = None
    renew_links: bool = False
    seed: int = 0
    admin: bool = True
    usage_lag_s: float = 0
    clock: Callable[[], float] = field(default=time.time, repr=False)
    entropy: Callable[[int], bytes] = field(default=os.urandom, repr=False)
