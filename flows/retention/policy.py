"""The retention policy: `configs/retention.yaml` as frozen values, or every problem of it with its place.

Pure: bytes in, a policy out. What it means for pictures is in `decide`, what it says in English in `paragraph`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from flows.documents import Document, nearest, parse, validate
from flows.errors import InvalidInput, Problem
from flows.ids import sha256
from flows.retention.amounts import as_size, as_span, size, span

MATCHED = ("brand", "campaign", "tag", "model", "prompt", "origin")
KEEPING = (
    "forever",
    "keep_within",
    "keep_last",
    "keep_daily",
    "keep_weekly",
    "keep_monthly",
    "max_total",
    "max_images",
)
_ADVICE = {
    "keep_hourly": "The finest rule is keep_daily; keep_within: 12h keeps by the hour.",
    "keep_yearly": "Write keep_monthly: 12 for each year, or `forever: true`.",
    "delete_after": "Rules say what is kept: keep_within: 30d removes what is older.",
    "max_age": "Rules say what is kept: keep_within: 30d removes what is older.",
    "older_than": "Rules say what is kept: keep_within: 30d removes what is older.",
    "max_bytes": "Write max_total: 50GB.",
    "tags": "Write `tag`, with one tag or a list of them.",
    "prompt_id": "Write `prompt`.",
    "default": "Write a class with `match: all` as the last one.",
    "rules": "Rules stand in classes: {work: {match: all, keep_within: 30d}}.",
}


@dataclass(frozen=True)
class Match:
    """Pictures that one map under `match` means: of every key given, one of the patterns fits."""

    given: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class KeepClass:
    """One class: which pictures fall to it, and what keeps them. A picture stays when any rule keeps it.

    `everything` is ``match: all``; without that and without `matches` it is reached by name from a manifest only.
    """

    name: str
    matches: tuple[Match, ...] = ()
    everything: bool = False
    forever: bool = False
    keep_within: timedelta | None = None
    keep_last: int | None = None
    keep_daily: int | None = None
    keep_weekly: int | None = None
    keep_monthly: int | None = None
    max_total: int | None = None
    max_images: int | None = None
    allow_empty: bool = False


@dataclass(frozen=True)
class Policy:
    """The whole policy. `digest` is that of the file's bytes: two of the same digest say the same."""

    classes: tuple[KeepClass, ...] = ()
    enabled: bool = False
    grace: timedelta = timedelta(days=7)
    max_fraction: float = 0.3
    digest: str = ""
    file: str = ""

    def named(self, name: str) -> KeepClass | None:
        """The class of that name."""
        return next((one for one in self.classes if one.name == name), None)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _pattern(value: str) -> str:
    if not value.strip() or value != value.strip():
        raise PydanticCustomError("pattern", "must be a name or a pattern such as summer-*", {})
    return value


_Pattern = Annotated[str, AfterValidator(_pattern)]
_Patterns = Annotated[tuple[_Pattern, ...], Field(min_length=1, strict=False), BeforeValidator(_one_or_more)]
_Number = Annotated[int, Field(ge=1, le=1_000_000_000)]
_Span = Annotated[str, BeforeValidator(span)]
_Size = Annotated[str, BeforeValidator(size)]


class _Match(_Strict):
    brand: _Patterns | None = None
    campaign: _Patterns | None = None
    tag: _Patterns | None = None
    model: _Patterns | None = None
    prompt: _Patterns | None = None
    origin: _Patterns | None = None

    def value(self) -> Match:
        return Match(tuple((key, patterns) for key in MATCHED if (patterns := getattr(self, key)) is not None))


def _matches(value: Any) -> Any:
    """``all`` is no condition at all: an empty list."""
    if value == "all":
        return []
    if value == [] or not isinstance(value, dict | list):
        hint = "Write `match: all`, a map such as {tag: master}, or leave it out."
        raise PydanticCustomError("match", "says nothing to match", {"hint": hint})
    return value


class _Class(_Strict):
    match: Annotated[_Match | list[_Match], BeforeValidator(_matches)] | None = None
    forever: bool = False
    keep_within: _Span | None = None
    keep_last: _Number | None = None
    keep_daily: _Number | None = None
    keep_weekly: _Number | None = None
    keep_monthly: _Number | None = None
    max_total: _Size | None = None
    max_images: _Number | None = None
    allow_empty: bool = False

    def value(self, name: str) -> KeepClass:
        found = [self.match] if isinstance(self.match, _Match) else self.match or []
        return KeepClass(
            name=name,
            matches=tuple(one.value() for one in found),
            everything=self.match == [],
            forever=self.forever,
            keep_within=as_span(self.keep_within) if self.keep_within else None,
            keep_last=self.keep_last,
            keep_daily=self.keep_daily,
            keep_weekly=self.keep_weekly,
            keep_monthly=self.keep_monthly,
            max_total=as_size(self.max_total) if self.max_total else None,
            max_images=self.max_images,
            allow_empty=self.allow_empty,
        )


class _File(_Strict):
    version: Literal[1]
    enabled: bool = False
    grace: _Span = "7d"
    max_fraction: float = Field(0.3, gt=0, le=1)
    classes: dict[str, _Class] = {}


def load_policy(text: bytes | str, file: str) -> Policy:
    """The policy that a file says, or InvalidInput with everything that is wrong with it."""
    document = parse(text, file)
    read = validate(document, _File, advice=_ADVICE)
    classes = tuple(one.value(name) for name, one in read.classes.items())
    problems = list(_problems(document, classes))
    if problems:
        raise InvalidInput(problems)
    raw = text.encode() if isinstance(text, str) else text
    return Policy(classes, read.enabled, as_span(read.grace), read.max_fraction, sha256(raw), file)


def _problems(document: Document, classes: Sequence[KeepClass]) -> Iterator[Problem]:
    ending: str | None = None
    for one in classes:
        path = ("classes", one.name)
        if not any(getattr(one, rule) for rule in KEEPING if rule != "keep_within") and one.keep_within is None:
            hint = "Say what it keeps: keep_within: 30d, keep_last: 3, forever: true ..."
            yield document.problem(path, f"the class {one.name} keeps nothing", hint, key=True)
        empty = [index for index, match in enumerate(one.matches) if not match.given]
        if empty:
            hint = "Name a brand, campaign, tag, model or prompt, or write `match: all`."
            yield document.problem((*path, "match"), "an empty match says nothing", hint)
        if ending is not None and (one.matches or one.everything):
            hint = f"Move {one.name} above {ending}: the first class that matches is the one."
            yield document.problem(path, f"never reached: {ending} before it matches everything", hint, key=True)
        ending = ending or (one.name if one.everything else None)


def unknown_class(policy: Policy, name: str) -> str:
    """What to say of a class that a manifest names and the policy does not have."""
    guess = nearest(name, [one.name for one in policy.classes])
    return f"the class `{name}` is not in the policy" + (f" (did you mean `{guess}`?)" if guess else "")
