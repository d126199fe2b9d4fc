"""What a run did, counted per variant as it goes: memory grows with the manifest, not with the images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from flows.history.records import Claim, End, ImageStatus, Outcome, claimed_micros, settled_micros
from flows.pipeline.finish import Unfinished
from flows.report.troubles import Troubles


@dataclass
class Tally:
    """Images and micro-dollars by (variant name, what became of them), troubles in words.

    `undone` says that work beside the images (recording, measuring) was wanted and could not be done.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    micros: Counter[tuple[str, str]] = field(default_factory=Counter)
    troubles: Troubles = field(default_factory=Troubles)
    bytes: int = 0
    requests: int = 0
    cap_remedy: str = ""
    undone: bool = False

    def total(self, what: str) -> int:
        """How many images met that fate, over all variants."""
        return sum(images for (_, fate), images in self.counts.items() if fate == what)

    def left_out(self, name: str, images: int, why: str, remedy: str = "") -> None:
        """Images that were planned and not asked for."""
        self._count(name, "left out", images)
        what, _, said = why.partition("; ")
        self.troubles.add(what, name, remedy or said or "run again")

    def elsewhere(self, name: str, images: int) -> None:
        """Images that were planned, and that another run had bought by the time it came to them."""
        if images:
            self._count(name, "elsewhere", images)

    def ended(self, claim: Claim, end: End, *, recovered: bool) -> None:
        """A request has ended."""
        name = claim.labels.variant
        self.requests += 1
        if end.outcome is Outcome.VOID:
            self._count(name, "failed", claim.images)
            self.troubles.add(f"not made: {end.reason}", name, "nothing was billed; run again")
            return
        if end.outcome is Outcome.REFUSED:
            self._count(name, "refused", claim.images)
            self.troubles.add(f"refused as unsafe: {end.reason}", name, "nothing was billed; change the prompt")
            return
        if end.reason:
            self.troubles.add(end.reason, f"{name} ({claim.request_id})", "nothing to do; the history tells of it")
        each = settled_micros(end) // max(1, len(end.images))
        for image in end.images:
            self._image(name, image.status, each, recovered=recovered)
            self.bytes += image.bytes or 0
            if image.flaw and image.status is ImageStatus.STORED:
                self.troubles.add(f"stored with a flaw: {image.flaw}", name, "look at it; it was kept as it came")

    def unfinished(self, claim: Claim, left: Unfinished, *, recovered: bool) -> None:
        """A request is still open. What an earlier run paid for is not this one's to pay."""
        name = claim.labels.variant
        micros = claimed_micros(claim)
        if left.doubt:
            self._count(name, "in doubt", claim.images, micros)
            remedy = "look in your Ideogram account, then `ideoflow recover --resubmit` or `--write-off`"
            self.troubles.add(f"in doubt: {left.why}", f"{name} ({claim.request_id})", remedy)
        else:
            self._count(name, "unfinished", claim.images, 0 if recovered else micros)
            self.troubles.add(f"not finished: {left.why}", name, "run again, it goes on from here")

    def _image(self, name: str, status: ImageStatus, micros: int, *, recovered: bool) -> None:
        paid_now = 0 if recovered else micros
        if status is ImageStatus.STORED:
            self._count(name, "recovered" if recovered else "stored", 1, micros)
        elif status is ImageStatus.WITHHELD:
            self._count(name, "withheld", 1, paid_now)
            self.troubles.add("withheld by the safety check, and billed", name, "change the prompt or accept it")
        else:
            self._count(name, "lost", 1, paid_now)
            self.troubles.add("billed, but its link died before it was fetched", name, "contact Ideogram's support")

    def _count(self, name: str, what: str, images: int, micros: int = 0) -> None:
        self.counts[name, what] += images
        self.micros[name, what] += micros
