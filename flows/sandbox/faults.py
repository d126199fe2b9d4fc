"""What shall go wrong: rules that a test writes as JSON, and the decision whether one fires. Pure.

A rule looks like ``{"match": {"kind": "post", "path": "/v2/"}, "fault": "lost_ack", "count": 1}``. For every
request it matches, a rule is given the next number n = 0, 1, 2 ... (kept by the store, so that servers share
it and restarts keep it); whether it fires depends on n and the rule alone:

- ``skip``: the first so many pass; n then counts from there;
- ``count``: only the first so many fire; ``every``: every so-many-th; ``probability`` with ``seed``;
- ``script``: a list of fault names or null, one per request, instead of ``fault``;
- none of these: always.

The first rule that fires decides; rules after it do not see the request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any

POST = (
    "429",  # turned away: no places free
    "402",  # turned away: no funds
    "401",  # turned away: key not accepted
    "403",  # turned away: no access
    "500_before",  # 500, and nothing ran
    "500_after",  # 500, although it runs and is billed
    "lost_ack",  # it runs and is billed, and the connection closes without a word
    "slow",  # it runs, and the answer takes `delay_s` longer
    "html_200",  # it runs and is billed, and the answer is a page of HTML
    "empty_200",  # it runs and is billed, and the answer is empty
    "job_failed",  # it runs and fails, not billed
)
POLL = ("429_poll", "500_poll", "404_poll", "lost_ack", "slow", "html_200", "empty_200")
DOWNLOAD = (
    "truncated",  # fewer bytes than Content-Length says
    "corrupt",  # the right length, damaged differently each time
    "wrong_size",  # a sound picture of another size
    "html_200",
    "empty_200",
    "expired",  # 403, as an expired link answers
    "403",
    "404",
    "redirect",  # 302 to another host
    "500",
    "slow",  # half the bytes, a pause of `delay_s`, the other half
)
KINDS: Mapping[str, tuple[str, ...]] = {"post": POST, "poll": POLL, "download": DOWNLOAD}


class BadFaults(ValueError):
    """A fault plan that does not say what it should."""


@dataclass(frozen=True)
class FaultRule:
    """One rule. `kind` None matches every kind that the fault exists for."""

    fault: str | None = None
    kind: str | None = None
    path: str = ""
    script: tuple[str | None, ...] = ()
    skip: int = 0
    count: int | None = None
    every: int | None = None
    probability: float | None = None
    seed: int = 0
    delay_s: float = 5.0
    retry_after_s: int = 1

    def matches(self, kind: str, path: str) -> bool:
        """Whether a request is of this rule's kind and under its path."""
        if not path.startswith(self.path):
            return False
        if self.kind is not None:
            return self.kind == kind
        return any(name in KINDS[kind] for name in (self.fault, *self.script) if name)

    def decide(self, n: int) -> str | None:
        """The fault for the n-th matching request, if any."""
        n -= self.skip
        if n < 0:
            return None
        if self.script:
            return self.script[n] if n < len(self.script) else None
        if self.count is not None and n >= self.count:
            return None
        if self.every is not None and (n + 1) % self.every:
            return None
        if self.probability is not None and fraction(self.seed, n) >= self.probability:
            return None
        return self.fault


@dataclass(frozen=True)
class FaultPlan:
    """Rules in order of precedence."""

    rules: tuple[FaultRule, ...] = ()

    @classmethod
    def of(cls, data: Any) -> FaultPlan:
        """Reads the JSON form: a list of rules, or ``{"rules": [...]}``. Anything odd is an error."""
        rules = data.get("rules") if isinstance(data, Mapping) else data
        if not isinstance(rules, Sequence) or isinstance(rules, str | bytes):
            raise BadFaults("a fault plan is a list of rules")
        return cls(tuple(_rule(rule) for rule in rules))

    def to_json(self) -> list[dict[str, Any]]:
        """The JSON form that `of` reads."""
        return [_as_json(rule) for rule in self.rules]


@dataclass(frozen=True)
class Fault:
    """A fault that fired, with the number that it may vary by."""

    name: str
    n: int
    rule: FaultRule


def fraction(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` alone."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


_NUMBERS: Mapping[str, type[int] | UnionType] = {
    "skip": int,
    "count": int,
    "every": int,
    "seed": int,
    "probability": int | float,
    "delay_s": int | float,
    "retry_after_s": int,
}


def _rule(data: Any) -> FaultRule:
    if not isinstance(data, Mapping):
        raise BadFaults(f"a fault rule is an object, not {data!r}")
    match = data.get("match", {})
    if not isinstance(match, Mapping) or set(match) - {"kind", "path"}:
        raise BadFaults(f"match takes kind and path, not {match!r}")
    if unknown := set(data) - {"match", "fault", "script", *_NUMBERS}:
        raise BadFaults(f"unknown in a fault rule: {', '.join(sorted(unknown))}")
    kind = match.get("kind")
    if kind is not None and kind not in tuple(KINDS):
        raise BadFaults(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    numbers = {name: _number(name, data[name]) for name in _NUMBERS if data.get(name) is not None}
    rule = FaultRule(
        fault=data.get("fault"),
        kind=kind,
        path=str(match.get("path", "")),
        script=tuple(data.get("script") or ()),
        **numbers,
    )
    if (rule.fault is None) == (not rule.script):
        raise BadFaults("a fault rule has either `fault` or `script`")
    allowed = KINDS[kind] if kind else tuple(dict.fromkeys(POST + POLL + DOWNLOAD))
    for name in (rule.fault, *rule.script):
        if name is not None and name not in allowed:
            raise BadFaults(f"no fault {name!r} for {kind or 'any request'}; known: {', '.join(allowed)}")
    return rule


def _number(name: str, value: Any) -> Any:
    least = 1 if name == "every" else 0
    fits = isinstance(value, _NUMBERS[name]) and not isinstance(value, bool)
    if not fits or value < least:
        raise BadFaults(f"{name} is a number of at least {least}, not {value!r}")
    if name == "probability" and value > 1:
        raise BadFaults("probability is between 0 and 1")
    return value


def _as_json(rule: FaultRule) -> dict[str, Any]:
    match = {key: value for key, value in (("kind", rule.kind), ("path", rule.path)) if value}
    data: dict[str, Any] = {"match": match, "seed": rule.seed, "skip": rule.skip, "delay_s": rule.delay_s}
    optional = {
        "fault": rule.fault,
        "script": list(rule.script) or None,
        "count": rule.count,
        "every": rule.every,
        "probability": rule.probability,
    }
    data.update({key: value for key, value in optional.items() if value is not None})
    return {**data, "retry_after_s": rule.retry_after_s}
