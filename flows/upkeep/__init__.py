"""Keeping what was bought in order: finish, seal, measure, verify, compact. Deletes no picture, ever.

`subset` says which pictures are read, `findings` decides what is wrong with one and which event says so, `verify`
looks, `finish` and `measure` do, `report` tells, `run` is one maintain from beginning to end.
"""

from flows.upkeep.report import Upkeep, ending
from flows.upkeep.run import maintain
from flows.upkeep.subset import Subset

__all__ = ["Subset", "Upkeep", "ending", "maintain"]
