"""Links that really expire: ``exp`` (epoch seconds) and ``sig`` (HMAC-SHA256) as the image host has them."""

from __future__ import annotations

import hashlib
import hmac
from enum import Enum

PATH = "/api/images/ephemeral/"


class Verdict(Enum):
    """What a link is worth."""

    GOOD = "good"
    EXPIRED = "expired"
    FORGED = "forged"


def signed_path(secret: bytes, image_id: str, expires: int) -> str:
    """The path and query under which an image can be had until `expires`."""
    return f"{PATH}{image_id}.png?exp={expires}&sig={_signature(secret, image_id, expires)}"


def verify(secret: bytes, image_id: str, exp: str, sig: str, now: float) -> Verdict:
    """Judges a link. A forged one is never said to be expired."""
    if not (exp.isascii() and exp.isdigit() and len(exp) < 20):
        return Verdict.FORGED
    if not hmac.compare_digest(_signature(secret, image_id, int(exp)).encode(), sig.encode()):
        return Verdict.FORGED
    return Verdict.GOOD if now < int(exp) else Verdict.EXPIRED


def _signature(secret: bytes, image_id: str, expires: int) -> str:
    return hmac.new(secret, f"{image_id}\n{expires}".encode(), hashlib.sha256).hexdigest()
