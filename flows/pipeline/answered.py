"""What a recorded answer says. Apart from `finish`, so that who only plans loads nothing that fetches."""

from __future__ import annotations

from flows.history.records import Ack
from flows.ideogram.answers import Submission, read_submission
from flows.ideogram.catalogue import CATALOGUE


def reading(ack: Ack) -> Submission:
    """What a recorded answer says."""
    return read_submission(CATALOGUE[ack.claim.model], ack.status, ack.raw())
