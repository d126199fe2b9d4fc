"""What a safety review decides here: the marker words of the package's docstring, nothing else. Pure."""

from __future__ import annotations

from dataclasses import dataclass

REFUSED = "unsafe-prompt"
WITHHELD = "withheld-image"
FAILS_POLICY = "fails-policy"
FAILS_BADLY = "fails-badly"


@dataclass(frozen=True)
class Review:
    """`withheld` are the indexes of images without a link; `failure` is why the job fails, if it does."""

    refused: bool = False
    withheld: tuple[int, ...] = ()
    failure: str | None = None


def review(prompt: str) -> Review:
    """Judges a prompt by its marker words."""
    text = prompt.lower()
    failure = None
    if FAILS_POLICY in text:
        failure = "content_policy_violation"
    elif FAILS_BADLY in text:
        failure = "internal_error"
    return Review(refused=REFUSED in text, withheld=(0,) if WITHHELD in text else (), failure=failure)
