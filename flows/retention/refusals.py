"""When a run is refused though every single decision is in order. Pure but for looking at the storage it is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flows.report import words
from flows.retention import facts
from flows.retention.decide import Decisions
from flows.storage import Storage

LOOKED_AT = 1_000
MISSING = 0.01


@dataclass(frozen=True)
class Refusal:
    """Why a run is refused, and what to pass or to do where it is meant."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


def too_much(decisions: Decisions, fraction: float) -> list[Refusal]:
    """Brands of which this run would trash more than a fraction of what is not in the trash."""
    indices, brands = facts.codes(decisions.images["brand"])
    if not brands:
        return []
    going = np.bincount(indices[decisions.newly_trashed], minlength=len(brands))
    there = going + np.bincount(indices[decisions.kept], minlength=len(brands))
    found = []
    for brand, gone, all_ in zip(brands, going.tolist(), there.tolist(), strict=True):
        if gone > fraction * all_:
            share, needed = gone / all_, _up(gone / all_)
            of = f"of the brand {brand}" if brand else "of pictures without a brand"
            found.append(
                Refusal(
                    f"{words.count(gone, 'picture')} {of} would be trashed, {share:.0%} of {all_:,}; "
                    f"a run may trash {fraction:.0%}",
                    f"if that is meant, pass --max-fraction {needed:g}",
                )
            )
    return found


def _up(share: float) -> float:
    """A share that is enough, in hundredths."""
    return float(min(100, -int(-share * 100 // 1))) / 100


def less_than_expected(decisions: Decisions, assets: Storage) -> list[Refusal]:
    """Whether the storage shows what the history expects, by a look at files spread over all of them.

    A disk that is not mounted, or the wrong bucket, is not an empty one.
    """
    rows = np.flatnonzero((decisions.why & 1) == 0)
    if not len(rows):
        return []
    if len(rows) > LOOKED_AT:
        rows = rows[np.linspace(0, len(rows) - 1, LOOKED_AT).astype(np.int64)]
    paths = [str(path) for path in facts.picked(decisions.images["local_path"], rows)]
    found = assets.stat_many(paths)
    gone = [path for path in paths if found[path] is None]
    if len(gone) <= MISSING * len(paths):
        return []
    what = (
        f"{assets.url} shows {len(paths) - len(gone):,} of {words.count(len(paths), 'picture')} looked for "
        f"({gone[0]} is missing)"
    )
    return [
        Refusal(what, "is it mounted, and the right one? Run `ideoflow maintain` if those pictures are really gone")
    ]
