"""What a run has to say for itself, as plain frozen values.

It adds up and sorts; it does not decide, format or store. Money is in US dollars, exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class Outcome(StrEnum):
    """What became of some wanted images, in the order a reader wants to hear of it."""

    BOUGHT = "bought"  # paid for by this run, and kept
    RECOVERED = "recovered"  # paid for by an earlier run that was cut off; finished by this one
    WITHHELD = "withheld"  # paid for, but the API's safety check gave no picture
    LOST = "lost"  # paid for, and the picture can no longer be fetched
    IN_DOUBT = "in doubt"  # asked for, no answer recorded: perhaps paid, held until someone decides
    UNFINISHED = "unfinished"  # paid for and on its way: the next run fetches it
    BLOCKED = "blocked"  # refused for its prompt, or failed too often: nothing paid
    LEFT_OUT = "left out"  # wanted, but this run stopped, was limited or was capped before it
    HAD = "had"  # in the history already: nothing to do


_BILLED = frozenset({Outcome.BOUGHT, Outcome.WITHHELD, Outcome.LOST, Outcome.UNFINISHED})


@dataclass(frozen=True)
class Item:
    """Some images of one variant that met the same fate for the same reason.

    `cost_usd` is what they cost: spent by this run when bought, withheld, lost or unfinished; by an earlier run
    when recovered; what is at risk when in doubt. Images that an earlier run paid for and this one found
    withheld or lost, or could not finish either, cost this run nothing: 0.
    """

    variant: str
    outcome: Outcome
    count: int
    reason: str
    cost_usd: Decimal = Decimal(0)


@dataclass(frozen=True, order=True)
class Trouble:
    """One thing that went wrong: what happened, to what, what to do about it, and how often it came."""

    happened: str
    subject: str
    remedy: str
    times: int = 1


@dataclass(frozen=True)
class Validated:
    """What was read: manifests named relative to the project, and how much they ask for."""

    manifests: tuple[str, ...]
    prompts: int
    variants: int
    images: int


@dataclass(frozen=True)
class Tally:
    """The images of one outcome, added up."""

    outcome: Outcome
    images: int
    cost_usd: Decimal


@dataclass(frozen=True)
class RunReport:
    """One run from start to finish.

    `origin` is ``sandbox`` or the API's host. `assets` and `history` say where the pictures and their record
    are, `stored_bytes` how much this run added. `orphaned` counts kept images whose variant has left the
    manifest. `next_step` is the one thing to do next, as a sentence or a command.
    """

    run_id: str
    started_at: datetime
    finished_at: datetime
    origin: str
    validated: Validated
    items: tuple[Item, ...]
    exit_code: int
    next_step: str
    problems: tuple[Trouble, ...] = ()
    assets: str = ""
    history: str = ""
    stored_bytes: int = 0
    orphaned: int = 0
    flow: str = "generate"

    @property
    def duration(self) -> timedelta:
        """How long it took."""
        return self.finished_at - self.started_at

    @property
    def spent_usd(self) -> Decimal:
        """What this run is known to have paid."""
        return sum((item.cost_usd for item in self.items if item.outcome in _BILLED), Decimal(0))

    @property
    def at_risk_usd(self) -> Decimal:
        """What requests in doubt may have cost."""
        return sum((item.cost_usd for item in self.items if item.outcome is Outcome.IN_DOUBT), Decimal(0))

    @property
    def totals(self) -> tuple[Tally, ...]:
        """Images and cost of every outcome that occurred, in the order of `Outcome`."""
        tallies = []
        for outcome in Outcome:
            items = [item for item in self.items if item.outcome is outcome]
            if items:
                images = sum(item.count for item in items)
                tallies.append(Tally(outcome, images, sum((item.cost_usd for item in items), Decimal(0))))
        return tuple(tallies)

    @property
    def changes(self) -> tuple[Item, ...]:
        """Everything but what was there already, grouped by outcome, within it in the order given."""
        order = list(Outcome)
        moved = (item for item in self.items if item.outcome is not Outcome.HAD)
        return tuple(sorted(moved, key=lambda item: order.index(item.outcome)))

    def images(self, outcome: Outcome) -> int:
        """How many images met this outcome."""
        return sum(item.count for item in self.items if item.outcome is outcome)
