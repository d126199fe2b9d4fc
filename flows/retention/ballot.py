"""Decisions of people, as words and as files for a pull request: what was decided about which picture. Pure.

A file is YAML or CSV with the same columns; everything wrong with it is told at once, with line and column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from flows.documents import did_you_mean, parse, validate
from flows.errors import InvalidInput, Problem

COLUMNS = ("image", "finding", "verdict", "reason", "sha256", "by", "replace")
_YES, _NO = frozenset({"true", "yes", "1", "x"}), frozenset({"", "false", "no", "0"})
_DIGITS = frozenset("0123456789abcdef")


class Verdict(StrEnum):
    """What can be decided. `ACCEPT` is about a finding of the audit, the others about a picture."""

    HOLD = "hold"
    RELEASE = "release"
    APPROVE = "approve"
    REJECT = "reject"
    ACCEPT = "accept"


@dataclass(frozen=True)
class Ballot:
    """One decision as somebody wrote it. `name` is an image's or a finding's id, or its beginning.

    `sha256` is the digest (or its beginning) of the picture that was looked at, `by` who decided; both may be empty.
    `place` is where it stands in a file.
    """

    verdict: Verdict
    name: str
    reason: str = ""
    sha256: str = ""
    by: str = ""
    replace: bool = False
    place: Problem | None = None

    def problem(self, message: str, hint: str = "") -> Problem:
        """A problem with this decision, at its place."""
        at = self.place or Problem("decide", 0, 0, self.name, "")
        return Problem(at.file, at.line, at.column, at.key, message, hint)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _an_id(value: str) -> str:
    if len(value) < 4 or not set(value) <= _DIGITS | {"-"}:
        hint = "Copy it from `ideoflow history --json`; its beginning will do."
        raise PydanticCustomError("id", "is no id", {"hint": hint})
    return value


def _a_digest(value: str) -> str:
    if not 8 <= len(value) <= 64 or not set(value) <= _DIGITS:
        raise PydanticCustomError("digest", "is no digest", {"hint": "At least eight of its hexadecimal digits."})
    return value


_Id = Annotated[str, AfterValidator(_an_id)]
_Digest = Annotated[str, AfterValidator(_a_digest)]
_Line = Annotated[str, Field(max_length=2000)]


class _One(_Strict):
    image: _Id | None = None
    finding: _Id | None = None
    verdict: Verdict
    reason: _Line = ""
    sha256: _Digest | None = None
    by: _Line = ""
    replace: bool = False


class _File(_Strict):
    version: Literal[1]
    decisions: Annotated[list[_One], Field(min_length=1)]


def read_ballots(text: bytes, file: str) -> list[Ballot]:
    """The decisions of a file, by the ending of its name; InvalidInput with everything that is wrong with it."""
    found = _from_csv(text, file) if file.lower().endswith(".csv") else _from_yaml(text, file)
    problems = [problem for one in found for problem in check(one)]
    if problems:
        raise InvalidInput(problems)
    return found


def check(one: Ballot) -> Iterator[Problem]:
    """What is wrong with a decision by itself."""
    if one.replace and one.verdict is not Verdict.REJECT:
        yield one.problem("`replace` goes with reject alone", "Write reject, or leave replace out.")


def _from_yaml(text: bytes, file: str) -> list[Ballot]:
    document = parse(text, file)
    read = validate(document, _File)
    found: list[Ballot] = []
    problems: list[Problem] = []
    for index, one in enumerate(read.decisions):
        place = document.problem(("decisions", index), "")
        name = one.finding if one.verdict is Verdict.ACCEPT else one.image
        if name is None or (one.image and one.finding):
            problems.append(_misnamed(one.verdict, place))
            continue
        found.append(Ballot(one.verdict, name, one.reason, one.sha256 or "", one.by, one.replace, place))
    if problems:
        raise InvalidInput(problems)
    return found


def _misnamed(verdict: Verdict, place: Problem) -> Problem:
    wanted = "finding" if verdict is Verdict.ACCEPT else "image"
    hint = f"Give `{wanted}` and nothing else to say which."
    return Problem(place.file, place.line, place.column, place.key, f"{verdict} is about one {wanted}", hint)


def _from_csv(text: bytes, file: str) -> list[Ballot]:
    try:
        reader = csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput([Problem(file, 0, 0, "", f"is no CSV in UTF-8: {error}")]) from None
    header = [name or "" for name in reader.fieldnames or ()]
    problems = list(_headed(header, file))
    found: list[Ballot] = []
    if not problems:
        for line, row in rows:
            one = _row(file, line, row, problems)
            found += [one] if one else []
        if not rows:
            problems.append(Problem(file, 1, 1, "", "holds no decisions"))
    if problems:
        raise InvalidInput(problems)
    return found


def _headed(header: Sequence[str], file: str) -> Iterator[Problem]:
    for column, name in enumerate(header, 1):
        if name not in COLUMNS:
            yield Problem(file, 1, column, name, f"unknown column `{name}`", did_you_mean(name, COLUMNS, "Columns"))
    if "verdict" not in header or not {"image", "finding"} & set(header):
        hint = f"Known are {', '.join(COLUMNS)}."
        yield Problem(file, 1, 1, "", "needs the columns image (or finding) and verdict", hint)
    if len(set(header)) < len(header):
        yield Problem(file, 1, 1, "", "names a column twice")


def _row(file: str, line: int, row: Mapping[str | None, Any], problems: list[Problem]) -> Ballot | None:
    place = Problem(file, line, 1, "", "")

    def wrong(message: str, hint: str = "", key: str = "") -> None:
        problems.append(Problem(file, line, 1, key, message, hint))

    if None in row or any(value is None for value in row.values()):
        wrong("has not as many cells as the first line", "Put quotes around cells with commas.")
        return None
    said = {str(name): str(value).strip() for name, value in row.items()}
    word, before = said["verdict"].lower(), len(problems)
    if word not in list(Verdict):
        wrong(f'"{word}" is no verdict', did_you_mean(word, list(Verdict), "Verdicts"), "verdict")
        return None
    verdict = Verdict(word)
    image, finding = said.get("image", ""), said.get("finding", "")
    name = finding if verdict is Verdict.ACCEPT else image
    if not name or (image and finding):
        problems.append(_misnamed(verdict, place))
    elif len(name) < 4 or not set(name) <= _DIGITS | {"-"}:
        wrong(f'"{name}" is no id', "Copy it from `ideoflow history --json`.", "image")
    digest = said.get("sha256", "").lower()
    if digest and (len(digest) < 8 or len(digest) > 64 or not set(digest) <= _DIGITS):
        wrong("is no digest", "At least eight of its hexadecimal digits.", "sha256")
    replace = said.get("replace", "").lower()
    if replace not in _YES | _NO:
        wrong(f'"{replace}" is neither true nor false', "", "replace")
    if len(problems) > before:
        return None
    return Ballot(verdict, name, said.get("reason", ""), digest, said.get("by", ""), replace in _YES, place)
