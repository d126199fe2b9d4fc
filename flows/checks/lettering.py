"""Lettering: what the picture was to say against what an OCR engine read in it.

Knows words and edit distances; no pictures, no engine. Readings are imperfect, so words are compared with tolerance,
never for equality: without regard to case, accents of typography and punctuation.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import partial_ratio_alignment

from flows.checks import policy as rules
from flows.checks.finding import Finding, Ran, Skipped, Verdict
from flows.checks.policy import AuditPolicy, Lexicon
from flows.checks.rules import found
from flows.checks.subject import Image, Line, Reading, Subject

NAME = "lettering"
SANDBOX = "sandbox"
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Word:
    """A word that was read, and the line it stands in."""

    text: str
    line: int


@dataclass(frozen=True)
class Match:
    """A word asked for and what was read for it: nothing, where `errors` is all of its letters."""

    asked: str
    read: str
    errors: int
    line: int | None

    @property
    def rate(self) -> float:
        """Errors for each letter asked for."""
        return self.errors / len(self.asked)


@dataclass(frozen=True)
class Comparison:
    """`rate` is the character error rate of the whole; `others` are words nobody asked for, with their lines."""

    matches: tuple[Match, ...]
    others: tuple[Word, ...]

    @property
    def rate(self) -> float:
        """Errors for each letter asked for."""
        return sum(match.errors for match in self.matches) / max(1, sum(len(match.asked) for match in self.matches))


_ALIKE = str.maketrans({"0": "o", "1": "l", "|": "l"})


def _errors(asked: str, read: str) -> int:
    """Letters to change, add, leave out or swap; signs that nobody can tell apart by their shape are the same."""
    return OSA.distance(asked.translate(_ALIKE), read.translate(_ALIKE))


def words_of(text: str) -> list[str]:
    """The words of a text, folded: letters and digits only, no case."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # An apostrophe joins ("don't"), every other mark parts ("SUMMER,SLOWLY").
    joined = folded.replace("'", "").replace("\u2019", "")
    spaced = "".join(letter if letter.isalnum() or unicodedata.combining(letter) else " " for letter in joined)
    return spaced.split()


def compare(lettering: str, lines: Sequence[Line]) -> Comparison:
    """Each word asked for with the read word that fits it best, no read word twice.

    Engines split and join words: what is left over is looked for in neighbouring words written together.
    """
    asked = words_of(lettering)
    read = [Word(text, at) for at, line in enumerate(lines) for text in words_of(line.text)]
    pairs = sorted(
        (_errors(want, got.text), abs(i / max(1, len(asked)) - j / max(1, len(read))), i, j)
        for i, want in enumerate(asked)
        for j, got in enumerate(read)
    )
    taken: dict[int, int] = {}
    free = set(range(len(read)))
    for errors, _, i, j in pairs:
        if i not in taken and j in free and errors * 2 < max(2, len(asked[i])):
            taken[i] = j
            free.discard(j)
    matches: list[Match] = []
    for i, want in enumerate(asked):
        if i in taken:
            got = read[taken[i]]
            matches.append(Match(want, got.text, _errors(want, got.text), got.line))
        else:
            matches.append(_within(want, read, free))
    others = tuple(read[j] for j in sorted(free) if not _part_of(read[j], asked, matches))
    return Comparison(tuple(matches), others)


def _within(want: str, read: Sequence[Word], free: set[int]) -> Match:
    """The best place for a word in what is left, written together line by line."""
    best = Match(want, "", len(want), None)
    for line in dict.fromkeys(read[j].line for j in sorted(free)):
        together = "".join(read[j].text for j in sorted(free) if read[j].line == line)
        place = partial_ratio_alignment(want, together)
        if place is None or not together:
            continue
        piece = together[place.dest_start : place.dest_end]
        errors = _errors(want, piece)
        if errors < best.errors and errors * 2 < max(2, len(want)):
            best = Match(want, piece, errors, line)
    return best


def _part_of(word: Word, asked: Sequence[str], matches: Sequence[Match]) -> bool:
    """Whether a leftover is what was asked for, which the engine split or joined, or was matched with a piece of it."""
    near = [match for match in matches if match.line == word.line]
    if not near:
        return False
    whole = word.text in "".join(asked) or any(want in word.text for want in asked)
    return whole or any(match.read in word.text or word.text in match.read for match in near)


