"""How much one run may spend: money is reserved before a request and settled when its cost is known.

Exact decimals only. A budget belongs to one event loop: no method waits, so between its test and its booking
no other task can run, and no lock is needed. Threads must not share one. What other processes spend is not
known here.
"""

from __future__ import annotations

from decimal import Decimal

_NOTHING = Decimal(0)


class RunBudget:
    """A cap on a run's spending, or none.

    Whoever is about to pay calls `reserve`; when it says no, nothing may be sent. Every reservation is
    settled once: with the real cost, with zero when the request provably did not run, with all of it when in
    doubt.
    """

    def __init__(self, cap_usd: Decimal | None) -> None:
        if cap_usd is not None:
            _amount(cap_usd)
        self._cap = cap_usd
        self._reserved = _NOTHING
        self._spent = _NOTHING

    @property
    def cap(self) -> Decimal | None:
        """The most this run may spend; None is no cap."""
        return self._cap

    @property
    def reserved(self) -> Decimal:
        """Promised to requests whose cost is not known yet."""
        return self._reserved

    @property
    def spent(self) -> Decimal:
        """Paid, or to be assumed paid."""
        return self._spent

    @property
    def remaining(self) -> Decimal | None:
        """What can still be reserved, never below zero; None is no cap."""
        if self._cap is None:
            return None
        return max(self._cap - self._spent - self._reserved, _NOTHING)

    def reserve(self, usd: Decimal) -> bool:
        """Set `usd` aside if it fits; the cap itself may be reached, not passed."""
        _amount(usd)
        if self._cap is not None and self._spent + self._reserved + usd > self._cap:
            return False
        self._reserved += usd
        return True

    def settle(self, reserved: Decimal, spent: Decimal) -> None:
        """End a reservation of `reserved` that turned out to cost `spent`, which may be more or less."""
        _amount(reserved)
        _amount(spent)
        if reserved > self._reserved:
            raise ValueError(f"settling {reserved} dollars of only {self._reserved} reserved")
        self._reserved -= reserved
        self._spent += spent


def _amount(usd: Decimal) -> None:
    if not usd.is_finite() or usd < 0:
        raise ValueError(f"{usd} is not an amount of money")
