"""What a run did, counted per variant as it goes: memory grows with the manifest, not with the images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from flows.history.records import Claim, End, ImageStatus, Outcome, claimed_micros, settled_micros
from flows.pipeline.finish import Unfinished

PROBLEMS_KEPT = 200


@dataclass(frozen=True)
class Trouble:
    """Something a person should know: what happened, to what, and what to do about it."""

    what: str
    subject: str
    remedy: str


@dataclass
class Tally:
    """Images and micro-dollars by (variant name, what became of them), troubles in words."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    micros: Counter[tuple[str, str]] = field(default_factory=Counter)
    troubles: list[Trouble] = field(default_factory=list)
    troubles_seen: int = 0
    bytes: int = 0
    requests: int = 0
    cap_remedy: str = ""

    def total(self, what: str) -> int:
        """How many images met that fate, over all variants."""
        return sum(images for (_, fate), images in self.counts.items() if fate == what)

    def trouble(self, what: str, subject: str, remedy: str) -> None:
        """Remember a trouble; of very many only the first are kept, all are counted."""
        self.troubles_seen += 1
        if len(self.troubles) < PROBLEMS_KEPT:
            self.troubles.append(Trouble(what, subject, remedy))

    def left_out(self, name: str, images: int, why: str, remedy: str = "") -> None:
        """Images that were planned and not asked for."""
        self._count(name, "left out", images)
        what, _, said = why.partition("; ")
        if not any(trouble.what == what for trouble in self.troubles):
            self.trouble(what, name, remedy or said or "run again")

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
            self.trouble(f"not made: {end.reason}", name, "nothing was billed; run again")
            return
        if end.outcome is Outcome.REFUSED:
            self._count(name, "refused", claim.images)
            self.trouble(f"refused as unsafe: {end.reason}", name, "nothing was billed; change the prompt")
            return
        if end.reason:
            self.trouble(end.reason, name, f"nothing to do; request {claim.request_id} is in the history")
        each = settled_micros(end) // max(1, len(end.images))
        for image in end.images:
            self._image(name, image.status, each, recovered=recovered)
            self.bytes += image.bytes or 0
            if image.flaw and image.status is ImageStatus.STORED:
                self.trouble(f"stored with a flaw: {image.flaw}", name, "look at it; it was kept as it came")

    def unfinished(self, claim: Claim, left: Unfinished, *, recovered: bool) -> None:
        """A request is still open. What an earlier run paid for is not this one's to pay."""
        name = claim.labels.variant
        micros = claimed_micros(claim)
        if left.doubt:
            self._count(name, "in doubt", claim.images, micros)
            remedy = "look in your Ideogram account, then `ideoflow recover --resubmit` or `--write-off`"
            self.trouble(f"in doubt ({claim.request_id}): {left.why}", name, remedy)
        else:
            self._count(name, "unfinished", claim.images, 0 if recovered else micros)
            self.trouble(f"not finished: {left.why}", name, "run again, it goes on from here")

    def _image(self, name: str, status: ImageStatus, micros: int, *, recovered: bool) -> None:
        paid_now = 0 if recovered else micros
        if status is ImageStatus.STORED:
            self._count(name, "recovered" if recovered else "stored", 1, micros)
        elif status is ImageStatus.WITHHELD:
            self._count(name, "withheld", 1, paid_now)
            self.trouble("withheld by the safety check, and billed", name, "change the prompt or accept it")
        else:
            self._count(name, "lost", 1, paid_now)
            self.trouble("billed, but its link died before it was fetched", name, "contact Ideogram's support")

    def _count(self, name: str, what: str, images: int, micros: int = 0) -> None:
        self.counts[name, what] += images
        self.micros[name, what] += micros