def check(subject: Subject, policy: AuditPolicy) -> Verdict:
    """Every kept image that was to say something and was read."""
    wanting = [image for image in subject.images if image.kept and image.lettering and words_of(image.lettering)]
    if not wanting:
        return Skipped(NAME, "nothing to check: no kept image was to say anything")
    read = [
        (image, reading)
        for image in wanting
        if (reading := subject.readings.get(image.sha256 or "")) is not None and reading.failure is None
    ]
    if not read:
        return Skipped(NAME, subject.no_ocr or "nothing to check: no picture that was to say something was read")
    results: list[Finding] = []
    for image, reading in read:
        brand = subject.brands.get(image.brand or "")
        own_names = words_of(brand.name) if brand else []
        if image.origin == SANDBOX:
            own_names += words_of(SANDBOX)  # the stand-in signs its pictures
        results += _one(image, reading, policy.lettering_for(image.brand), policy.lexicon(image.brand), own_names)
    return Ran(NAME, len(read), tuple(results))


def _one(
    image: Image, reading: Reading, limits: rules.Lettering, lexicon: Lexicon, own_names: Sequence[str]
) -> Iterator[Finding]:
    assert image.lettering is not None  # noqa: S101  only such images come here
    got = compare(image.lettering, reading.lines)
    said = " / ".join(line.text for line in reading.lines)
    details: dict[str, Any] = {"asked": image.lettering, "read": said, "engine": reading.engine}
    details["character_error_rate"] = round(got.rate, 4)
    missing = [match for match in got.matches if match.rate >= limits.missing_from]
    wrong = [match for match in got.matches if match not in missing and match.rate > limits.max_error_rate]
    every = {match.line for match in got.matches if match.line is not None}
    if missing:
        yield found(
            "lettering.missing",
            image.image_id,
            f"{_quoted(match.asked for match in missing)} cannot be read; the picture says {_quoted([said])}"
            if said
            else f"{_quoted(match.asked for match in missing)} cannot be read; the picture says nothing",
            image,
            remedy="Look at the picture: reject it and buy another (decide reject --replace), or accept the finding.",
            measure=round(max(match.rate for match in missing), 4),
            threshold=limits.missing_from,
            unit="character error rate of a word",
            details=details | {"missing": [match.asked for match in missing], "boxes": _boxes(reading.lines, every)},
        )
    if wrong:
        at = {match.line for match in wrong if match.line is not None}
        spelt = "; ".join(f"{_quoted([match.read])} for {_quoted([match.asked])}" for match in wrong)
        yield found(
            "lettering.misspelt",
            image.image_id,
            f"the picture says {spelt}",
            image,
            remedy="Look at the picture: reject it and buy another (decide reject --replace), or accept the finding.",
            measure=round(max(match.rate for match in wrong), 4),
            threshold=limits.max_error_rate,
            unit="character error rate of a word",
            details=details
            | {
                "words": [{"asked": match.asked, "read": match.read} for match in wrong],
                "boxes": _boxes(reading.lines, at),
            },
        )
    yield from _others(image, got, reading, limits, lexicon, own_names, details)


def _others(
    image: Image,
    got: Comparison,
    reading: Reading,
    limits: rules.Lettering,
    lexicon: Lexicon,
    own_names: Sequence[str],
    details: dict[str, Any],
) -> Iterator[Finding]:
    forbidden = {word for text in lexicon.forbid for word in words_of(text)}
    allowed = {word for text in lexicon.allow for word in words_of(text)} | set(own_names)
    every = [Word(text, at) for at, line in enumerate(reading.lines) for text in words_of(line.text)]
    bad = [word for word in every if word.text in forbidden]
    if bad:
        yield found(
            "lettering.forbidden",
            image.image_id,
            f"the picture says {_quoted(word.text for word in bad)}, which the lexicon forbids",
            image,
            remedy="Reject the picture, or take the word off the lexicon's list (configs/audit.yaml).",
            measure=float(len(bad)),
            threshold=0.0,
            unit="words",
            details=details
            | {"words": [word.text for word in bad], "boxes": _boxes(reading.lines, {word.line for word in bad})},
        )
    invented = [
        word
        for word in got.others
        if word.text not in forbidden
        and word.text not in allowed
        and len(word.text) >= limits.min_letters
        and reading.lines[word.line].score >= limits.min_score
    ]
    if invented:
        yield found(
            "lettering.invented",
            image.image_id,
            f"the picture also says {_quoted(word.text for word in invented)}",
            image,
            remedy="Accept it, allow the words (configs/audit.yaml, lexicon), or reject the picture.",
            measure=float(len(invented)),
            threshold=0.0,
            unit="words",
            details=details
            | {
                "words": [word.text for word in invented],
                "boxes": _boxes(reading.lines, {word.line for word in invented}),
            },
        )


def _boxes(lines: Sequence[Line], at: set[int]) -> list[dict[str, Any]]:
    return [{"box": [round(side, 4) for side in lines[one].box], "text": lines[one].text} for one in sorted(at)]


def _quoted(words: Any) -> str:
    return ", ".join(f"\u201c{word}\u201d" for word in words)
