"""Money: what an image costs on a day, and how much may be spent.

Knows the dated price book and exact decimals; knows no requests, journals or settings. `prices` and `limits`
are pure, `shipped` reads the one price book that comes with the program.
"""

from flows.budget.limits import Budget, Cap, Caps
from flows.budget.prices import Price, PriceBook, micros
from flows.budget.shipped import builtin

__all__ = ["Budget", "Cap", "Caps", "Price", "PriceBook", "builtin", "micros"]
